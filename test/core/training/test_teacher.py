"""Pseudo-labels on which networks agree."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from psfusion_core.training.teacher import Teacher, without_giants
from psfusion_core.training.training_config import TeacherConfig

CAR, PERSON = 1, 2


class Oracle(nn.Module):
    """Answers with one class on the left of what it is shown, and with another on the right."""

    size_multiple = 32

    def __init__(self, left: int, right: int, logit: float) -> None:
        super().__init__()
        self.classes, self.logit = (left, right), logit

    def fuse_and_segment(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
        logits = torch.zeros(len(visible), 9, *visible.shape[-2:])
        # The second view is mirrored: a network that knows the scene answers mirrored.
        for view, (first, second) in enumerate((self.classes, self.classes[::-1])):
            logits[view, first, :, : logits.shape[-1] // 2] = self.logit
            logits[view, second, :, logits.shape[-1] // 2 :] = self.logit
        return infrared, logits


def teacher(*models: nn.Module, **settings: float) -> Teacher:
    made = Teacher(TeacherConfig(**settings), 9, torch.device("cpu"))  # type: ignore[arg-type]
    made.models = list(models)  # type: ignore[assignment]
    return made


SCENE = torch.randint(256, (7, 64, 96), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_pixels_are_labelled_where_all_networks_agree() -> None:
    label = teacher(Oracle(0, CAR, 9.0), Oracle(0, PERSON, 9.0)).label(SCENE)
    assert (label[:, :48] == 0).all()
    assert (label[:, 48:] == 255).all()


def test_a_network_that_contradicts_itself_on_the_mirror_image_labels_nothing() -> None:
    class Stubborn(Oracle):
        def fuse_and_segment(self, visible: Tensor, infrared: Tensor) -> tuple[Tensor, Tensor]:
            _, logits = super().fuse_and_segment(visible, infrared)
            return infrared, logits[:1].expand(2, -1, -1, -1)

    assert (teacher(Stubborn(CAR, PERSON, 9.0)).label(SCENE) == 255).all()


def test_objects_and_background_have_thresholds_of_their_own() -> None:
    model = Oracle(0, CAR, np.log(8 * 0.65 / 0.35))  # a probability of .65
    label = teacher(model, background_confidence=0.6, object_confidence=0.7).label(SCENE)
    assert (label[:, :48] == 0).all()
    assert (label[:, 48:] == 255).all()
    label = teacher(model, background_confidence=0.7, object_confidence=0.6).label(SCENE)
    assert (label[:, :48] == 255).all()


def test_a_scene_of_any_size_is_labelled_in_full() -> None:
    label = teacher(Oracle(CAR, CAR, 9.0)).probabilities(Oracle(CAR, CAR, 9.0), SCENE[:, :50, :70])
    assert label.shape == (9, 50, 70)
    torch.testing.assert_close(label.sum(dim=0), torch.ones(50, 70))


def test_a_region_that_fills_the_scene_is_rather_a_mistake() -> None:
    label = np.zeros((40, 40), np.uint8)
    label[:20], label[30:34, 30:34] = CAR, CAR
    expected = label.copy()
    expected[:20] = 255
    np.testing.assert_array_equal(without_giants(label), expected)
