"""Predicts the classes of test images at one or several scales, and counts correct and wrong pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from tqdm import tqdm

from psfusion_core.engines.denormals import flushed_denormals
from psfusion_core.metrics import confusion_matrix
from psfusion_core.training.data.scene_planes import IGNORE, LABEL_PLANE, to_batch

MINIMUM_SIDE = 32


@dataclass(frozen=True)
class EvaluationSettings:
    """How a segmenter is tested.

    Attributes:
        scales: Factors on the image size. The class probabilities at all scales are averaged.
        flip: Whether to average with the mirror image too.
    """

    scales: tuple[float, ...] = (1.0,)
    flip: bool = False


@torch.no_grad()
def class_probabilities(
    model: nn.Module, images: Tensor, scales: Sequence[float] = (1.0,), flip: bool = False
) -> Tensor:
    """Average the class probabilities over scaled and, with `flip`, mirrored copies of the images.

    Args:
        model: Maps images (B, 3, h, w) to logits (B, C, h, w), in evaluation mode.
        images: (B, 3, H, W) float RGB in [0, 1].
        scales: Factors on H and W. A side never falls below 32 pixels.
        flip: Whether to add a copy mirrored left to right at every scale.

    Returns:
        (B, C, H, W) float32 probabilities, which sum to 1 over the classes.
    """
    size = images.shape[-2:]
    total = torch.zeros(())
    for scale in scales:
        scaled = images
        if scale != 1.0:
            sides = [max(round(side * scale), MINIMUM_SIDE) for side in size]
            scaled = F.interpolate(images, sides, mode="bilinear", align_corners=False, antialias=True)
        for mirrored in (False, True) if flip else (False,):
            logits = model(scaled.flip(-1) if mirrored else scaled).float()
            logits = logits.flip(-1) if mirrored else logits
            if logits.shape[-2:] != size:
                logits = F.interpolate(logits, size, mode="bilinear", align_corners=False)
            total = total.to(logits.device) + torch.softmax(logits, dim=1)
    return total / (len(scales) * (1 + flip))


def predict(
    model: nn.Module, scene: Tensor, device: torch.device, settings: EvaluationSettings
) -> npt.NDArray[np.int64]:
    """Return the most probable class of each pixel of a scene: planes (7, H, W) uint8 -> (H, W) int64.

    Args:
        model: As for :func:`class_probabilities`.
    """
    image = to_batch(scene[None].to(device)).visible
    with flushed_denormals():
        probabilities = class_probabilities(model, image, settings.scales, settings.flip)
    return probabilities.max(dim=1).indices[0].cpu().numpy()


def count_confusions(
    model: nn.Module,
    scenes: Sequence[Tensor],
    num_classes: int,
    device: torch.device,
    settings: EvaluationSettings = EvaluationSettings(),
) -> npt.NDArray[np.int64]:
    """Count the labelled pixels of all scenes, true class by predicted class.

    Args:
        model: As for :func:`class_probabilities`.
        scenes: Planes (7, H, W) uint8 of each scene, of any size.

    Returns:
        (num_classes, num_classes) int64.
    """
    confusion = np.zeros((num_classes, num_classes), np.int64)
    for scene in tqdm(scenes, desc="testing", unit="image", leave=False, disable=None):
        predicted = predict(model, scene, device, settings)
        confusion += confusion_matrix(predicted, scene[LABEL_PLANE].numpy(), num_classes, IGNORE)
    return confusion
