"""Methods: a name in the table, and where the results of every pair come from."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from psfusion_core.cameras.image_files import list_images
from psfusion_core.evaluation.origins import (
    BASELINES,
    Baseline,
    Computed,
    Files,
    Origin,
    Result,
    SourceImages,
)

if TYPE_CHECKING:
    from psfusion_core.fusion.fuser import Fuser


class MethodError(ValueError):
    """A method that cannot be used as it was asked for; one line that says what to do."""


class Method(Protocol):
    """What is compared.

    Attributes:
        name: in tables and figures.
        fuses: it makes fused images.
        labels: it makes label maps.
        fuses_anew: it fuses the images that it is given; the results of others are there already.
        reads_sources: it does so in the process that asks for the origin, which needs the images.
    """

    @property
    def name(self) -> str: ...
    @property
    def fuses(self) -> bool: ...
    @property
    def labels(self) -> bool: ...
    @property
    def fuses_anew(self) -> bool: ...
    @property
    def reads_sources(self) -> bool: ...

    def identity(self, pair: str) -> bytes:
        """What its result depends on beside the sources.

        Raises:
            MethodError: it has no result for this pair.
            OSError: a file cannot be read.
        """
        ...

    def origin(self, pair: str, sources: SourceImages | None) -> Origin:
        """Where the result of a pair comes from; `sources` only where `reads_sources`.

        Raises:
            ValueError: the network cannot fuse them.
        """
        ...


class FolderMethod:
    """Fused images, label maps or both, as files named like the pairs.

    Args:
        name: of the method.
        images: folder of fused images.
        masks: folder of label maps.

    Raises:
        FileNotFoundError: a folder does not exist or holds no image.
    """

    fuses_anew, reads_sources = False, False

    def __init__(self, name: str, images: Path | None = None, masks: Path | None = None) -> None:
        self.name = name
        self.fuses, self.labels = images is not None, masks is not None
        self._folders = [folder for folder in (images, masks) if folder is not None]
        self._images = list_images(images) if images is not None else {}
        self._masks = list_images(masks) if masks is not None else {}

    def identity(self, pair: str) -> bytes:
        listed = [files for files in (self._images, self._masks) if files]
        for folder, files in zip(self._folders, listed, strict=True):
            if pair not in files:
                raise MethodError(f"{folder} has no image of that name")
        return b"".join(digest(files[pair]) for files in listed)

    def origin(self, pair: str, sources: SourceImages | None) -> Origin:
        return Files(self._images.get(pair), self._masks.get(pair))


class BaselineMethod:
    """A rule for every pixel.

    Args:
        name: one of `BASELINES`.

    Raises:
        MethodError: another name.
    """

    fuses, labels = True, False
    fuses_anew, reads_sources = True, False

    def __init__(self, name: str) -> None:
        if name not in BASELINES:
            raise MethodError(f"unknown baseline {name!r}: choose one of {', '.join(BASELINES)}")
        self.name = name

    def identity(self, pair: str) -> bytes:
        return self.name.encode()

    def origin(self, pair: str, sources: SourceImages | None) -> Origin:
        return Baseline(self.name)


class ModelMethod:
    """A network of this package, loaded when its first pair is to be fused.

    Args:
        name: of the method.
        model: name of the network.
        weights: "default" (shipped), a checkpoint, or an ONNX file.
        device: where it runs.

    Attributes:
        class_names: of its label maps.

    Raises:
        ValueError: an unknown network, or a checkpoint that cannot be read.
        FileNotFoundError: no weights ship for this network.
    """

    fuses, labels = True, True
    fuses_anew, reads_sources = True, True

    def __init__(self, name: str, model: str, weights: str = "default", device: str = "cpu") -> None:
        from psfusion_core.models.networks import check_name, find_weights

        check_name(model)
        self.name = name
        self._settings = (model, weights, device)
        path = find_weights(model, weights)
        if not path.is_file():
            raise MethodError(f"no weights at {path}: check the path")
        precision = device.partition(":")[0].encode()  # a GPU computes in another than the CPU
        self._identity = b" ".join([model.encode(), precision, digest(path)])

    @cached_property
    def fuser(self) -> Fuser:
        from psfusion_core.fusion.fuser import Fuser

        return Fuser(*self._settings)

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.fuser.class_names

    def identity(self, pair: str) -> bytes:
        return self._identity

    def origin(self, pair: str, sources: SourceImages | None) -> Origin:
        import torch

        assert sources is not None
        try:
            return Computed(Result(*self.fuser(*sources)))
        except torch.OutOfMemoryError as error:
            raise MethodError(f"{self._settings[-1]} has too little memory for it: {error}") from error


def digest(path: Path) -> bytes:
    """A short hash of a file's content."""
    return hashlib.blake2b(path.read_bytes(), digest_size=16).digest()
