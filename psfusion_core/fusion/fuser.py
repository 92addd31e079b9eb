"""`Fuser` fuses a pair of images: arrays or frames in; fused image, class mask and overlay out."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from psfusion_core.cameras.encodings import check_frame
from psfusion_core.cameras.frame import Frame, FrameError
from psfusion_core.cameras.image_limits import MINIMUM_SIDE
from psfusion_core.cameras.thermal_gain import GreyScale, ThermalGain
from psfusion_core.cameras.unpack import grey_levels, intensity, visible_image
from psfusion_core.cameras.upload import upload
from psfusion_core.engines.engine import Engine
from psfusion_core.engines.engine_choice import ENGINES, FILE_ENGINES, choose_engine
from psfusion_core.engines.memory import trim_heap
from psfusion_core.fusion.compose import compose, download, to_bytes
from psfusion_core.fusion.input_checks import check_infrared, check_sizes, check_visible
from psfusion_core.fusion.pictures import Pictures, Wanted
from psfusion_core.fusion.placement import lay_on_visible, pad, resize
from psfusion_core.models.classes import CLASS_NAMES
from psfusion_core.models.networks import class_names, create_model
from psfusion_core.registration.infrared_warp import InfraredWarp
from psfusion_core.registration.pixel_map import Registration, Size


class FusionResult(NamedTuple):
    """One fused pair.

    Attributes:
        image: (H, W, 3) uint8 RGB, the fused luma with the chroma of the visible image.
        mask: (H, W) uint8, the class index of each pixel (see :mod:`psfusion_core.models.classes`).
    """

    image: npt.NDArray[np.uint8]
    mask: npt.NDArray[np.uint8]


class Fuser:
    """Fuses pairs of any size from 32 x 32, with the device and precision that suit the machine.

    >>> fuser = Fuser()
    >>> image, mask = fuser(visible, infrared)

    The constructor runs the network once (at 640 x 480 on a GPU, which chooses kernels by size), so that the
    first call is as fast as later ones.

    Args:
        model: ``"psfusion_lite"`` or ``"psfusion"``.
        weights: ``"default"`` (the shipped weights), the path of a checkpoint, or an ONNX file from
            ``psfusion export``, which also contains the network (``model`` is ignored).
        device: ``"auto"`` (the GPU if there is one), ``"cpu"``, ``"cuda"`` or ``"cuda:N"``.
        engine: ``"auto"`` or a name (see ``choose_engine`` and ``ENGINES`` in
            :mod:`psfusion_core.engines.engine_choice`); an ONNX file runs in ``"onnxruntime"`` or
            ``"tensorrt"``.
        precision: ``"auto"`` (fp16 on a GPU, fp32 on the CPU), ``"fp32"``, ``"fp16"`` or ``"bf16"``.
        registration: How the infrared image lies on the visible one; None if both cameras have the same
            field of view.

    Attributes:
        class_names: Class names, indexed by mask value.
        description: Network, engine, precision and device in one line.
        engine: The engine that runs the network.
        registration: As above; may be set at any time.

    Raises:
        ValueError: A name is unknown, the device does not exist, or the checkpoint does not fit.
        FileNotFoundError: No weights ship for this network.
        ImportError: The library of an engine is missing; the message says what to install.
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
        is_file = Path(weights).suffix == ".onnx"
        names = ["auto", *(FILE_ENGINES if is_file else ENGINES)]
        if engine not in names:
            known = ", ".join(names)
            raise ValueError(f"expected engine {known} for weights {weights}, got {engine!r}: choose one")
        if is_file:
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
        """The device that runs the network."""
        return self.engine.device

    def warm_up(self, height: int, width: int) -> None:
        """Run once at this size, so that the first pair of this size is as fast as later ones."""
        self(np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8))

    def __call__(
        self, visible: npt.NDArray[np.uint8], infrared: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]
    ) -> FusionResult:
        """Fuse one pair.

        Without a registration, both images must show the same scene with the same aspect ratio; the infrared
        image is scaled to the visible one. With a registration, the infrared image may have any size that the
        registration supports; outside the infrared field of view, the result is the visible image.

        Args:
            visible: (H, W, 3) uint8 RGB, H and W at least 32.
            infrared: (h, w) uint8, or uint16 counts, which are stretched to 8 bits by their own 1st and
                99th percentile (:func:`psfusion_core.cameras.thermal_gain.stretch`). Hot is bright.

        Returns:
            Image and mask with the H and W of the visible image. The pair is padded for the network and the
            result is cropped; the visible image is never rescaled.

        Raises:
            ValueError: A shape or dtype differs from these, or the registration does not support the sizes.
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
        """Fuse one pair as the cameras sent it; the pixels are converted on the device that runs the network.

        Args:
            visible: A frame of any encoding in :data:`psfusion_core.cameras.encodings.PIXEL_FORMATS`.
            infrared: A frame, as for `visible`.
            scale: How intensities become grey levels, from
                :meth:`psfusion_core.cameras.thermal_gain.ThermalGain.follow`.
            wanted: The pictures to compute; others take no time.

        Returns:
            The wanted pictures, with the H and W of the visible image.

        Raises:
            FrameError: The sizes do not fit, as in `__call__`, or an image does not fit its encoding. Other
                errors are those of the engine.
        """
        check_frame(visible)
        check_frame(infrared)
        visible_size, infrared_size = _size(visible), _size(infrared)
        check_sizes(visible_size, infrared_size, self.registration is not None)
        visible_rgb = visible_image(upload(visible.image, self.device), visible.encoding)
        warp = self._find_warp(visible_size, infrared_size)
        infrared_grey = lay_on_visible(self._levels(infrared, scale), visible_rgb, warp)
        fused, logits = self.engine(*pad(visible_rgb, infrared_grey))
        return download(compose(wanted, visible_rgb, fused, logits, warp))

    def release(self) -> None:
        """Free the memory that the engine keeps for each size; the next pair of a size allocates it again."""
        self.engine.release()

    def register(
        self, infrared: npt.NDArray[np.uint8] | npt.NDArray[np.uint16], visible_size: Size
    ) -> npt.NDArray[np.uint8]:
        """Lay an infrared image onto the visible one, as `__call__` does before it fuses.

        Args:
            infrared: (h, w) uint8 or uint16, as for `__call__`.
            visible_size: Width and height of the visible image.

        Returns:
            (H, W) uint8 on the pixels of the visible image; 0 outside the infrared field of view.

        Raises:
            ValueError: As for `__call__`.
        """
        check_infrared(infrared)
        frame, scale = _infrared_frame(infrared)
        check_sizes(visible_size, _size(frame), self.registration is not None)
        warp = self._find_warp(visible_size, _size(frame))
        grey = self._levels(frame, scale)
        width, height = visible_size
        placed = resize(grey, height, width) if warp is None else warp(grey) * warp.coverage
        return to_bytes(placed[0, 0]).cpu().numpy()

    def _levels(self, infrared: Frame, scale: GreyScale) -> Tensor:
        return grey_levels(intensity(upload(infrared.image, self.device), infrared.encoding), scale)

    def _find_warp(self, visible_size: Size, infrared_size: Size) -> InfraredWarp | None:
        """Return the warp of the registration for these sizes; it is recreated only when they change."""
        if self._registration is None:
            return None
        if self._warp is None or self._warp[:2] != (visible_size, infrared_size):
            try:
                pixels = self._registration.pixel_map(visible_size, infrared_size)
            except ValueError as error:  # about the sizes of the images, or the model of a camera
                raise FrameError(str(error)) from error
            self._warp = visible_size, infrared_size, InfraredWarp(pixels, infrared_size, self.device)
        return self._warp[2]


def _size(frame: Frame) -> Size:
    return frame.image.shape[1], frame.image.shape[0]


def _frame(image: npt.NDArray[Any], encoding: str) -> Frame:
    """Wrap an array in a frame without a stamp."""
    return Frame(0, "", encoding, image)


def _infrared_frame(infrared: npt.NDArray[np.uint8] | npt.NDArray[np.uint16]) -> tuple[Frame, GreyScale]:
    """Return a frame of an infrared image, and the grey scale of its own range."""
    encoding = "mono16" if infrared.dtype == np.uint16 else "mono8"
    return _frame(infrared, encoding), ThermalGain().follow(infrared)
