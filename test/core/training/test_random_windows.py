"""Random windows of scenes."""

from __future__ import annotations

import torch

from psfusion_core.training.data.random_windows import cut_window
from psfusion_core.training.data.scene_planes import LABEL_PLANE, to_batch


def test_a_window_is_a_part_of_the_scene() -> None:
    scene = torch.randint(256, (7, 50, 60), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))
    window = cut_window(scene, 20, 0.0, torch.Generator().manual_seed(3))
    assert window.shape == (7, 20, 20)
    places = [
        (top, left)
        for top in range(31)
        for left in range(41)
        if torch.equal(scene[:, top : top + 20, left : left + 20], window)
    ]
    assert len(places) == 1


def test_a_scene_smaller_than_the_window_is_continued_and_ignored_there() -> None:
    scene = torch.full((7, 30, 80), 9, dtype=torch.uint8)
    window = cut_window(scene, 64, 1.0, torch.Generator().manual_seed(0))
    batch = to_batch(window[None])
    assert (batch.visible == 9 / 255).all()
    assert (batch.label == 255).sum() == 34 * 64 == (batch.weight == 0).sum()


def test_windows_round_objects_show_every_class_alike_and_objects_near_their_middle() -> None:
    scene = torch.zeros(7, 200, 300, dtype=torch.uint8)
    scene[LABEL_PLANE, 100:102, 150:152] = 2
    scene[LABEL_PLANE, 20:180, 200:300] = 1
    generator = torch.Generator().manual_seed(0)
    windows = torch.stack([cut_window(scene, 40, 1.0, generator)[LABEL_PLANE] for _ in range(300)])
    small = (windows == 2).flatten(1).any(dim=1)
    assert (small | (windows == 1).flatten(1).any(dim=1)).all()
    assert 0.4 < small.float().mean() < 0.6
    rows = (windows[small] == 2).any(dim=2).float().argmax(dim=1)
    assert 9 <= rows.min() < rows.max() <= 31


def test_without_objects_or_a_share_windows_lie_anywhere() -> None:
    scene = torch.zeros(7, 100, 100, dtype=torch.uint8)
    scene[0] = torch.arange(100)
    generator = torch.Generator().manual_seed(0)
    for share in (0.0, 1.0):
        lefts = {int(cut_window(scene, 40, share, generator)[0, 0, 0]) for _ in range(300)}
        assert min(lefts) < 4
        assert max(lefts) > 56
