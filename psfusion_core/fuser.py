"""``Fuser``: arrays in, fused image and label map out."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from psfusion_core.color import replace_luma
from psfusion_core.engines import ENGINES, Engine
from psfusion_core.models import class_names, create_model
from psfusion_core.models.inputs import pad_to_multiple
from psfusion_core.stream.gain import stretch

MINIMUM_SIZE = 32


class FusionResult(NamedTuple):
    """One fused pair.

    Attributes:
        image: (H, W, 3) uint8 RGB, fused luma with the chroma of the visible image.
        mask: (H, W) uint8 class index of each pixel (see :mod:`psfusion_core.classes`).
    """

    image: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.uint8]


class Fuser:
    """Fuses pairs of any size on the device and at the precision that suit the machine.

    >>> fuser = Fuser()
    >>> image, mask = fuser(visible, infrared)

    Args:
        model: ``"psfusion_lite"`` or ``"psfusion"``.
        weights: ``"default"`` (shipped) or the path of a checkpoint.
        device: ``"auto"`` (the GPU where there is one), ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        engine: ``"auto"`` or a name in :data:`psfusion_core.engines.ENGINES`.
        precision: ``"auto"`` (fp16 on a GPU, fp32 on the CPU), ``"fp32"``, ``"fp16"`` or ``"bf16"``.

    Attributes:
        class_names: of the mask's indices.

    The constructor runs the network once (at 480 x 640 on a GPU, whose kernels are chosen by size), so that
    the first call is not slower than the next.

    Raises:
        ValueError: an unknown name, a device that is not there, a checkpoint that does not fit.
        FileNotFoundError: no weights ship for this network.
    """

    def __init__(
        self,
        model: str = "psfusion_lite",
        weights: str | Path = "default",
        device: str = "auto",
        engine: str = "auto",
        precision: str = "auto",
    ) -> None:
        names = list(ENGINES)
        if engine not in ("auto", *names):
            raise ValueError(f"unknown engine {engine!r}: choose auto, {', '.join(names)}")
        self.class_names = class_names(model, weights)
        network = create_model(model, len(self.class_names), weights)
        self.size_multiple = network.size_multiple
        self.engine: Engine = ENGINES[names[0] if engine == "auto" else engine](network, device, precision)
        self.description = f"{model}, {self.engine.description}"
        self.warm_up(*((480, 640) if self.engine.device.type == "cuda" else (MINIMUM_SIZE, MINIMUM_SIZE)))

    def warm_up(self, height: int, width: int) -> None:
        """Run once at this size, so that its first real pair is not slower than the next."""
        self(np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8))

    def __call__(
        self, visible: npt.NDArray[np.uint8], infrared: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    ) -> FusionResult:
        """Fuse one aligned pair.

        Args:
            visible: (H, W, 3) uint8 RGB, H and W at least 32.
            infrared: (H, W) uint8, or uint16 counts, which are stretched to 8 bits by their own 1st and
                99th percentile (:func:`psfusion_core.stream.gain.stretch`). Hot is bright.

        Returns:
            Image and mask of the same H and W: the pair is padded for the network and cropped back, never
            rescaled.

        Raises:
            ValueError: shapes or dtypes other than these.
        """
        check_pair(visible, infrared)
        height, width = infrared.shape
        color = self._upload(visible)
        heat = self._upload(stretch(infrared)[..., np.newaxis])
        fused, logits = self.engine(*(pad_to_multiple(image, self.size_multiple) for image in (color, heat)))
        image = replace_luma(color, fused[..., :height, :width])
        # max, not argmax, which is five times slower over a dimension that is not the last.
        mask = logits[..., :height, :width].max(dim=1).indices[0].byte()
        pixels = (image[0] * 255.0).round().byte().permute(1, 2, 0).contiguous()
        return FusionResult(pixels.cpu().numpy(), mask.cpu().numpy())

    def _upload(self, image: npt.NDArray[np.uint8]) -> Tensor:
        """(H, W, C) uint8 -> (1, C, H, W) float32 in [0, 1] on the engine's device; bytes travel."""
        # from_numpy takes neither a read-only view of a message nor negative strides (BGR turned RGB).
        pixels = torch.from_numpy(np.require(image, requirements=("C", "W")))
        return pixels.to(self.engine.device).permute(2, 0, 1).unsqueeze(0).float().div_(255.0)


def check_pair(visible: npt.NDArray[np.generic], infrared: npt.NDArray[np.generic]) -> None:
    """Raise ValueError, saying what was expected and what came, unless the arrays are a pair to fuse."""
    if visible.ndim != 3 or visible.shape[2] != 3 or visible.dtype != np.uint8:
        raise ValueError(
            f"expected a visible image of shape (H, W, 3) and uint8, got {visible.shape} and {visible.dtype}"
        )
    if infrared.ndim != 2 or infrared.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"expected an infrared image of shape (H, W) and uint8 or uint16, got {infrared.shape} and "
            f"{infrared.dtype}"
        )
    if visible.shape[:2] != infrared.shape:
        raise ValueError(
            f"the visible image is {visible.shape[0]} x {visible.shape[1]} and the infrared image "
            f"{infrared.shape[0]} x {infrared.shape[1]} (height x width): register both to one size first"
        )
    if min(infrared.shape) < MINIMUM_SIZE:
        raise ValueError(
            f"expected at least {MINIMUM_SIZE} x {MINIMUM_SIZE} pixels, got {infrared.shape[0]} x "
            f"{infrared.shape[1]}"
        )
