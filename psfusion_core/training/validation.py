"""Validation: how good the averaged weights are on pairs that are not trained on."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from psfusion_core.engines.denormals import flushed_denormals
from psfusion_core.metrics.segmentation import class_iou, confusion_matrix
from psfusion_core.training.data.label_sets import LABEL_SETS
from psfusion_core.training.data.scene_planes import IGNORE, LABEL_PLANE, Batch, to_batch
from psfusion_core.training.data.sources import FolderSource
from psfusion_core.training.losses.objective import loss_terms, total_loss
from psfusion_core.training.recipe import ConfigError
from psfusion_core.training.training_config import TrainConfig


class Validation:
    """The validation pairs of a recipe, in memory, and the measures on them.

    Raises:
        FileNotFoundError, ValueError: The pairs are missing or do not fit; the message names the file.
        ConfigError: Mean IoU chooses the best weights, but no pair is labelled.
    """

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        self.config, self.device = config, device
        self.scenes = FolderSource(config.validation, config.labels).scenes
        labelled = any(bool((scene[LABEL_PLANE] != IGNORE).any()) for scene in self.scenes)
        if config.best_by == "mean_iou" and not labelled:
            raise ConfigError("best_by is mean_iou, but no validation pair has a label: use best_by=loss")

    @torch.no_grad()
    def measure(self, model: nn.Module) -> dict[str, float]:
        """Average the loss over the pairs, and compute mean IoU over all their labelled pixels.

        Returns:
            ``loss``; ``mean_iou`` in [0, 1] if a pair is labelled.
        """
        config, classes = self.config, len(LABEL_SETS[self.config.labels])
        losses = []
        confusion = np.zeros((classes, classes), np.int64)
        for scene in self.scenes:
            batch = middle(scene.to(self.device), int(model.size_multiple))  # type: ignore[arg-type]
            with flushed_denormals():
                output = model(batch.visible, batch.infrared)
            losses.append(float(total_loss(loss_terms(config.objective, output, batch), config.loss)))
            predicted = output.semantic.max(dim=1).indices.cpu().numpy()
            confusion += confusion_matrix(predicted, batch.label.cpu().numpy(), classes, IGNORE)
        metrics = {"loss": float(np.mean(losses))}
        if confusion.any():
            metrics["mean_iou"] = float(np.nanmean(class_iou(confusion)))
        return metrics

    def is_better(self, metrics: dict[str, float], best: float | None) -> bool:
        """Whether a measurement beats the best value so far of ``config.best_by``."""
        value = metrics[self.config.best_by]
        if best is None:
            return True
        return value < best if self.config.best_by == "loss" else value > best


def middle(planes: Tensor, multiple: int) -> Batch:
    """Cut the largest middle part whose sides are multiples of a number: (7, H, W) -> a batch of one."""
    height, width = (side - side % multiple for side in planes.shape[-2:])
    top, left = (planes.shape[-2] - height) // 2, (planes.shape[-1] - width) // 2
    return to_batch(planes[None, :, top : top + height, left : left + width])
