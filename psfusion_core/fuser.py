"""``Fuser``: arrays in, fused image and label map out."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from psfusion_core.classes import CLASS_NAMES
from psfusion_core.color import luma, replace_luma
from psfusion_core.engines import ENGINES, FILE_ENGINES, Engine, choose_engine
from psfusion_core.memory import trim_heap
from psfusion_core.models import PSFusion, class_names, create_model
from psfusion_core.models.inputs import pad_to_multiple
from psfusion_core.registration.mapping import Registration, Size, same_aspect
from psfusion_core.registration.warp import InfraredWarp
from psfusion_core.stream.gain import stretch

MINIMUM_SIZE = 32
SIZE_MULTIPLE = PSFusion.size_multiple
"""Of the height and width of what networks and ONNX files take; the same for both networks."""


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
        weights: ``"default"`` (shipped), the path of a checkpoint, or an ONNX file that ``psfusion export``
            wrote, which holds the network too (``model`` is not looked at).
        device: ``"auto"`` (the GPU where there is one), ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        engine: ``"auto"`` (see :func:`psfusion_core.engines.choose_engine`) or a name in
            :data:`psfusion_core.engines.ENGINES`; an ONNX file runs in ``"onnxruntime"`` or ``"tensorrt"``.
        precision: ``"auto"`` (fp16 on a GPU, fp32 on the CPU), ``"fp32"``, ``"fp16"`` or ``"bf16"``.
        registration: how the infrared lies on the visible image; None where both show the same scene.

    Attributes:
        class_names: of the mask's indices.
        description: network, engine, precision and device in a line.
        registration: as above; may be set at any time.

    The constructor runs the network once (at 480 x 640 on a GPU, whose kernels are chosen by size), so that
    the first call is not slower than the next.

    Raises:
        ValueError: an unknown name, a device that is not there, a checkpoint that does not fit.
        FileNotFoundError: no weights ship for this network.
        ImportError: the library of an engine is missing; the message says what to install.
    """

    def __init__(
        self,
        model: str = "psfusion_lite",
        weights: str | Path = "default",
        device: str = "auto",
        engine: str = "auto",
        precision: str = "auto",
        registration: Registration | None = None,
    ) -> None:
        names = list(ENGINES)
        if engine not in ("auto", *names):
            raise ValueError(f"unknown engine {engine!r}: choose auto, {', '.join(names)}")
        if Path(weights).suffix == ".onnx":
            if engine not in ("auto", *FILE_ENGINES):
                raise ValueError(
                    f"an ONNX file runs in engine {' or '.join(FILE_ENGINES)}, not {engine}: choose one of "
                    "these, or auto"
                )
            make = next(iter(FILE_ENGINES.values())) if engine == "auto" else FILE_ENGINES[engine]
            from_file = make(Path(weights), device, precision)
            self.engine: Engine = from_file
            model = from_file.metadata.get("model", "network")
            stored = from_file.metadata.get("classes", "")
            self.class_names = tuple(stored.split(",")) if stored else CLASS_NAMES
        else:
            self.class_names = class_names(model, weights)
            network = create_model(model, len(self.class_names), weights)
            name = choose_engine(device, precision) if engine == "auto" else engine
            self.engine = ENGINES[name](network, device, precision)
            del network
        trim_heap()
        self.description = f"{model}, {self.engine.description}"
        self._registration: Registration | None = None
        self._warp: tuple[Size, Size, InfraredWarp] | None = None
        usual = (480, 640) if self.engine.device.type == "cuda" else (MINIMUM_SIZE, MINIMUM_SIZE)
        self.warm_up(*(self.engine.size or usual))
        self.registration = registration

    @property
    def registration(self) -> Registration | None:
        return self._registration

    @registration.setter
    def registration(self, registration: Registration | None) -> None:
        self._registration = registration
        self._warp = None

    @property
    def device(self) -> torch.device:
        """Where the network runs."""
        return self.engine.device

    def warm_up(self, height: int, width: int) -> None:
        """Run once at this size, so that its first real pair is not slower than the next."""
        self(np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8))

    def __call__(
        self, visible: npt.NDArray[np.uint8], infrared: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    ) -> FusionResult:
        """Fuse one pair.

        Without a registration both images show the same scene. If their sizes differ, but not their aspect
        ratio, the infrared is scaled to the visible image. With a registration the infrared may have any size
        that the registration was made for; where its camera does not see, the result is the visible image.

        Args:
            visible: (H, W, 3) uint8 RGB, H and W at least 32.
            infrared: (h, w) uint8, or uint16 counts, which are stretched to 8 bits by their own 1st and
                99th percentile (:func:`psfusion_core.stream.gain.stretch`). Hot is bright.

        Returns:
            Image and mask of the H and W of the visible image: the pair is padded for the network and cropped
            back, the visible image is never rescaled.

        Raises:
            ValueError: shapes or dtypes other than these, or sizes that the registration was not made for.
        """
        check_pair(visible, infrared, self.registration is not None)
        color = upload(visible, self.device)
        heat = upload(stretch(infrared)[..., np.newaxis], self.device)
        warp = self._find_warp(visible.shape[1::-1], infrared.shape[::-1])
        heat = lay_on_visible(heat, color, warp)
        fused, logits = self.engine(*pad(color, heat))
        image, mask = compose(color, fused, logits, warp)
        return download(image, mask)

    def register(
        self, infrared: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], visible_size: Size
    ) -> npt.NDArray[np.uint8]:
        """Lay an infrared image onto the visible one, as it is before fusion.

        Args:
            infrared: (h, w) uint8 or uint16, as for a call.
            visible_size: width and height of the visible image.

        Returns:
            (H, W) uint8 on the pixels of the visible image; 0 where the infrared camera does not see.

        Raises:
            ValueError: see a call.
        """
        width, height = visible_size
        check_pair(np.broadcast_to(np.uint8(0), (height, width, 3)), infrared, self.registration is not None)
        warp = self._find_warp(visible_size, (infrared.shape[1], infrared.shape[0]))
        heat = upload(stretch(infrared)[..., np.newaxis], self.device)
        placed = resize(heat, height, width) if warp is None else warp(heat) * warp.coverage
        return to_bytes(placed[0, 0]).cpu().numpy()

    def _find_warp(self, visible_size: Size, infrared_size: Size) -> InfraredWarp | None:
        """Return the warp of the registration for these sizes, made anew only when they change."""
        if self._registration is None:
            return None
        if self._warp is None or self._warp[:2] != (visible_size, infrared_size):
            pixels = self._registration.pixel_map(visible_size, infrared_size)
            self._warp = visible_size, infrared_size, InfraredWarp(pixels, infrared_size, self.device)
        return self._warp[2]


def upload(image: npt.NDArray[np.uint8], device: torch.device) -> Tensor:
    """(H, W, C) uint8 -> (1, C, H, W) float32 in [0, 1] on a device; bytes travel."""
    # from_numpy takes neither a read-only view of a message nor negative strides (BGR turned RGB).
    pixels = torch.from_numpy(np.require(image, requirements=("C", "W")))
    return pixels.to(device).permute(2, 0, 1).unsqueeze(0).float().div_(255.0)


def pad(*images: Tensor) -> list[Tensor]:
    """Pad (1, C, H, W) images to what the networks take."""
    return [pad_to_multiple(image, SIZE_MULTIPLE) for image in images]


def compose(
    color: Tensor, fused: Tensor, logits: Tensor, warp: InfraredWarp | None = None
) -> tuple[Tensor, Tensor]:
    """Make picture and mask of a network's outputs.

    Args:
        color: (1, 3, H, W) float32, the visible image.
        fused: (1, 1, H', W') luma, of the padded size.
        logits: (1, num_classes, H', W').
        warp: that laid the infrared on the visible image; where it did not reach, the visible image stays.

    Returns:
        (H, W, 3) and (H, W) uint8.
    """
    height, width = color.shape[-2:]
    image = replace_luma(color, fused[..., :height, :width])
    if warp is not None:
        image = torch.lerp(color, image, warp.weight)
    # max, not argmax, which is five times slower over a dimension that is not the last.
    mask = logits[..., :height, :width].max(dim=1).indices[0].byte()
    return to_bytes(image[0]).permute(1, 2, 0).contiguous(), mask


def download(image: Tensor, mask: Tensor) -> FusionResult:
    """Bring a result to the host."""
    return FusionResult(image.cpu().numpy(), mask.cpu().numpy())


def lay_on_visible(heat: Tensor, color: Tensor, warp: InfraredWarp | None) -> Tensor:
    """Bring an infrared image (1, 1, h, w) onto the pixels of the visible one, (1, 3, H, W).

    What the infrared camera does not see is filled with the visible luma: the network has nothing to add
    there, so that little of the edge reaches into what both cameras see.
    """
    if warp is None:
        return resize(heat, *color.shape[-2:])
    return torch.lerp(luma(color), warp(heat), warp.weight)


def resize(image: Tensor, height: int, width: int) -> Tensor:
    """Scale (B, C, h, w); an image of that size is returned as it is."""
    if image.shape[-2:] == (height, width):
        return image
    return F.interpolate(image, (height, width), mode="bilinear", align_corners=False, antialias=True)


def to_bytes(image: Tensor) -> Tensor:
    """[0, 1] to uint8 levels."""
    return (image * 255.0).round().byte()


def check_pair(
    visible: npt.NDArray[np.generic], infrared: npt.NDArray[np.generic], any_size: bool = False
) -> None:
    """Raise ValueError, saying what was expected and what came, unless the arrays are a pair to fuse.

    Args:
        visible: to be (H, W, 3) uint8.
        infrared: to be (h, w) uint8 or uint16, of the same aspect ratio within 1 %.
        any_size: the infrared may have any size.
    """
    if visible.ndim != 3 or visible.shape[2] != 3 or visible.dtype != np.uint8:
        raise ValueError(
            f"expected a visible image of shape (H, W, 3) and uint8, got {visible.shape} and {visible.dtype}"
        )
    if infrared.ndim != 2 or infrared.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"expected an infrared image of shape (H, W) and uint8 or uint16, got {infrared.shape} and "
            f"{infrared.dtype}"
        )
    if min(*visible.shape[:2], *infrared.shape) < MINIMUM_SIZE:
        smaller = visible if min(visible.shape[:2]) < MINIMUM_SIZE else infrared
        raise ValueError(
            f"expected at least {MINIMUM_SIZE} x {MINIMUM_SIZE} pixels, got {smaller.shape[0]} x "
            f"{smaller.shape[1]}"
        )
    if not any_size and not same_aspect(visible.shape[1::-1], infrared.shape[::-1]):
        raise ValueError(
            f"the visible image is {visible.shape[0]} x {visible.shape[1]} and the infrared image "
            f"{infrared.shape[0]} x {infrared.shape[1]} (height x width), of another aspect ratio: find "
            "their registration with psfusion calibrate"
        )
