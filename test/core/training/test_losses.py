"""Loss terms against independent NumPy computations of their equations."""

from __future__ import annotations

import numpy as np
import torch
from scipy.ndimage import correlate

from psfusion_core.training.losses.fusion import (
    BACKGROUND_QUANTILE,
    SCREEN_SHARE,
    correlation_loss,
    gradient_loss,
    intensity_loss,
)
from psfusion_core.training.losses.reconstruction import reconstruction_loss
from psfusion_core.training.losses.semantic import (
    BINARY_POSITIVE_WEIGHTS,
    hard_example_cross_entropy,
    one_hot_cross_entropy,
)

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


def test_gradient_loss_follows_the_stronger_source_gradient_with_its_sign() -> None:
    f, v, i = sobel(FUSED), sobel(VISIBLE), sobel(INFRARED)
    expected = np.abs(f - np.where(np.abs(v) >= np.abs(i), v, i)).mean()
    np.testing.assert_allclose(gradient_loss(*map(tensor, (FUSED, VISIBLE, INFRARED))), expected, rtol=1e-4)


def test_intensity_loss_pulls_towards_the_partial_screen_blend() -> None:
    targets = []
    for v, i in zip(VISIBLE, INFRARED, strict=True):
        background = np.quantile(i.ravel()[::4], BACKGROUND_QUANTILE)
        heat = np.clip((i - background) / max(1 - background, 0.1), 0, None)
        larger, smaller = np.maximum(v, heat), np.minimum(v, heat)
        targets.append(larger + SCREEN_SHARE * smaller * (1 - larger))
    expected = np.abs(FUSED - np.stack(targets)).mean()
    np.testing.assert_allclose(intensity_loss(*map(tensor, (FUSED, VISIBLE, INFRARED))), expected, rtol=1e-4)


def test_reconstruction_loss_weighs_intensity_and_edges_alike() -> None:
    edges = np.abs(sobel(FUSED) - sobel(VISIBLE)).mean()
    expected = 5 * np.abs(FUSED - VISIBLE).mean() + 5 * edges
    np.testing.assert_allclose(reconstruction_loss(tensor(FUSED), tensor(VISIBLE)), expected, rtol=1e-4)


def softmax_losses(logits: np.ndarray, label: np.ndarray) -> np.ndarray:
    log_probability = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    picked = np.take_along_axis(log_probability, np.minimum(label, 8)[:, None], axis=1)[:, 0]
    return -picked[label != 255]


def test_semantic_loss_averages_the_hard_pixels_and_ignores_255() -> None:
    logits = RNG.normal(0, 2, (2, 9, 16, 16))
    label = RNG.integers(0, 9, (2, 16, 16))
    label[0, :8] = 255
    losses = softmax_losses(logits, label)
    hard = losses[losses > -np.log(0.75)]
    assert len(losses) / 16 < len(hard) < len(losses)
    np.testing.assert_allclose(
        hard_example_cross_entropy(tensor(logits), torch.from_numpy(label)), hard.mean(), rtol=1e-4
    )


def test_semantic_loss_keeps_the_hardest_sixteenth_when_all_pixels_are_easy() -> None:
    label = np.zeros((1, 16, 16), int)
    logits = np.zeros((1, 9, 16, 16))
    logits[:, 0] = RNG.uniform(8, 12, (1, 16, 16))
    hardest = np.sort(softmax_losses(logits, label))[-16:]
    np.testing.assert_allclose(
        hard_example_cross_entropy(tensor(logits), torch.from_numpy(label)), hardest.mean(), rtol=1e-3
    )


def test_one_hot_loss_weighs_positive_pixels_and_ignores_255() -> None:
    logits = RNG.normal(0, 2, (2, 2, 8, 8))
    target = RNG.integers(0, 2, (2, 8, 8))
    target[:, :, 5:] = 255
    one_hot = np.stack([target == 0, target == 1], axis=1)
    weight = np.where(one_hot, np.array(BINARY_POSITIVE_WEIGHTS)[None, :, None, None], 1.0)
    losses = weight * np.logaddexp(0, np.where(one_hot, -logits, logits))
    expected = losses[np.broadcast_to((target != 255)[:, None], losses.shape)].mean()
    actual = one_hot_cross_entropy(tensor(logits), torch.from_numpy(target), BINARY_POSITIVE_WEIGHTS)
    np.testing.assert_allclose(actual, expected, rtol=1e-4)


def test_a_batch_without_labels_gives_zero_loss_and_zero_gradient() -> None:
    logits = torch.randn(2, 9, 8, 8, requires_grad=True)
    nothing = torch.full((2, 8, 8), 255)
    loss = hard_example_cross_entropy(logits, nothing) + one_hot_cross_entropy(logits[:, :2], nothing)
    loss.backward()
    assert loss.item() == 0.0
    assert not logits.grad.any()
