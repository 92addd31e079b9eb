"""Cumulative curves and the choice of pairs for the sheet."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import numpy.typing as npt

from psfusion_core.cameras.image_files import read_visible
from psfusion_core.evaluation.example_sheet import choose_pairs, draw_sheet, scores, with_chroma_of
from psfusion_core.evaluation.figures import COLORS, cumulative_curve, draw_cumulative_curves, style
from psfusion_core.evaluation.method_results import MethodResult, SourceImages
from psfusion_core.evaluation.summary import Summary, summarise
from psfusion_core.fusion.compose import overlay
from psfusion_core.metrics import FUSION_METRICS
from psfusion_core.metrics.luma_input import luma
from psfusion_core.models.classes import CLASS_NAMES

METRICS = [FUSION_METRICS["EN"], FUSION_METRICS["MSE"]]


def summary_of(values: dict[str, tuple[float, float]], methods: tuple[str, ...] = ("ours",)) -> Summary:
    rows = {pair: {"EN": en, "MSE": mse} for pair, (en, mse) in values.items()}
    return summarise(dict.fromkeys(methods, rows), METRICS)


def test_a_share_x_of_the_pairs_has_a_value_no_more_than_y() -> None:
    x, y = cumulative_curve([4.0, 1.0, 2.0, 2.0])
    np.testing.assert_array_equal(x, [0.25, 0.5, 0.75, 1.0])
    np.testing.assert_array_equal(y, [1.0, 2.0, 2.0, 4.0])


def test_one_pair_is_a_point() -> None:
    x, y = cumulative_curve([3.0])
    assert (x.tolist(), y.tolist()) == ([1.0], [3.0])


def test_methods_differ_in_colour_and_their_neighbours_in_dashes_too() -> None:
    styles = [style(number) for number in range(len(COLORS))]
    assert len({s["color"] for s in styles}) == len(COLORS)
    assert all(str(a["linestyle"]) != str(b["linestyle"]) for a, b in pairwise(styles))


def test_the_figure_shows_the_lines_of_its_methods(tmp_path: Path) -> None:
    values = {"a": (1.0, 3.0), "b": (2.0, 2.0), "c": (3.0, 1.0)}
    draw_cumulative_curves(summary_of(values, ("ours",)), tmp_path / "curves.png")
    picture = read_visible(tmp_path / "curves.png")
    assert is_shown(picture, COLORS[0])
    assert not is_shown(picture, COLORS[1])
    draw_cumulative_curves(
        summary_of({**values, "d": (4.0, 0.0)}, ("ours", "other")), tmp_path / "curves.png"
    )
    assert is_shown(read_visible(tmp_path / "curves.png"), COLORS[1])


def is_shown(picture: npt.NDArray[np.uint8], color: str) -> bool:
    wanted = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)])
    return bool((np.abs(picture.astype(int) - wanted).max(axis=2) <= 2).any())


def test_a_pairs_score_is_its_mean_rank_among_the_pairs_in_the_direction_of_each_metric() -> None:
    summary = summary_of({"a": (3.0, 1.0), "b": (2.0, 2.0), "c": (1.0, 3.0), "d": (1.0, 0.0)})
    np.testing.assert_allclose(
        scores(summary), [(1 + 2 / 3) / 2, (2 / 3 + 1 / 3) / 2, (0.5 / 3) / 2, (0.5 / 3 + 1) / 2]
    )
    assert choose_pairs(summary) == {"best": "a", "median": "b", "worst": "c"}


def test_fewer_pairs_make_fewer_rows() -> None:
    assert choose_pairs(summary_of({"a": (1.0, 1.0)})) == {"best": "a"}
    assert choose_pairs(summary_of({"a": (1.0, 1.0), "b": (2.0, 0.0)})) == {"best": "b", "worst": "a"}


def test_the_sheet_has_the_images_of_the_best_pair_in_its_first_row() -> None:
    summary = summary_of({"a": (1.0, 1.0), "b": (2.0, 0.0)}, ("infrared", "visible"))
    levels = {"a": (10, 60, 110, 160), "b": (90, 140, 190, 240)}

    def read(pair: str) -> tuple[SourceImages, list[MethodResult]]:
        visible, infrared, *fused = (np.full((24, 32), level, np.uint8) for level in levels[pair])
        return SourceImages(np.dstack([visible] * 3), infrared), [MethodResult(image) for image in fused]

    sheet = draw_sheet(summary, read)
    middle = [int(sheet[140, 160 + 324 * column, 0]) for column in range(4)]
    assert middle == [90, 140, 190, 240]


def test_a_fused_luma_gets_the_chroma_of_the_visible_image() -> None:
    random = np.random.default_rng(0)
    visible = random.integers(90, 160, (24, 32, 3), np.uint8)
    fused = random.integers(90, 160, (24, 32), np.uint8)
    shown = with_chroma_of(visible, fused)
    np.testing.assert_array_equal(luma(shown), fused)
    for channel in (0, 2):
        np.testing.assert_array_equal(
            shown[..., channel].astype(int) - fused, visible[..., channel].astype(int) - luma(visible)
        )


def test_without_a_class_to_explain_there_is_no_legend() -> None:
    image, mask = np.full((24, 32, 3), 90, np.uint8), np.full((24, 32), 255, np.uint8)
    mask[0] = 0

    def read(pair: str) -> tuple[SourceImages, list[MethodResult]]:
        return SourceImages(image, image[..., 0]), [MethodResult(image, mask)]

    summary = summary_of({"a": (1.0, 1.0)})
    assert draw_sheet(summary, read, CLASS_NAMES).shape[0] == draw_sheet(summary, read).shape[0]


def test_label_maps_are_shown_with_their_classes_named_once_where_the_names_are_known() -> None:
    summary = summary_of({"a": (1.0, 1.0), "b": (2.0, 0.0)}, ("ours",))
    image, mask = np.full((24, 32, 3), 90, np.uint8), np.full((24, 32), 2, np.uint8)

    def read(pair: str) -> tuple[SourceImages, list[MethodResult]]:
        return SourceImages(image, image[..., 0]), [MethodResult(image, mask)]

    plain, sheet = draw_sheet(summary, read), draw_sheet(summary, read, CLASS_NAMES)
    assert sheet.shape[1] > plain.shape[1]  # one panel more in each row
    assert sheet.shape[0] > plain.shape[0]  # and one legend
    assert (sheet[140, 160 + 324 * 3] == overlay(image, mask)[0, 0]).all()
    assert not is_shown(plain, "#404000")
    assert is_shown(sheet[plain.shape[0] :], "#404000")  # of a person
