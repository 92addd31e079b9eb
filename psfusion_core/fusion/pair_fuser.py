"""The interface of everything that fuses pairs of frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from psfusion_core.cameras.frame import Frame
from psfusion_core.cameras.thermal_gain import GreyScale
from psfusion_core.fusion.pictures import Pictures, Wanted


class PairFuser(Protocol):
    """The part of `psfusion_core.Fuser` that the node and bags use."""

    registration: Any

    @property
    def description(self) -> str: ...

    @property
    def device(self) -> Any: ...

    @property
    def class_names(self) -> Sequence[str]: ...

    def fuse_frames(self, visible: Frame, infrared: Frame, scale: GreyScale, wanted: Wanted) -> Pictures: ...

    def release(self) -> None: ...
