"""Draws a contact sheet of the pairs with the best, median and worst result of the first method."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from psfusion_core.evaluation.method_results import Image, MethodResult, SourceImages
from psfusion_core.evaluation.summary import Summary
from psfusion_core.fusion.compose import overlay
from psfusion_core.fusion.contact_sheet import class_legend, side_by_side, stack
from psfusion_core.metrics.luma_input import luma

PANEL_WIDTH, PANEL_HEIGHT = 320, 240


def scores(summary: Summary) -> npt.NDArray[np.float64]:
    """Score the first method on each pair: its relative rank among the pairs, averaged over the metrics.

    Returns:
        (pairs,) from 0, worst in every metric, to 1, best in every metric; 0.5 if there is only one pair.
    """
    signs = np.array([1.0 if metric.larger_is_better else -1.0 for metric in summary.metrics])
    values = np.nan_to_num(summary.values[0] * signs, nan=-np.inf)
    better = (values[:, np.newaxis] > values[np.newaxis]).sum(axis=1)
    equal = (values[:, np.newaxis] == values[np.newaxis]).sum(axis=1) - 1
    others = max(1, len(summary.pairs) - 1)
    shares = (better + 0.5 * equal) / others if len(summary.pairs) > 1 else np.full_like(values, 0.5)
    return np.asarray(shares.mean(axis=1), np.float64)


def choose_pairs(summary: Summary) -> dict[str, str]:
    """Return the pairs with the best, median and worst score, by these words; fewer of them for few pairs."""
    order = np.argsort(-scores(summary), kind="stable")
    places = {"best": 0, "median": len(order) // 2, "worst": len(order) - 1}
    if len(order) < 3:
        places.pop("median")
    if len(order) < 2:
        places.pop("worst")
    return {word: summary.pairs[order[place]] for word, place in places.items()}


def draw_sheet(
    summary: Summary,
    read: Callable[[str], tuple[SourceImages, Sequence[MethodResult]]],
    classes: Sequence[str] | None = None,
) -> Image:
    """Draw the chosen pairs in a row each: the sources, then the methods in order.

    A fused image without colour is shown with the chroma of the visible image, and its caption says so.

    Args:
        summary: The values of the methods.
        read: Returns the sources of a pair and the result of every method, given the name of the pair.
        classes: Class names by index. If given, label maps are shown too, with a legend of their classes.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    first = scores(summary)
    rows: list[Image] = []
    labels: set[int] = set()
    for word, pair in choose_pairs(summary).items():
        sources, results = read(pair)
        panels = {f"{word}, {pair}: visible image": sources.visible, "infrared image": sources.infrared}
        for place, (name, result) in enumerate(zip(summary.methods, results, strict=True)):
            assert result.image is not None, "the methods of a summary fuse"
            caption = name if place else f"{name}, score {first[summary.pairs.index(pair)]:.2f}"
            image = result.image
            if image.ndim == 2:
                caption, image = f"{caption}, visible colours", with_chroma_of(sources.visible, image)
            panels[caption] = image
            if classes is not None and result.mask is not None:
                panels[f"{name}, classes"] = overlay(image, result.mask)
                labels.update(np.unique(result.mask).tolist())
        rows.append(side_by_side(panels, PANEL_WIDTH, PANEL_HEIGHT))
    if labels - {0, 255}:
        rows.append(class_legend(labels, classes or (), rows[0].shape[1]))
    return stack(rows)


def with_chroma_of(visible: Image, fused: Image) -> Image:
    """Combine a fused luma, (H, W) uint8, with the Cb and Cr of an RGB image, (H, W, 3) uint8, and clip.

    Cb and Cr are differences between a channel and the luma. They stay equal if all channels change as the
    luma does. `fusion.compose.replace_luma` does the same in [0, 1]; here the shown luma must be the measured
    one, in exact whole levels.
    """
    moved = visible.astype(np.int16) + (fused.astype(np.int16) - luma(visible))[..., np.newaxis]
    return moved.clip(0, 255).astype(np.uint8)
