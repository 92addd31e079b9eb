"""Testing at several scales and mirrored, and the counts that IoU is made of."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from psfusion_core.evaluation.downstream.segmenter_evaluation import class_probabilities, count_confusions


class Threshold(nn.Module):
    """Two classes: red above one half, or not; surer the farther away."""

    def forward(self, images: Tensor) -> Tensor:
        red = 20.0 * (images[:, :1] - 0.5)
        return torch.cat([-red, red], dim=1)


class LeftHalf(nn.Module):
    """Two classes by position alone: it answers for what lies left in the image it is given."""

    def forward(self, images: Tensor) -> Tensor:
        left = torch.zeros(len(images), 1, *images.shape[-2:])
        left[..., : images.shape[-1] // 2] = 1.0
        return torch.cat([-left, left], dim=1)


def test_probabilities_sum_to_one_at_any_scale() -> None:
    images = torch.rand(2, 3, 48, 64)
    probabilities = class_probabilities(Threshold(), images, (0.5, 1.0, 1.75), flip=True)
    assert probabilities.shape == (2, 2, 48, 64)
    torch.testing.assert_close(probabilities.sum(dim=1), torch.ones(2, 48, 64))


def test_one_scale_is_the_softmax_of_the_model() -> None:
    images = torch.rand(1, 3, 40, 40)
    torch.testing.assert_close(
        class_probabilities(Threshold(), images), torch.softmax(Threshold()(images), dim=1)
    )


def test_a_mirrored_answer_is_mirrored_back() -> None:
    image = torch.zeros(1, 3, 40, 40)
    image[..., :10] = 1.0
    flipped = class_probabilities(Threshold(), image, flip=True)
    torch.testing.assert_close(flipped, class_probabilities(Threshold(), image))
    even = class_probabilities(LeftHalf(), image, flip=True)
    torch.testing.assert_close(even, even.flip(-1))


def test_pixels_are_counted_by_truth_and_prediction_and_unknown_ones_not() -> None:
    scene = torch.zeros(7, 40, 40, dtype=torch.uint8)
    scene[0, :, 20:] = 255
    scene[4, :, 10:] = 1
    scene[4, :4] = 255
    counts = count_confusions(Threshold(), [scene, scene], 2, torch.device("cpu"))
    assert counts.tolist() == [[2 * 36 * 10, 0], [2 * 36 * 10, 2 * 36 * 20]]
