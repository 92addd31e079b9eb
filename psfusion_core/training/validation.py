"""How good the averaged weights are on pairs that are not trained on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn

from psfusion_core.metrics.segmentation import class_iou, confusion_matrix
from psfusion_core.training.config import LossConfig
from psfusion_core.training.data.planes import IGNORE, Sample, to_sample
from psfusion_core.training.losses.total import Objective, total_loss


def middle(planes: Tensor, multiple: int) -> Sample:
    """Cut the largest middle part whose sides the network takes: (7, H, W) -> a batch of one."""
    height, width = (side - side % multiple for side in planes.shape[-2:])
    top, left = (planes.shape[-2] - height) // 2, (planes.shape[-1] - width) // 2
    return to_sample(planes[None, :, top : top + height, left : left + width])


@torch.no_grad()
def validate(
    model: nn.Module,
    scenes: Sequence[Tensor],
    objective: Objective,
    weights: LossConfig,
    num_classes: int,
    device: torch.device,
) -> dict[str, float]:
    """Average the loss, and take mean IoU over all labelled pixels.

    Args:
        model: in evaluation mode.
        scenes: (7, H, W) uint8 planes each, of any sizes.

    Returns:
        ``loss``; ``mean_iou`` in [0, 1] where some scene is labelled.
    """
    losses = []
    confusion = np.zeros((num_classes, num_classes), np.int64)
    for planes in scenes:
        sample = Sample(*(part.to(device) for part in middle(planes, int(model.size_multiple))))  # type: ignore[arg-type]
        output = model(sample.visible, sample.infrared)
        losses.append(float(total_loss(objective(output, sample), weights)))
        predicted = output.semantic.max(dim=1).indices.cpu().numpy()
        confusion += confusion_matrix(predicted, sample.label.cpu().numpy(), num_classes, IGNORE)
    metrics = {"loss": float(np.mean(losses))}
    if confusion.any():
        metrics["mean_iou"] = float(np.nanmean(class_iou(confusion)))
    return metrics
