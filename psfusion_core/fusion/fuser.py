"""``Fuser``: arrays in, fused image and label map out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from psfusion_core.cameras.encodings import check_frame
from psfusion_core.cameras.frame import Frame
from psfusion_core.cameras.image_limits import MINIMUM_SIDE
from psfusion_core.cameras.thermal_gain import GreyScale, ThermalGain
from psfusion_core.cameras.unpack import grey_levels, intensity, visible_image
from psfusion_core.cameras.upload import upload
from psfusion_core.engines.engine import Engine
from psfusion_core.engines.engine_choice import ENGINES, FILE_ENGINES, choose_engine
from psfusion_core.engines.memory import trim_heap
from psfusion_core.fusion.compose import compose, download, to_bytes
from psfusion_core.fusion.pictures import Pictures, Wanted
from psfusion_core.fusion.placement import lay_on_visible, pad, resize
from psfusion_core.models.classes import CLASS_NAMES
from psfusion_core.models.networks import class_names, create_model
from psfusion_core.registration.infrared_warp import InfraredWarp
from psfusion_core.registration.pixel_map import Registration, Size, same_aspect


class FusionResult(NamedTuple):
    """One fused pair.

    Attributes:
        image: (H, W, 3) uint8 RGB, fused luma with the chroma of the visible image.
        mask: (H, W) uint8 class index of each pixel (see :mod:`psfusion_core.models.classes`).
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
        engine: ``"auto"`` or a name (see ``choose_engine`` and ``ENGINES`` in
            :mod:`psfusion_core.engines.engine_choice`); an ONNX file runs in ``"onnxruntime"`` or
            ``"tensorrt"``.
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
        usual = (480, 640) if self.engine.device.type == "cuda" else (MINIMUM_SIDE, MINIMUM_SIDE)
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
                99th percentile (:func:`psfusion_core.cameras.thermal_gain.stretch`). Hot is bright.

        Returns:
            Image and mask of the H and W of the visible image: the pair is padded for the network and cropped
            back, the visible image is never rescaled.

        Raises:
            ValueError: shapes or dtypes other than these, or sizes that the registration was not made for.
        """
        check_visible(visible)
        check_infrared(infrared)
        image, mask, _ = self.fuse_frames(_frame(visible, "rgb8"), *_infrared_frame(infrared))
        assert image is not None
        assert mask is not None
        return FusionResult(image, mask)

    def fuse_frames(
        self, visible: Frame, infrared: Frame, scale: GreyScale, wanted: Wanted = Wanted()
    ) -> Pictures:
        """Fuse one pair as the cameras sent it: their bytes are converted where the network runs.

        Args:
            visible: of any encoding in :data:`psfusion_core.cameras.encodings.PIXEL_FORMATS`.
            infrared: likewise.
            scale: how the infrared becomes grey levels, from
                :meth:`psfusion_core.cameras.thermal_gain.ThermalGain.follow`.
            wanted: the pictures to make; others take no time.

        Returns:
            Those pictures, of the H and W of the visible image.

        Raises:
            ValueError: sizes as in a call; a FrameError, where an image is none of its encoding.
        """
        check_frame(visible)
        check_frame(infrared)
        visible_size, infrared_size = _size(visible), _size(infrared)
        check_sizes(visible_size, infrared_size, self.registration is not None)
        color = visible_image(upload(visible.image, self.device), visible.encoding)
        warp = self._find_warp(visible_size, infrared_size)
        heat = lay_on_visible(self._levels(infrared, scale), color, warp)
        fused, logits = self.engine(*pad(color, heat))
        return download(compose(wanted, color, fused, logits, warp))

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
        check_infrared(infrared)
        frame, scale = _infrared_frame(infrared)
        check_sizes(visible_size, _size(frame), self.registration is not None)
        warp = self._find_warp(visible_size, _size(frame))
        heat = self._levels(frame, scale)
        width, height = visible_size
        placed = resize(heat, height, width) if warp is None else warp(heat) * warp.coverage
        return to_bytes(placed[0, 0]).cpu().numpy()

    def _levels(self, infrared: Frame, scale: GreyScale) -> Tensor:
        return grey_levels(intensity(upload(infrared.image, self.device), infrared.encoding), scale)

    def _find_warp(self, visible_size: Size, infrared_size: Size) -> InfraredWarp | None:
        """Return the warp of the registration for these sizes, made anew only when they change."""
        if self._registration is None:
            return None
        if self._warp is None or self._warp[:2] != (visible_size, infrared_size):
            pixels = self._registration.pixel_map(visible_size, infrared_size)
            self._warp = visible_size, infrared_size, InfraredWarp(pixels, infrared_size, self.device)
        return self._warp[2]


def check_visible(visible: npt.NDArray[np.generic]) -> None:
    """Raise ValueError, saying what was expected and what came, unless an array is (H, W, 3) uint8."""
    if visible.ndim != 3 or visible.shape[2] != 3 or visible.dtype != np.uint8:
        raise ValueError(
            f"expected a visible image of shape (H, W, 3) and uint8, got {visible.shape} and {visible.dtype}"
        )


def check_infrared(infrared: npt.NDArray[np.generic]) -> None:
    """Raise ValueError, saying what was expected and what came, unless an array is (h, w) uint8 or uint16."""
    if infrared.ndim != 2 or infrared.dtype not in (np.uint8, np.uint16):
        raise ValueError(
            f"expected an infrared image of shape (H, W) and uint8 or uint16, got {infrared.shape} and "
            f"{infrared.dtype}"
        )


def check_sizes(visible: Size, infrared: Size, any_size: bool) -> None:
    """Raise ValueError, saying what was expected and what came, unless images of two sizes can be fused.

    Args:
        visible, infrared: width and height, pixels; to be of the same aspect ratio within 1 %.
        any_size: the infrared may have any size.
    """
    if min(*visible, *infrared) < MINIMUM_SIDE:
        width, height = visible if min(visible) < MINIMUM_SIDE else infrared
        raise ValueError(f"expected at least {MINIMUM_SIDE} x {MINIMUM_SIDE} pixels, got {height} x {width}")
    if not any_size and not same_aspect(visible, infrared):
        raise ValueError(
            f"the visible image is {visible[1]} x {visible[0]} and the infrared image "
            f"{infrared[1]} x {infrared[0]} (height x width), of another aspect ratio: find "
            "their registration with psfusion calibrate"
        )


def _size(frame: Frame) -> Size:
    return frame.image.shape[1], frame.image.shape[0]


def _frame(image: npt.NDArray[Any], encoding: str) -> Frame:
    """An image that no camera sent."""
    return Frame(0, "", encoding, image)


def _infrared_frame(infrared: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> tuple[Frame, GreyScale]:
    """An infrared image with the grey levels of its own range."""
    encoding = "mono16" if infrared.dtype == np.uint16 else "mono8"
    return _frame(infrared, encoding), ThermalGain().follow(infrared)
