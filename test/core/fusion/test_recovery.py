"""Running out of memory: freed and tried again, then a fallback, then back; other errors pass unchanged."""

from __future__ import annotations

from functools import partial
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from psfusion_core import Fuser
from psfusion_core.cameras.frame import Frame
from psfusion_core.cameras.thermal_gain import GreyScale
from psfusion_core.engines.memory import is_out_of_memory
from psfusion_core.fusion.compose import overlay as paint
from psfusion_core.fusion.half_size_fuser import HalfSizeFuser
from psfusion_core.fusion.pictures import Pictures, Wanted
from psfusion_core.fusion.recovery import RecoveringFuser

VISIBLE = Frame(0, "", "rgb8", np.full((64, 96, 3), 100, np.uint8))
INFRARED = Frame(0, "", "mono8", np.full((64, 96), 50, np.uint8))
SCALE = GreyScale(0.0, 255.0)


class FakeFuser:
    """Fuses while its device has memory: `short` says for how many calls to come it has none."""

    class_names = ("a", "b")

    def __init__(self, device: str, short: dict[str, float]) -> None:
        self.device = SimpleNamespace(type=device)
        self.description = f"fake on {device}"
        self.registration: Any = None
        self.sizes: list[tuple[int, ...]] = []
        self._name = device
        self._short = short
        self.released = 0
        if short.get(f"make {device}"):
            raise torch.OutOfMemoryError("CUDA out of memory while loading")
        if short.get(f"broken {device}"):
            raise RuntimeError("CUDA error: device-side assert triggered")

    def release(self) -> None:
        self.released += 1

    def fuse_frames(self, visible: Frame, infrared: Frame, scale: GreyScale, wanted: Wanted) -> Pictures:
        self.sizes.append(visible.image.shape)
        if self._short.get(self._name, 0) > 0 and visible.image.shape[0] > 32:
            self._short[self._name] -= 1
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
        return Pictures(visible.image.copy(), infrared.image.copy(), None)


class Scene:
    """A recovering fuser of fakes, with a clock that is moved by hand."""

    def __init__(self, fallback: str, **short: float) -> None:
        self.short = dict(short)
        self.now = 100.0
        self.said: list[str] = []
        self.made: list[str] = []
        self.fuser = RecoveringFuser(
            partial(self._make, "cuda"),
            partial(self._make, "cpu"),
            fallback,
            retry_after=30.0,
            changed=self.said.append,
            clock=lambda: self.now,
        )

    def _make(self, device: str) -> FakeFuser:
        self.made.append(device)
        return FakeFuser(device, self.short)

    def fuse(self) -> Pictures:
        return self.fuser.fuse_frames(VISIBLE, INFRARED, SCALE, Wanted())


def test_memory_that_is_short_once_costs_a_second_try_and_nothing_else() -> None:
    scene = Scene("cpu", cuda=1)

    assert scene.fuse().image.shape == VISIBLE.image.shape

    assert (scene.fuser.retries, scene.fuser.fallbacks, scene.fuser.degraded) == (1, 0, "")
    assert scene.said == []


def test_memory_that_stays_short_moves_to_the_cpu_and_later_back() -> None:
    scene = Scene("cpu", cuda=2)

    scene.fuse()
    assert scene.fuser.description == "fake on cpu"
    assert "CUDA out of memory. Tried to allocate 2 GiB" in scene.fuser.degraded
    scene.now += 29.0
    scene.fuse()
    assert scene.made == ["cuda", "cpu"]
    scene.now += 2.0
    scene.fuse()

    assert scene.fuser.description == "fake on cuda"
    assert scene.fuser.degraded == ""
    assert scene.made == ["cuda", "cpu", "cuda"]
    assert len(scene.said) == 2, "one line each way"
    assert "going on with fake on cpu" in scene.said[0]
    assert "fake on cuda again" in scene.said[1]


def test_half_size_keeps_the_size_of_the_result_and_makes_nothing_new() -> None:
    scene = Scene("half", cuda=2)

    result = scene.fuse()

    assert result.image.shape == VISIBLE.image.shape
    assert result.mask.shape == INFRARED.image.shape
    assert "half size" in scene.fuser.description
    scene.now += 31.0
    scene.fuse()
    assert scene.fuser.description == "fake on cuda"
    assert scene.made == ["cuda"]


def test_without_a_fallback_the_error_is_the_callers() -> None:
    scene = Scene("none", cuda=2)

    with pytest.raises(torch.OutOfMemoryError):
        scene.fuse()
    assert scene.fuse().image.shape == VISIBLE.image.shape, "the next pair may fit again"


def test_memory_that_is_short_for_loading_starts_on_the_cpu() -> None:
    short = {"make cuda": 1}
    scene = Scene("cpu", **short)

    assert scene.fuser.description == "fake on cpu"
    assert scene.fuser.class_names == ("a", "b")
    scene.now += 31.0
    scene.fuse()
    assert scene.fuser.description == "fake on cpu", "still no memory"
    scene.short.clear()
    scene.now += 61.0
    scene.fuse()
    assert scene.fuser.description == "fake on cuda"

    with pytest.raises(torch.OutOfMemoryError):
        Scene("none", **short)


def test_a_device_that_cannot_be_returned_to_leaves_the_fallback_at_work() -> None:
    scene = Scene("cpu", cuda=2)
    scene.fuse()
    scene.short["broken cuda"] = 1

    scene.now += 31.0
    assert scene.fuse().image is not None
    assert scene.fuse().image is not None

    assert scene.fuser.description == "fake on cpu"
    assert scene.made == ["cuda", "cpu", "cuda"], "the wait doubles after that failure too"
    assert "cannot return to the first fuser: RuntimeError: CUDA error" in scene.said[-1]
    scene.short.clear()
    scene.now += 61.0
    scene.fuse()
    assert scene.fuser.description == "fake on cuda"


def test_what_is_kept_for_the_full_size_is_released_before_half_size_begins() -> None:
    scene = Scene("half", cuda=2)
    first = scene.fuser._fuser

    scene.fuse()

    assert isinstance(scene.fuser._fuser, HalfSizeFuser)
    assert first.released == 2, "before the second try, and before the fallback"  # type: ignore[attr-defined]


def test_a_fallback_that_cannot_be_made_is_an_error_with_both_reasons_and_costs_one_pair() -> None:
    scene = Scene("cpu", **{"cuda": 2, "broken cpu": 1})

    with pytest.raises(RuntimeError, match=r"CUDA out of memory.*fallback cannot be made.*device-side"):
        scene.fuse()

    assert (scene.fuser.fallbacks, scene.fuser.degraded) == (0, "")
    assert scene.fuse().image.shape == VISIBLE.image.shape


def test_each_failure_soon_after_a_return_doubles_the_wait() -> None:
    scene = Scene("cpu", cuda=1_000_000)
    tries = []
    for _ in range(160):
        before = len(scene.made)
        scene.fuse()
        if "cuda" in scene.made[before:]:
            tries.append(scene.now)
        scene.now += 10.0

    waits = np.diff([100.0, *tries])
    assert list(waits[:4]) == [30.0, 60.0, 120.0, 240.0]
    assert waits.max() == 600.0


def test_other_errors_pass_unchanged_and_untried() -> None:
    scene = Scene("cpu")

    def broken(*_: object) -> None:
        raise ValueError("sizes differ")

    scene.fuser._fuser = SimpleNamespace(fuse_frames=broken)  # type: ignore[assignment]
    with pytest.raises(ValueError, match="sizes differ"):
        scene.fuse()
    assert scene.fuser.retries == 0


def test_the_registration_goes_with_whatever_fuses() -> None:
    scene = Scene("cpu", cuda=2)
    registration = object()
    scene.fuser.registration = registration

    scene.fuse()

    assert scene.fuser.description == "fake on cpu"
    assert scene.fuser._fuser.registration is registration


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (torch.OutOfMemoryError("CUDA out of memory"), True),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"), True),
        (RuntimeError("[enforce fail] DefaultCPUAllocator: can't allocate memory"), True),
        (RuntimeError("TensorRT has no memory to run lite.onnx: see its message above"), True),
        (RuntimeError("[ONNXRuntimeError] : 6 : Exception during initialization: std::bad_alloc"), True),
        (cv2.error("OpenCV(4.11.0) alloc.cpp:73: error: (-4:Insufficient memory) Failed to allocate"), True),
        (MemoryError(), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), False),
        (ValueError("out of memory"), False),
    ],
)
def test_running_out_of_memory_is_told_from_other_errors(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) == expected


def test_an_unknown_fallback_is_refused() -> None:
    with pytest.raises(ValueError, match="none, half, cpu"):
        Scene("gpu")


@pytest.fixture(scope="module")
def real(exported_network: None) -> Fuser:
    return Fuser()


@settings(max_examples=10)
@given(st.integers(64, 150), st.integers(64, 150))
def test_half_size_of_the_real_network_fits_any_size(real: Fuser, height: int, width: int) -> None:
    generator = np.random.default_rng(height * width)
    mosaic = Frame(0, "", "bayer_rggb8", generator.integers(0, 256, (height, width), np.uint8))
    counts = Frame(0, "", "mono16", generator.integers(7000, 9000, (height, width), np.uint16))

    image, mask, overlay = HalfSizeFuser(real).fuse_frames(
        mosaic, counts, GreyScale(7000.0, 9000.0), Wanted(overlay_opacity=0.5)
    )

    assert image.shape == overlay.shape == (height, width, 3)
    assert mask.shape == (height, width)
    assert mask.max() < len(real.class_names)
    np.testing.assert_array_equal(overlay, paint(image, mask, 0.5))


def test_half_size_leaves_a_small_infrared_image_as_it_is(real: Fuser) -> None:
    lepton = Frame(0, "", "mono16", np.full((60, 80), 8000, np.uint16))
    color = Frame(0, "", "rgb8", np.zeros((120, 160, 3), np.uint8))

    pictures = HalfSizeFuser(real).fuse_frames(color, lepton, GreyScale(7000.0, 9000.0), Wanted())

    assert pictures.image is not None
    assert pictures.image.shape == (120, 160, 3)


def test_half_size_makes_only_the_pictures_that_are_wanted(real: Fuser) -> None:
    pictures = HalfSizeFuser(real).fuse_frames(VISIBLE, INFRARED, SCALE, Wanted(image=False))

    assert [picture is not None for picture in pictures] == [False, True, False]
