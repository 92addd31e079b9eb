"""The paper's loss terms against independent NumPy and SciPy computations of their equations."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy import ndimage

from psfusion_core.models.fusion_output import FusionOutput
from psfusion_core.training.data.scene_planes import Batch
from psfusion_core.training.losses.paper import (
    local_variance,
    magnitude_gradient_loss,
    paper_terms,
    second_order_reconstruction_loss,
    window_intensity_loss,
)

RNG = np.random.default_rng(11)
SHAPE = (2, 1, 20, 26)
FUSED, VISIBLE, INFRARED = (RNG.random(SHAPE) for _ in range(3))
SALIENT = np.zeros(SHAPE)
SALIENT[0, 0, 2:9, 15:] = 1 / 255  # a grey mask, touching the border
SALIENT[1, 0, 12:, :4] = 0.8
NOTHING = np.zeros(SHAPE)
REACH = 4


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(array)).float()


def sobel_magnitudes(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return tuple(np.abs([ndimage.sobel(im[0], axis, mode="nearest") for im in images]) for axis in (1, 0))


def windows(image: np.ndarray):
    """Each pixel with its 9x9 window, cut off at the border, and the Gaussian weights of what remains."""
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    for row, column in np.ndindex(image.shape):
        near = (abs(y - row) <= REACH) & (abs(x - column) <= REACH)
        weights = np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * 1.5**2))[near]
        yield row, column, image[near], weights


def variance_map(image: np.ndarray) -> np.ndarray:
    variance = np.empty_like(image)
    for row, column, values, weights in windows(image):
        mean = np.average(values, weights=weights)
        variance[row, column] = np.average((values - mean) ** 2, weights=weights)
    return variance


def window_means(image: np.ndarray) -> np.ndarray:
    means = np.empty_like(image)
    for row, column, values, _ in windows(image):
        means[row, column] = values.mean()
    return means


def test_gradient_loss_compares_raw_sobel_magnitudes_and_adds_both_axes() -> None:
    per_axis = zip(*(sobel_magnitudes(images) for images in (FUSED, VISIBLE, INFRARED)), strict=True)
    expected = sum(np.abs(np.maximum(v, i) - f).mean() for f, v, i in per_axis)
    actual = magnitude_gradient_loss(tensor(FUSED), tensor(VISIBLE), tensor(INFRARED))
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_gradient_loss_leaves_the_sign_of_an_edge_open() -> None:
    visible = tensor(VISIBLE)
    assert magnitude_gradient_loss(1 - visible, visible, 0.5 * visible) < 1e-5


def test_a_window_ends_at_the_border_of_the_image() -> None:
    expected = np.stack([variance_map(image[0]) for image in VISIBLE])
    np.testing.assert_allclose(local_variance(tensor(VISIBLE))[:, 0], expected, atol=1e-6)


@pytest.mark.parametrize("salient", [NOTHING, SALIENT], ids=["no mask", "mask"])
def test_intensity_loss_follows_the_more_varied_source_and_infrared_on_salient_objects(
    salient: np.ndarray,
) -> None:
    losses, picks = [], []
    for f, v, i, mask in zip(FUSED[:, 0], VISIBLE[:, 0], INFRARED[:, 0], salient[:, 0], strict=True):
        pick = (variance_map(i) > variance_map(v)) | (mask > 0)
        losses.append(np.where(pick, window_means((f - i) ** 2), window_means((f - v) ** 2)))
        picks.append(pick)
    assert 0.2 < np.mean(picks) < 0.8
    actual = window_intensity_loss(*map(tensor, (FUSED, VISIBLE, INFRARED, salient)))
    np.testing.assert_allclose(actual, np.mean(losses), rtol=1e-5)


def test_any_mask_above_zero_makes_its_pixels_follow_infrared() -> None:
    faint = np.full(SHAPE, 1 / 255)
    visible, infrared = tensor(VISIBLE), tensor(INFRARED * 0.1)
    assert window_intensity_loss(infrared, visible, infrared, tensor(faint)) == 0.0
    assert window_intensity_loss(visible, visible, infrared, tensor(NOTHING)) == 0.0


@pytest.mark.parametrize("level", [0.0, 0.3, 0.7, 1.0])
def test_equally_flat_sources_leave_the_visible_brightness(level: float) -> None:
    visible, infrared = torch.full(SHAPE, level), torch.full(SHAPE, 0.55)
    assert window_intensity_loss(visible, visible, infrared, tensor(NOTHING)) == 0.0


def second_order(images: np.ndarray) -> np.ndarray:
    smooth, first, second = np.array([1, 4, 6, 4, 1]), np.array([-1, -2, 0, 2, 1]), np.array([1, 0, -2, 0, 1])
    kernels = [np.outer(smooth, second) / 64, np.outer(first, first) / 36, np.outer(second, smooth) / 64]
    return sum(np.abs([ndimage.correlate(im[0], k, mode="nearest") for im in images]) for k in kernels)


def test_reconstruction_loss_weighs_intensity_and_second_order_magnitude_alike() -> None:
    texture = np.abs(second_order(FUSED) - second_order(VISIBLE)).mean()
    expected = 5 * np.abs(FUSED - VISIBLE).mean() + 5 * texture
    actual = second_order_reconstruction_loss(tensor(FUSED), tensor(VISIBLE))
    np.testing.assert_allclose(actual, expected, rtol=1e-5)


def test_a_constant_error_of_the_reconstruction_costs_five_times_its_size() -> None:
    reference = tensor(VISIBLE)
    torch.testing.assert_close(
        second_order_reconstruction_loss(reference + 0.1, reference), torch.tensor(0.5), rtol=1e-4, atol=1e-4
    )


def test_an_image_equal_to_both_sources_has_no_loss() -> None:
    image = tensor(VISIBLE)
    assert magnitude_gradient_loss(image, image, image) == 0.0
    assert window_intensity_loss(image, image, image, tensor(SALIENT)) == 0.0
    assert second_order_reconstruction_loss(image, image) == 0.0


LOSSES: dict[str, Callable[[torch.Tensor, torch.Tensor, torch.Tensor], torch.Tensor]] = {
    "gradient": magnitude_gradient_loss,
    "intensity": lambda f, v, i: window_intensity_loss(f, v, i, tensor(SALIENT)),
    "reconstruction": lambda f, v, _: second_order_reconstruction_loss(f, v),
}


@pytest.mark.parametrize("name", LOSSES)
def test_a_step_down_the_gradient_lowers_the_loss(name: str) -> None:
    fused, visible, infrared = tensor(FUSED).requires_grad_(), tensor(VISIBLE), tensor(INFRARED)
    loss = LOSSES[name](fused, visible, infrared)
    loss.backward()
    assert torch.isfinite(fused.grad).all()
    assert LOSSES[name](fused - 0.01 * fused.grad / fused.grad.norm(), visible, infrared) < loss


@pytest.mark.parametrize("name", LOSSES)
def test_flat_images_have_finite_gradients(name: str) -> None:
    fused = torch.full(SHAPE, 0.5, requires_grad=True)
    LOSSES[name](fused, torch.zeros(SHAPE), torch.ones(SHAPE)).backward()
    assert torch.isfinite(fused.grad).all()


@pytest.fixture
def output() -> FusionOutput:
    rng = np.random.default_rng(1)
    logits = [tensor(rng.normal(0, 2, (2, channels, *SHAPE[2:]))) for channels in (9, 2, 2)]
    fused = tensor(0.5 * INFRARED + 0.5 * rng.random(SHAPE))  # correlated, or that term is at its bound
    return FusionOutput(*logits, fused, *(tensor(rng.random(SHAPE)) for _ in range(2)))


@pytest.fixture
def batch() -> Batch:
    rng = np.random.default_rng(2)
    size = (2, *SHAPE[2:])
    label = np.where(rng.random(size) < 0.1, 255, rng.integers(0, 9, size))
    label[:, :8] = 0
    return Batch(
        visible=tensor(rng.random((2, 3, *SHAPE[2:]))),
        infrared=tensor(0.65 * INFRARED),  # about as varied as the luma of three random colours
        label=torch.from_numpy(label),
        weight=tensor(rng.integers(0, 3, size)),
        salient=tensor(SALIENT),
    )


ON_LABELS = {"semantic", "binary", "boundary"}
ON_FUSED = {"correlation", "gradient", "intensity"}
DEPENDENCIES = {
    "output.semantic": {"semantic"},
    "output.binary": {"binary"},
    "output.boundary": {"boundary"},
    "output.fused": ON_FUSED,
    "output.visible": {"reconstruction"},
    "output.infrared": {"reconstruction"},
    "batch.visible": {*ON_FUSED, "reconstruction"},
    "batch.infrared": {*ON_FUSED, "reconstruction"},
    "batch.label": ON_LABELS,
    "batch.weight": ON_LABELS,
    "batch.salient": {"intensity"},
}


@pytest.mark.parametrize("changed", DEPENDENCIES)
def test_each_term_depends_on_its_own_inputs_only(output: FusionOutput, batch: Batch, changed: str) -> None:
    before = paper_terms(output, batch)
    side, name = changed.split(".")
    part = getattr(output if side == "output" else batch, name).flip(-1)
    if side == "output":
        after = paper_terms(output._replace(**{name: part}), batch)
    else:
        after = paper_terms(output, batch._replace(**{name: part}))
    assert {term for term in before if not torch.isclose(before[term], after[term])} == DEPENDENCIES[changed]


def test_reconstructions_equal_to_their_own_source_have_no_loss(output: FusionOutput, batch: Batch) -> None:
    red, green, blue = batch.visible.split(1, dim=1)
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    terms = paper_terms(output._replace(visible=luma, infrared=batch.infrared), batch)
    torch.testing.assert_close(terms["reconstruction"], torch.tensor(0.0), rtol=0, atol=1e-4)


def test_where_everything_is_salient_the_fused_image_is_to_be_infrared(
    output: FusionOutput, batch: Batch
) -> None:
    salient = batch._replace(salient=torch.ones(SHAPE))
    assert paper_terms(output._replace(fused=batch.infrared), salient)["intensity"] == 0.0


def test_objects_weigh_more_than_background_in_the_binary_term_alone(
    output: FusionOutput, batch: Batch
) -> None:
    undecided = output._replace(
        binary=torch.zeros_like(output.binary), boundary=torch.zeros_like(output.boundary)
    )
    objects = batch._replace(label=torch.full_like(batch.label, 2))
    objects = objects._replace(weight=torch.ones_like(batch.weight))
    terms = paper_terms(undecided, objects)
    np.testing.assert_allclose(terms["binary"], np.log(2) * (1 + 19.8962) / 2, rtol=1e-5)
    np.testing.assert_allclose(terms["boundary"], np.log(2), rtol=1e-5)


def test_one_class_everywhere_is_object_without_a_boundary(output: FusionOutput, batch: Batch) -> None:
    second_map = torch.tensor([-20.0, 20.0]).view(1, 2, 1, 1).expand_as(output.binary)
    sure = output._replace(binary=second_map, boundary=-second_map)
    terms = paper_terms(sure, batch._replace(label=torch.full_like(batch.label, 2)))
    assert terms["binary"] < 1e-6
    assert terms["boundary"] < 1e-6


def test_the_network_learns_from_every_term(output: FusionOutput, batch: Batch) -> None:
    output = FusionOutput(*(part.requires_grad_() for part in output))
    sum(paper_terms(output, batch).values()).backward()
    for part in output:
        assert torch.isfinite(part.grad).all()
        assert part.grad.any()
