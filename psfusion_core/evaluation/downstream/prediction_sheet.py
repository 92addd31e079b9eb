"""Draws the predictions of a trained segmenter for some test images."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from psfusion_core.evaluation.downstream.segmenter_evaluation import EvaluationSettings, predict
from psfusion_core.fusion.contact_sheet import side_by_side, stack
from psfusion_core.models.classes import colorize
from psfusion_core.training.data.scene_planes import LABEL_PLANE

ROWS = 6


def draw_predictions(
    model: nn.Module, scenes: Sequence[Tensor], device: torch.device, settings: EvaluationSettings
) -> npt.NDArray[np.uint8]:
    """Draw input, predicted classes and true classes side by side, for up to ``ROWS`` evenly spread scenes.

    Args:
        model: Maps images to logits, in evaluation mode.
        scenes: Planes (7, H, W) uint8 of each scene.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    chosen = np.linspace(0, len(scenes) - 1, min(ROWS, len(scenes))).round().astype(int)
    rows = []
    for scene in (scenes[index] for index in chosen):
        panels = {
            "input": np.ascontiguousarray(scene[:3].numpy().transpose(1, 2, 0)),
            "predicted": colorize(predict(model, scene, device, settings)),
            "true": colorize(scene[LABEL_PLANE].numpy()),
        }
        rows.append(side_by_side(panels, scene.shape[2], scene.shape[1]))
    return stack(rows)
