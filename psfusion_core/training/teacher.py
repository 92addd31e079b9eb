"""Labels for scenes that have none, predicted by a network that is trained already."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor
from tqdm import tqdm

from psfusion_core.models import create_model
from psfusion_core.training.config import TeacherConfig
from psfusion_core.training.data.planes import IGNORE, LABEL_PLANE, UNIT_WEIGHT, WEIGHT_PLANE, to_sample


class Teacher:
    """Labels the pixels that it is sure of, on the scene and on its mirror image alike.

    Args:
        config: which network, and how sure.
        num_classes: of its semantic head.
        device: to run on.

    Raises:
        ValueError: the checkpoint is missing or does not fit.
    """

    def __init__(self, config: TeacherConfig, num_classes: int, device: torch.device) -> None:
        self.config, self.device = config, device
        self.model = create_model(config.model, num_classes, config.weights).to(device)

    def label(self, scenes: list[Tensor]) -> None:
        """Label, in place, each of the scenes (7, H, W) uint8 that has no labelled pixel."""
        unlabelled = [planes for planes in scenes if bool((planes[LABEL_PLANE] == IGNORE).all())]
        for planes in tqdm(unlabelled, desc="labelling", unit="pair", disable=not unlabelled):
            confidence, label = self.probabilities(planes).max(dim=0)
            sure = confidence >= self.config.confidence
            planes[LABEL_PLANE] = torch.where(sure, label, IGNORE).byte()
            planes[WEIGHT_PLANE] = round(self.config.weight * UNIT_WEIGHT)

    @torch.inference_mode()
    def probabilities(self, planes: Tensor) -> Tensor:
        """Mean class probabilities of a scene and its mirror image: (7, H, W) uint8 -> (classes, H, W)."""
        sample = to_sample(planes[None].to(self.device))
        height, width = planes.shape[-2:]
        multiple = self.model.size_multiple
        padding = (0, -width % multiple, 0, -height % multiple)
        both = F.pad(torch.cat([sample.visible, sample.infrared], dim=1), padding, mode="replicate")
        views = torch.cat([both, both.flip(-1)])
        _, logits = self.model.fuse_and_segment(views[:, :3], views[:, 3:])
        plain, mirrored = torch.softmax(logits.float(), dim=1)
        return ((plain + mirrored.flip(-1)) / 2)[:, :height, :width].cpu()
