"""Pictures of batches and of outputs, checked at pixels of known colour."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from psfusion_core.fusion.contact_sheet import CAPTION_HEIGHT, GAP
from psfusion_core.models.classes import PALETTE
from psfusion_core.models.fusion_output import FusionOutput
from psfusion_core.training.data.scene_planes import IGNORE, Batch
from psfusion_core.training.inspection import IGNORED_COLOR, MINIMUM_WIDTH, draw_batch, draw_output

HEIGHT, WIDTH = 40, MINIMUM_WIDTH
BLACK, WHITE = (0, 0, 0), (255, 255, 255)
COLUMNS = ("visible", "infrared", "classes", "weight", "binary", "boundary", "salient", "extra")


def panel(picture: NDArray[np.uint8], row: int, column: int, height: int = HEIGHT) -> NDArray[np.uint8]:
    """Cut an item's image out of a picture."""
    top, left = CAPTION_HEIGHT + row * (height + GAP), column * (WIDTH + GAP)
    return picture[top : top + height, left : left + WIDTH]


@pytest.fixture
def batch() -> Batch:
    """Two items: a car on the left half of the first, unknown on the right of the second; else unlabelled."""
    label = torch.zeros(2, HEIGHT, WIDTH, dtype=torch.int64)
    label[0, :, : WIDTH // 2] = 1
    label[1, :, WIDTH // 2 :] = IGNORE
    visible = torch.zeros(2, 3, HEIGHT, WIDTH)
    visible[0, 0] = 1.0
    infrared = torch.full((2, 1, HEIGHT, WIDTH), 0.2)
    infrared[1] = 0.6
    weight = torch.zeros(2, HEIGHT, WIDTH)
    weight[0] = 2.5
    salient = torch.zeros(2, 1, HEIGHT, WIDTH)
    salient[1] = 1.0
    return Batch(visible, infrared, label, weight, salient)


@pytest.fixture
def output(batch: Batch) -> FusionOutput:
    """Fused luma 0.5, and person everywhere in the first item, unlabelled in the second."""
    semantic = torch.zeros(2, 9, HEIGHT, WIDTH)
    semantic[0, 2] = semantic[1, 0] = 5.0
    grey = torch.full((2, 1, HEIGHT, WIDTH), 0.5)
    return FusionOutput(semantic, semantic[:, :2], semantic[:, :2], grey, grey, grey)


def test_every_item_is_a_row_and_every_target_a_column(batch: Batch) -> None:
    picture = draw_batch(batch, {"extra": batch.infrared})
    assert picture.dtype == np.uint8
    assert picture.shape == (CAPTION_HEIGHT + 2 * (HEIGHT + GAP) - GAP, 8 * (WIDTH + GAP) - GAP, 3)


def test_captions_stand_above_every_column(batch: Batch) -> None:
    captions = draw_batch(batch, {"extra": batch.infrared})[:CAPTION_HEIGHT]
    for column in range(len(COLUMNS)):
        left = column * (WIDTH + GAP)
        assert captions[:, left : left + WIDTH].max() > 200


@pytest.mark.parametrize(
    ("row", "column", "left", "right"),
    [
        (0, "visible", (255, 0, 0), (255, 0, 0)),
        (1, "visible", BLACK, BLACK),
        (0, "infrared", (51, 51, 51), (51, 51, 51)),
        (1, "infrared", (153, 153, 153), (153, 153, 153)),
        (0, "classes", tuple(PALETTE[1]), BLACK),
        (1, "classes", BLACK, IGNORED_COLOR),
        (0, "binary", WHITE, BLACK),
        (1, "binary", BLACK, IGNORED_COLOR),
        (0, "boundary", BLACK, BLACK),
        (1, "boundary", BLACK, IGNORED_COLOR),
        (0, "salient", BLACK, BLACK),
        (1, "salient", WHITE, WHITE),
        (0, "extra", (255, 255, 255), (255, 255, 255)),
        (1, "extra", BLACK, BLACK),
    ],
)
def test_targets_have_their_colours(
    batch: Batch, row: int, column: str, left: tuple[int, ...], right: tuple[int, ...]
) -> None:
    extra = torch.stack([torch.ones(1, HEIGHT, WIDTH), torch.zeros(1, HEIGHT, WIDTH)])
    shown = panel(draw_batch(batch, {"extra": extra}), row, COLUMNS.index(column))
    assert tuple(shown[20, 10]) == left
    assert tuple(shown[20, WIDTH - 10]) == right


def test_the_boundary_runs_where_the_classes_meet(batch: Batch) -> None:
    shown = panel(draw_batch(batch), 0, COLUMNS.index("boundary"))
    assert (shown[:, WIDTH // 2 - 1 : WIDTH // 2 + 1] == WHITE).all()
    assert (shown[:, : WIDTH // 2 - 1] == BLACK).all()


def test_the_heaviest_weight_is_the_brightest_and_no_weight_black(batch: Batch) -> None:
    picture = draw_batch(batch)
    column = COLUMNS.index("weight")
    assert panel(picture, 0, column).min(axis=(0, 1)).sum() > 600
    assert panel(picture, 1, column).max() < 10


def test_weights_glow_orange_on_their_way_up(batch: Batch) -> None:
    weight = batch.weight.clone()
    weight[1] = 1.7
    shown = panel(draw_batch(batch._replace(weight=weight)), 1, COLUMNS.index("weight"))
    red, green, blue = shown[0, 0].tolist()
    assert red > green > blue


def test_weights_below_one_are_not_drawn_as_if_they_were_full(batch: Batch) -> None:
    faint = batch._replace(weight=torch.full_like(batch.weight, 0.5))
    full = batch._replace(weight=torch.ones_like(batch.weight))
    column = COLUMNS.index("weight")
    faint_sum, full_sum = (int(panel(draw_batch(each), 0, column)[0, 0].sum()) for each in (faint, full))
    assert 0 < faint_sum < full_sum


def test_small_images_are_enlarged_by_whole_pixels(batch: Batch) -> None:
    small = Batch(*(tensor[..., ::5, ::5] for tensor in batch))
    shown = panel(draw_batch(small), 0, COLUMNS.index("classes"))
    assert shown.shape == (HEIGHT, WIDTH, 3)
    assert (shown[:, : WIDTH // 2] == PALETTE[1]).all()
    assert (shown[:, WIDTH // 2 :] == BLACK).all()


def test_an_answer_is_drawn_beside_its_inputs_and_target(batch: Batch, output: FusionOutput) -> None:
    picture = draw_output(batch._replace(visible=torch.full_like(batch.visible, 0.2)), output)
    fused = np.array((128, 128, 128))
    first, second = ([tuple(panel(picture, row, column)[20, 10]) for column in range(5)] for row in (0, 1))
    assert first[:2] == [(51, 51, 51), (51, 51, 51)]
    assert second[1] == (153, 153, 153)
    np.testing.assert_allclose([first[2], second[2], second[3]], [fused] * 3, atol=1)
    np.testing.assert_allclose(first[3], (fused + PALETTE[2]) / 2, atol=1)
    assert first[4] == tuple(PALETTE[1])
    assert tuple(panel(picture, 1, 4)[20, WIDTH - 10]) == IGNORED_COLOR


def test_the_fused_picture_has_the_colours_of_the_visible_image(batch: Batch, output: FusionOutput) -> None:
    red, green, blue = panel(draw_output(batch, output), 0, 2)[20, 10].tolist()
    assert red > 200
    assert red > 2 * max(green, blue)


def test_no_more_items_are_drawn_than_asked_for(batch: Batch, output: FusionOutput) -> None:
    assert draw_output(batch, output, count=1).shape[0] == CAPTION_HEIGHT + HEIGHT


def test_answers_in_half_precision_with_gradients_are_drawn_too(batch: Batch, output: FusionOutput) -> None:
    half = FusionOutput(*(tensor.bfloat16().requires_grad_() for tensor in output))
    np.testing.assert_array_equal(draw_output(batch, half), draw_output(batch, output))
