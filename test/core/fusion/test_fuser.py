"""``Fuser``: any size in, the same size out; clear refusals; the arithmetic the paper states."""

from __future__ import annotations

import sys

import numpy as np
import pytest
import torch

from psfusion_core import Fuser
from psfusion_core.cameras.encodings import PIXEL_FORMATS
from psfusion_core.cameras.frame import Frame, FrameError
from psfusion_core.cameras.opencv_conversion import to_visible
from psfusion_core.cameras.thermal_gain import GreyScale
from psfusion_core.engines.torch_engine import TorchEngine
from psfusion_core.fusion.compose import overlay as paint
from psfusion_core.fusion.pictures import Wanted
from psfusion_core.models.networks import MODELS, create_model


@pytest.fixture(scope="module")
def fuser(exported_network: None) -> Fuser:
    return Fuser(device="cpu")


def scene(height: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    rows, columns = np.mgrid[:height, :width]
    visible = (
        90 + 60 * np.sin(columns / 9)[..., None] + 30 * np.cos(rows / 7)[..., None] + rng.normal(0, 5, 3)
    )
    infrared = 40 + 150 * ((rows - height / 2) ** 2 + (columns - width / 2) ** 2 < (height / 5) ** 2)
    return visible.clip(0, 255).astype(np.uint8), infrared.astype(np.uint8)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (299, 401), (64, 96), (33, 130)])
def test_result_has_the_size_of_the_pair_whatever_it_is(fuser: Fuser, height: int, width: int) -> None:
    image, mask = fuser(*scene(height, width))
    assert image.shape == (height, width, 3)
    assert image.dtype == np.uint8
    assert mask.shape == (height, width)
    assert mask.dtype == np.uint8
    assert mask.max() < 9


def test_padding_is_cropped_from_the_far_sides_and_nothing_is_rescaled(fuser: Fuser) -> None:
    visible, infrared = scene(96, 128)
    odd = fuser(visible[:65, :97], infrared[:65, :97])
    padded_visible = np.pad(visible[:65, :97], ((0, 31), (0, 31), (0, 0)), mode="edge")
    padded_infrared = np.pad(infrared[:65, :97], ((0, 31), (0, 31)), mode="edge")
    whole = fuser(padded_visible, padded_infrared)
    np.testing.assert_array_equal(odd.image, whole.image[:65, :97])
    np.testing.assert_array_equal(odd.mask, whole.mask[:65, :97])


def test_fused_colour_is_fused_luma_with_the_visible_chroma(fuser: Fuser) -> None:
    visible, infrared = scene(64, 96)
    image = fuser(visible, infrared).image / 255.0
    v = torch.from_numpy(visible).permute(2, 0, 1)[None].float() / 255
    t = torch.from_numpy(infrared)[None, None].float() / 255
    y = fuser.engine(v, t)[0][0, 0].numpy()
    r, g, b = (visible / 255.0).transpose(2, 0, 1)
    source_y = 0.299 * r + 0.587 * g + 0.114 * b
    cr, cb = 0.713 * (r - source_y), 0.564 * (b - source_y)
    expected = np.stack([y + 1.403 * cr, y - 0.714 * cr - 0.344 * cb, y + 1.773 * cb], axis=-1).clip(0, 1)
    np.testing.assert_allclose(image, expected, atol=0.51 / 255 + 1e-5)


def test_16_bit_infrared_with_the_same_range_fuses_like_8_bit(fuser: Fuser) -> None:
    visible, infrared = scene(64, 96)
    counts = 20000 + 20 * infrared.astype(np.uint16)
    stretched = fuser(visible, counts).image.astype(int)
    full_range = ((infrared - infrared.min()) * (255 / np.ptp(infrared))).astype(np.uint8)
    assert abs(stretched - fuser(visible, full_range).image).max() <= 2


def test_same_pair_gives_the_same_bytes_and_inputs_stay_untouched(fuser: Fuser) -> None:
    visible, infrared = scene(64, 96)
    copies = visible.copy(), infrared.copy()
    visible.flags.writeable = infrared.flags.writeable = False
    first, second = fuser(visible, infrared), fuser(visible, infrared)
    np.testing.assert_array_equal(first.image, second.image)
    np.testing.assert_array_equal(first.mask, second.mask)
    np.testing.assert_array_equal(visible, copies[0])
    np.testing.assert_array_equal(infrared, copies[1])


def test_fusing_leaves_the_arithmetic_of_the_process_as_it_was(fuser: Fuser) -> None:
    fuser(*scene(32, 32))
    assert sys.float_info.min / 2 > 0.0


def test_views_with_negative_strides_are_taken(fuser: Fuser) -> None:
    visible, infrared = scene(64, 96)
    flipped = fuser(visible[:, ::-1, ::-1], infrared[:, ::-1])
    copied = fuser(visible[:, ::-1, ::-1].copy(), infrared[:, ::-1].copy())
    np.testing.assert_array_equal(flipped.image, copied.image)


def test_warm_person_shows_in_the_dark(fuser: Fuser) -> None:
    """The point of fusion, and a check that the shipped weights are trained ones."""
    visible = np.full((96, 128, 3), 12, np.uint8)
    infrared = np.full((96, 128), 20, np.uint8)
    infrared[30:70, 60:72] = 220
    luma = fuser(visible, infrared).image.mean(axis=2)
    assert luma[35:65, 62:70].mean() > luma[:, :40].mean() + 80


@pytest.mark.parametrize(
    ("visible_shape", "infrared_shape", "message"),
    [
        ((64, 96), (64, 96), r"visible image of shape \(H, W, 3\)"),
        ((64, 96, 4), (64, 96), r"visible image of shape \(H, W, 3\)"),
        ((64, 96, 3), (64, 96, 3), r"infrared image of shape \(H, W\)"),
        ((64, 96, 3), (48, 96), "visible 96 x 64 and infrared 96 x 48: .* psfusion calibrate"),
        ((31, 96, 3), (31, 96), "visible images of at least 32 x 32 pixels, got 96 x 31"),
        ((64, 96, 3), (20, 30), "infrared images of at least 32 x 32 pixels, got 30 x 20"),
    ],
)
def test_pairs_that_do_not_fit_are_refused_with_what_came(
    fuser: Fuser, visible_shape: tuple[int, ...], infrared_shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        fuser(np.zeros(visible_shape, np.uint8), np.zeros(infrared_shape, np.uint8))


@pytest.mark.parametrize("dtype", [np.int16, np.float32])
def test_other_depths_are_refused(fuser: Fuser, dtype: type) -> None:
    with pytest.raises(ValueError, match="uint8 or uint16"):
        fuser(np.zeros((64, 64, 3), np.uint8), np.zeros((64, 64), dtype))


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        ({"model": "psfusion_heavy"}, "psfusion, psfusion_lite"),
        ({"engine": "warp"}, "expected engine auto, torch, .* got 'warp': choose one"),
        ({"precision": "int3"}, "choose auto, fp32"),
        ({"device": "cuda:99"}, "try 'auto' or 'cpu'"),
    ],
)
def test_unknown_choices_name_the_known_ones(choice: dict[str, str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Fuser(**choice)


def test_network_without_shipped_weights_says_what_to_do() -> None:
    with pytest.raises(FileNotFoundError, match="give the path of a checkpoint"):
        Fuser("psfusion")


@pytest.mark.parametrize("name", MODELS)
@torch.no_grad()
def test_engine_with_folded_batch_norms_equals_the_plain_network(name: str) -> None:
    torch.manual_seed(0)
    model = create_model(name, weights=None)
    visible, infrared = torch.rand(1, 3, 64, 96), torch.rand(1, 1, 64, 96)
    model.train()(visible.repeat(2, 1, 1, 1), infrared.repeat(2, 1, 1, 1))  # BatchNorms get statistics
    model.eval()
    engine = TorchEngine(model, "cpu", "fp32")
    fused, logits = engine(visible, infrared)
    plain = model(visible, infrared)
    torch.testing.assert_close(fused, plain.fused, atol=1e-4, rtol=0)
    torch.testing.assert_close(logits, plain.semantic, atol=1e-3, rtol=1e-4)

    def batch_norms(network: torch.nn.Module) -> int:
        return sum(isinstance(m, torch.nn.BatchNorm2d) for m in network.modules())

    left = {
        "psfusion_lite": 0,
        "psfusion": 5,
    }  # psfusion: 2 level-2 and 3 SIM norms follow no convolution
    assert batch_norms(engine.network) == left[name] < batch_norms(model)


@pytest.mark.parametrize("encoding", ["rgb8", "bgra8", "bayer_gbrg8", "yuv422", "mono16"])
def test_what_cameras_send_fuses_as_the_images_that_it_stands_for(fuser: Fuser, encoding: str) -> None:
    pixel = PIXEL_FORMATS[encoding]
    shape = (64, 96) if pixel.channels == 1 else (64, 96, pixel.channels)
    random = np.random.default_rng(5)
    sent = Frame(
        1, "camera", encoding, random.integers(0, np.iinfo(pixel.dtype).max, shape).astype(pixel.dtype)
    )
    counts = Frame(1, "thermal", "mono16", random.integers(7000, 9000, (64, 96)).astype(np.uint16))
    scale = GreyScale(7000.0, 9000.0, inverts=True)

    image, mask, overlay = fuser.fuse_frames(sent, counts, scale, Wanted(overlay_opacity=0.5))

    expected = fuser(to_visible(sent), scale(counts.image))
    np.testing.assert_array_equal(image, expected.image)
    np.testing.assert_array_equal(mask, expected.mask)
    assert overlay is not None
    np.testing.assert_array_equal(overlay, paint(expected.image, expected.mask, 0.5))


@pytest.mark.parametrize(
    ("encoding", "shape", "depth", "message"),
    [
        ("nv12", (64, 64), np.uint8, "expected one of the encodings mono8"),
        ("mono8", (64, 64, 3), np.uint8, "expected uint8 of 1 channels for mono8"),
        ("rgb8", (64, 64, 3), np.uint16, "expected uint8 of 3 channels for rgb8"),
        ("yuv422", (64, 65, 2), np.uint8, "expected an even width for yuv422, got 65"),
    ],
)
def test_frames_whose_image_is_none_of_their_encoding_are_refused(
    fuser: Fuser, encoding: str, shape: tuple[int, ...], depth: type, message: str
) -> None:
    good = Frame(0, "", "mono8", np.zeros((64, 64), np.uint8))
    bad = Frame(0, "", encoding, np.zeros(shape, depth))

    for pair in ((bad, good), (good, bad)):
        with pytest.raises(FrameError, match=message):
            fuser.fuse_frames(*pair, GreyScale(0.0, 255.0))


@pytest.mark.parametrize("infrared", [np.zeros((64, 64), np.float32), np.zeros((64, 64, 3), np.uint8)])
def test_what_is_no_infrared_image_is_not_registered(fuser: Fuser, infrared: np.ndarray) -> None:
    with pytest.raises(ValueError, match="expected an infrared image of shape"):
        fuser.register(infrared, (64, 64))
