"""Loss terms against independent NumPy computations of their equations."""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import correlate, uniform_filter

from psfusion_core.models.fusion_output import FusionOutput
from psfusion_core.training.data.scene_planes import Batch
from psfusion_core.training.losses.blend import (
    BACKGROUND_QUANTILE,
    CONTRAST_EDGE,
    CONTRAST_GAIN,
    CONTRAST_WINDOW,
    NOISE,
    OVERLAP,
    blend_target,
    blend_terms,
    gradient_loss,
    intensity_loss,
    raise_local_contrast,
    reconstruction_loss,
    thermal_contrast,
)
from psfusion_core.training.losses.luma_correlation import correlation_loss
from psfusion_core.training.losses.objective import total_loss
from psfusion_core.training.losses.semantic import (
    BINARY_POSITIVE_WEIGHTS,
    hard_example_cross_entropy,
    one_hot_cross_entropy,
)
from psfusion_core.training.training_config import LossConfig

RNG = np.random.default_rng(7)
FUSED, VISIBLE, INFRARED = (RNG.random((2, 1, 24, 32)) for _ in range(3))
SOBEL = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]) / 8.0


def tensor(array: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(array).float()


def sobel(images: np.ndarray) -> np.ndarray:
    return np.stack([[correlate(im[0], k, mode="nearest") for k in (SOBEL, SOBEL.T)] for im in images])


def test_correlation_loss_is_the_reciprocal_of_both_correlations() -> None:
    def cc(a: np.ndarray, b: np.ndarray) -> float:
        return float(np.corrcoef(a.ravel(), b.ravel())[0, 1])

    fused = 0.6 * VISIBLE + 0.4 * INFRARED
    expected = np.mean([1 / (cc(v, f) + cc(i, f)) for f, v, i in zip(fused, VISIBLE, INFRARED, strict=True)])
    actual = correlation_loss(tensor(fused), tensor(VISIBLE), tensor(INFRARED))
    np.testing.assert_allclose(actual, expected, rtol=1e-4)


def test_gradient_loss_compares_edges_with_their_sign() -> None:
    expected = np.abs(sobel(FUSED) - sobel(VISIBLE)).mean()
    np.testing.assert_allclose(gradient_loss(tensor(FUSED), tensor(VISIBLE)), expected, rtol=1e-4)
    turned = gradient_loss(tensor(1 - VISIBLE), tensor(VISIBLE))
    assert turned > gradient_loss(tensor(np.full_like(VISIBLE, 0.5)), tensor(VISIBLE))


def guided_filter(image: np.ndarray) -> np.ndarray:
    """He, Sun, Tang 2010, equations 5, 6 and 8, with the image as its own guide; borders are mirrored."""

    def box(x: np.ndarray) -> np.ndarray:
        return uniform_filter(x, CONTRAST_WINDOW, mode="mirror")

    mean = box(image)
    variance = box(image * image) - mean * mean
    slope = variance / (variance + CONTRAST_EDGE)
    return box(slope) * image + box(mean - slope * mean)


def raised(image: np.ndarray) -> np.ndarray:
    detail = image - guided_filter(image)
    return np.clip(image + CONTRAST_GAIN * detail**3 / (detail**2 + NOISE**2), 0, 1)


def test_the_blend_target_is_the_partial_screen_blend_with_contrast_raised() -> None:
    targets = []
    dim = 0.9 * INFRARED  # its median is below a half
    for v, i in zip(VISIBLE, dim, strict=True):
        background = np.quantile(i.ravel()[::4], BACKGROUND_QUANTILE)
        heat = np.clip((i - background) / max(1 - background, 0.1), 0, None)
        larger, smaller = np.maximum(v, heat), np.minimum(v, heat)
        targets.append(raised((larger + OVERLAP * smaller * (1 - larger))[0])[np.newaxis])
    actual = blend_target(tensor(VISIBLE), tensor(dim))
    np.testing.assert_allclose(actual, np.stack(targets), atol=1e-4)


def test_where_all_but_the_sky_is_warm_the_background_is_the_median() -> None:
    def background(warm: float) -> float:
        """Level that counts as 0 of an image: a fifth is cold sky, a tenth hotter than the rest."""
        image = torch.full((1, 1, 40, 40), warm)
        image[..., :8, :] = 0.05
        image[..., 36:, :] = 1.0
        contrast = float(thermal_contrast(image)[0, 0, 20, 0])
        return (warm - contrast) / (1.0 - contrast)

    np.testing.assert_allclose([background(warm) for warm in (0.45, 0.6, 0.8)], [0.05, 0.325, 0.8], atol=1e-3)


def test_raising_contrast_makes_no_halo_beside_a_strong_edge_and_amplifies_no_faint_noise() -> None:
    step = np.full((1, 1, 32, 32), 0.2)
    step[..., 16:] = 0.8
    overshoot = (raise_local_contrast(tensor(step)) - tensor(step)).abs().max()
    assert overshoot < 0.01
    faint = 0.5 + 0.003 * RNG.standard_normal((1, 1, 64, 64))
    assert raise_local_contrast(tensor(faint)).std() < 1.2 * faint.std()
    texture = 0.5 + 0.03 * RNG.standard_normal((1, 1, 64, 64))
    assert raise_local_contrast(tensor(texture)).std() > 1.25 * texture.std()


def test_intensity_loss_is_the_mean_absolute_difference() -> None:
    np.testing.assert_allclose(
        intensity_loss(tensor(FUSED), tensor(VISIBLE)), np.abs(FUSED - VISIBLE).mean(), rtol=1e-5
    )


def test_reconstruction_loss_weighs_intensity_and_edges_alike() -> None:
    edges = np.abs(sobel(FUSED) - sobel(VISIBLE)).mean()
    expected = 5 * np.abs(FUSED - VISIBLE).mean() + 5 * edges
    np.testing.assert_allclose(reconstruction_loss(tensor(FUSED), tensor(VISIBLE)), expected, rtol=1e-4)


def softmax_losses(logits: np.ndarray, label: np.ndarray) -> np.ndarray:
    log_probability = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    picked = np.take_along_axis(log_probability, np.minimum(label, 8)[:, None], axis=1)[:, 0]
    return -picked[label != 255]


def test_semantic_loss_is_the_weighted_mean_of_the_hard_pixels_and_ignores_255() -> None:
    logits = RNG.normal(0, 2, (2, 9, 16, 16))
    label = RNG.integers(0, 9, (2, 16, 16))
    label[0, :8] = 255
    weight = RNG.uniform(0.1, 3, label.shape)
    losses, weights = softmax_losses(logits, label), weight[label != 255]
    hard = losses > -np.log(0.75)
    assert len(losses) / 16 < hard.sum() < len(losses)
    np.testing.assert_allclose(
        hard_example_cross_entropy(tensor(logits), torch.from_numpy(label), tensor(weight)),
        np.mean(losses[hard] * weights[hard]),
        rtol=1e-4,
    )


def test_semantic_loss_keeps_the_hardest_sixteenth_when_all_pixels_are_easy() -> None:
    label = np.zeros((1, 16, 16), int)
    logits = np.zeros((1, 9, 16, 16))
    logits[:, 0] = RNG.uniform(8, 12, (1, 16, 16))
    weight = RNG.uniform(0.1, 3, label.shape)
    losses = softmax_losses(logits, label)
    hardest = np.argsort(losses)[-16:]
    np.testing.assert_allclose(
        hard_example_cross_entropy(tensor(logits), torch.from_numpy(label), tensor(weight)),
        np.mean(losses[hardest] * weight.ravel()[hardest]),
        rtol=1e-3,
    )


def test_pixels_of_weight_0_are_as_good_as_ignored() -> None:
    logits = tensor(RNG.normal(0, 2, (2, 9, 16, 16)))
    label = torch.from_numpy(RNG.integers(0, 9, (2, 16, 16)))
    weight = torch.ones(2, 16, 16)
    weight[:, 4:] = 0
    ignored = label.clone()
    ignored[:, 4:] = 255
    ones = torch.ones_like(weight)
    torch.testing.assert_close(
        hard_example_cross_entropy(logits, label, weight), hard_example_cross_entropy(logits, ignored, ones)
    )
    target, unknown = label.clamp(max=1), ignored.where(ignored == 255, ignored.clamp(max=1))
    torch.testing.assert_close(
        one_hot_cross_entropy(logits[:, :2], target, weight),
        one_hot_cross_entropy(logits[:, :2], unknown, ones),
    )


def test_one_hot_loss_weighs_positive_pixels_and_ignores_255() -> None:
    logits = RNG.normal(0, 2, (2, 2, 8, 8))
    target = RNG.integers(0, 2, (2, 8, 8))
    target[:, :, 5:] = 255
    trust = RNG.uniform(0.1, 3, target.shape)
    one_hot = np.stack([target == 0, target == 1], axis=1)
    weight = np.where(one_hot, np.array(BINARY_POSITIVE_WEIGHTS)[None, :, None, None], 1.0)
    losses = weight * np.logaddexp(0, np.where(one_hot, -logits, logits))
    known = np.broadcast_to((target != 255)[:, None], losses.shape)
    trusted = np.broadcast_to(trust[:, None], losses.shape)
    expected = np.mean(losses[known] * trusted[known])
    actual = one_hot_cross_entropy(
        tensor(logits), torch.from_numpy(target), tensor(trust), BINARY_POSITIVE_WEIGHTS
    )
    np.testing.assert_allclose(actual, expected, rtol=1e-4)


def test_a_batch_without_labels_gives_zero_loss_and_zero_gradient() -> None:
    logits = torch.randn(2, 9, 8, 8, requires_grad=True)
    nothing, weight = torch.full((2, 8, 8), 255), torch.ones(2, 8, 8)
    loss = hard_example_cross_entropy(logits, nothing, weight)
    loss = loss + one_hot_cross_entropy(logits[:, :2], nothing, weight)
    loss.backward()
    assert loss.item() == 0.0
    assert not logits.grad.any()


def test_the_fusion_terms_of_an_unlabelled_batch_train_the_fused_image() -> None:
    fused = tensor(FUSED).requires_grad_()
    classes, two = torch.zeros(2, 9, 24, 32), torch.zeros(2, 2, 24, 32)
    output = FusionOutput(classes, two, two, fused, tensor(VISIBLE), tensor(INFRARED))
    batch = Batch(
        visible=tensor(VISIBLE).expand(-1, 3, -1, -1),
        infrared=tensor(INFRARED),
        label=torch.full((2, 24, 32), 255),
        weight=torch.ones(2, 24, 32),
        salient=torch.zeros(2, 1, 24, 32),
    )
    terms = blend_terms(output, batch)
    assert {name for name, term in terms.items() if term == 0} >= {"semantic", "binary", "boundary"}
    assert set(terms) == set(vars(LossConfig()))
    loss = total_loss(terms, LossConfig(intensity=3.0, gradient=7.0, correlation=0.0))
    expected = 3 * terms["intensity"] + 7 * terms["gradient"] + terms["reconstruction"]
    torch.testing.assert_close(loss, expected)
    loss.backward()
    assert (fused.grad != 0).float().mean() > 0.9
