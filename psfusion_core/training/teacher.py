"""Pseudo-labels: labels for scenes without any, predicted by trained networks."""

from __future__ import annotations

import cv2
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from psfusion_core.engines.denormals import flushed_denormals
from psfusion_core.models.input_size import pad_to_multiple
from psfusion_core.models.networks import create_model
from psfusion_core.training.augmentation.effects import enhance_contrast
from psfusion_core.training.data.scene_planes import IGNORE, UNIT_WEIGHT, to_batch
from psfusion_core.training.data.sources import FolderSource
from psfusion_core.training.training_config import TeacherConfig

DARK_BACKGROUND = 0.08
"""Median of the enhanced infrared images of MSRS, whose labels the first teachers learnt from."""
VISIBLE_RANGE = (0.02, 0.98)
LARGEST_SHARE = 0.3


class Teacher:
    """Labels the pixels on whose class all its networks agree with enough confidence.

    Every network sees the scene and its mirror image, with the contrast raised to that of MSRS. A region of
    one class over more than 30 % of the scene stays unknown, because it is probably a mistake.

    Raises:
        ValueError: A checkpoint is missing or does not fit.
    """

    def __init__(self, config: TeacherConfig, num_classes: int, device: torch.device) -> None:
        self.config, self.device = config, device
        self.models = [create_model(config.model, num_classes, path).to(device) for path in config.weights]

    def label_source(self, source: FolderSource) -> None:
        """Label the scenes of a source that have no labelled pixel."""
        unlabelled = source.unlabelled()
        weight = round(self.config.weight * UNIT_WEIGHT)
        title = f"labelling {source.config.path}"
        for index in tqdm(unlabelled, desc=title, unit="pair", disable=not unlabelled or None):
            source.set_label(index, self.label(source.scenes[index]), weight)

    def label(self, planes: Tensor) -> Tensor:
        """Label a scene: (7, H, W) uint8 planes -> (H, W) uint8 class indices, 255 if unsure."""
        probabilities = torch.stack([self.probabilities(model, planes) for model in self.models])
        confidence, label = probabilities.mean(dim=0).max(dim=0)
        agreed = (probabilities.argmax(dim=1) == label).all(dim=0)
        background = self.config.background_confidence
        enough = torch.where(label == 0, background, self.config.object_confidence)
        sure = torch.where(agreed & (confidence >= enough), label, IGNORE).byte()
        return torch.from_numpy(without_giants(sure.numpy()))

    @torch.inference_mode()
    def probabilities(self, model: torch.nn.Module, planes: Tensor) -> Tensor:
        """Mean class probabilities of a scene and its mirror image: (7, H, W) uint8 -> (classes, H, W)."""
        batch = to_batch(planes[None].to(self.device))
        low, high = torch.quantile(batch.visible.flatten()[::16], torch.tensor(VISIBLE_RANGE).to(self.device))
        visible = ((batch.visible - low) / (high - low).clamp(min=0.05)).clamp(0.0, 1.0)
        infrared = enhance_contrast(batch.infrared, torch.full((1,), DARK_BACKGROUND, device=self.device))
        height, width = planes.shape[-2:]
        multiple = int(model.size_multiple)  # type: ignore[arg-type]
        scene = pad_to_multiple(torch.cat([visible, infrared], dim=1), multiple)
        views = torch.cat([scene, scene.flip(-1)])
        with flushed_denormals():
            _, logits = model.fuse_and_segment(views[:, :3], views[:, 3:])  # type: ignore[operator]
        plain, mirrored = torch.softmax(logits.float(), dim=1)
        return ((plain + mirrored.flip(-1)) / 2)[:, :height, :width].cpu()


def without_giants(label: np.ndarray) -> np.ndarray:
    """Make connected regions of one object class over 30 % of the scene unknown: (H, W) uint8 -> the same."""
    label = label.copy()
    for class_index in np.unique(label[(label > 0) & (label != IGNORE)]):
        count, regions, statistics, _ = cv2.connectedComponentsWithStats(
            (label == class_index).astype(np.uint8)
        )
        for region in range(1, count):
            if statistics[region, cv2.CC_STAT_AREA] > LARGEST_SHARE * label.size:
                label[regions == region] = IGNORE
    return label
