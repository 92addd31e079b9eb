"""Tensors of any encoding, on any device, have the values of the arrays that OpenCV converts."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from psfusion_core.cameras.encodings import PIXEL_FORMATS
from psfusion_core.cameras.frame import Frame
from psfusion_core.cameras.opencv_conversion import to_infrared, to_visible
from psfusion_core.cameras.thermal_gain import GainSettings, GreyScale, ThermalGain
from psfusion_core.cameras.unpack import grey_levels, intensity, visible_image
from psfusion_core.cameras.upload import upload
from psfusion_core.fusion.compose import compose, download
from psfusion_core.fusion.pictures import Wanted

CPU = torch.device("cpu")
SIZES = st.tuples(st.integers(32, 49), st.integers(32, 49))


def frame(encoding: str, height: int, width: int, seed: int) -> Frame:
    """Noise, with every value at every place now and then."""
    pixel = PIXEL_FORMATS[encoding]
    width += width % 2 if pixel.even_width else 0
    shape = (height, width) if pixel.channels == 1 else (height, width, pixel.channels)
    high = np.iinfo(pixel.dtype).max
    return Frame(
        0, "", encoding, np.random.default_rng(seed).integers(0, high, shape, pixel.dtype, endpoint=True)
    )


@pytest.mark.parametrize("encoding", PIXEL_FORMATS)
@given(size=SIZES, seed=st.integers(0, 1000))
def test_visible_images_are_those_of_opencv(encoding: str, size: tuple[int, int], seed: int) -> None:
    sent = frame(encoding, *size, seed)

    image = visible_image(upload(sent.image, CPU), encoding)

    assert image.dtype == torch.float32
    levels = (image[0] * 255.0).round().permute(1, 2, 0).numpy()
    np.testing.assert_array_equal(levels, to_visible(sent))


@pytest.mark.parametrize("encoding", PIXEL_FORMATS)
@given(size=SIZES, seed=st.integers(0, 1000))
def test_intensities_are_those_of_opencv(encoding: str, size: tuple[int, int], seed: int) -> None:
    sent = frame(encoding, *size, seed)

    intensities = intensity(upload(sent.image, CPU), encoding).numpy()

    np.testing.assert_array_equal(intensities, to_infrared(sent))


@pytest.mark.parametrize("polarity", ["white_hot", "black_hot"])
@given(seed=st.integers(0, 1000), depth=st.sampled_from([np.uint8, np.uint16]))
def test_grey_levels_are_those_of_the_gain_to_the_bit(polarity: str, seed: int, depth: type) -> None:
    random = np.random.default_rng(seed)
    low, high = sorted(random.integers(0, np.iinfo(depth).max, 2))
    image = random.integers(low, high, (32, 40), depth, endpoint=True)
    gain = ThermalGain(GainSettings(polarity=polarity, minimum_span=1.0))  # type: ignore[arg-type]
    scale = gain.follow(image)

    levels = grey_levels(intensity(upload(image, CPU), "mono16" if depth is np.uint16 else "mono8"), scale)

    assert levels.shape == (1, 1, 32, 40)
    np.testing.assert_array_equal(levels[0, 0].numpy(), scale(image).astype(np.float32) / np.float32(255.0))


def test_a_message_is_not_copied_on_the_cpu_and_never_changed() -> None:
    image = np.arange(32 * 40 * 3, dtype=np.uint8).reshape(32, 40, 3)
    before = image.copy()

    pixels = upload(image, CPU)
    visible_image(pixels, "bgr8")
    grey_levels(intensity(pixels[..., 0], "mono8"), GreyScale(20.0, 30.0, inverts=True))

    assert pixels.data_ptr() == image.ctypes.data
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize("depth", [np.uint8, np.uint16])
def test_rows_with_padding_and_reversed_or_read_only_images_are_taken(depth: type) -> None:
    image = np.random.default_rng(0).integers(0, np.iinfo(depth).max, (40, 64), depth)
    locked = image.copy()
    locked.flags.writeable = False

    for view in (image[:, :50], image[::-1, ::-1], image[::2], locked):
        expected = view.astype(np.float32)
        np.testing.assert_array_equal(intensity(upload(view, CPU), "mono16").numpy(), expected)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
@pytest.mark.parametrize("encoding", PIXEL_FORMATS)
def test_a_gpu_makes_the_same_of_every_encoding(encoding: str) -> None:
    sent = frame(encoding, 45, 38, seed=0)
    scale, logits = GreyScale(1000.0, 50_000.0, inverts=True), torch.randn(9, 64, 64)
    made = []
    for device in (CPU, torch.device("cuda")):
        pixels = upload(sent.image, device)
        color = visible_image(pixels, encoding)
        heat = grey_levels(intensity(pixels, encoding), scale)
        pictures = compose(Wanted(overlay_opacity=0.5), color, heat, logits[None].to(device), None)
        made.append([heat.cpu().numpy(), *download(pictures)])

    for on_cpu, on_gpu in zip(*made, strict=True):
        assert on_cpu is not None
        assert on_gpu is not None
        np.testing.assert_allclose(on_gpu, on_cpu, atol=1.0 if on_cpu.dtype == np.uint8 else 1e-6)
