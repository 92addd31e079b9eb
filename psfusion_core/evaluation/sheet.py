"""Contact sheet of the pairs on which the first method does best, middling and worst."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from psfusion_core.contact_sheet import side_by_side, stack
from psfusion_core.evaluation.origins import Image
from psfusion_core.evaluation.summary import Summary

PANEL_WIDTH, PANEL_HEIGHT = 320, 240


def scores(summary: Summary) -> npt.NDArray[np.float64]:
    """How good the first method is on each pair among its pairs: the mean over the metrics of its rank.

    Returns:
        (pairs,) from 0, worst in every metric, to 1, best in every one; 0.5 each where there is one pair.
    """
    signs = np.array([1.0 if metric.larger_is_better else -1.0 for metric in summary.metrics])
    values = np.nan_to_num(summary.values[0] * signs, nan=-np.inf)
    better = (values[:, np.newaxis] > values[np.newaxis]).sum(axis=1)
    equal = (values[:, np.newaxis] == values[np.newaxis]).sum(axis=1) - 1
    others = max(1, len(summary.pairs) - 1)
    shares = (better + 0.5 * equal) / others if len(summary.pairs) > 1 else np.full_like(values, 0.5)
    return np.asarray(shares.mean(axis=1), np.float64)


def choose_pairs(summary: Summary) -> dict[str, str]:
    """The pairs of the best, median and worst score, by these words; fewer where there are fewer pairs."""
    order = np.argsort(-scores(summary), kind="stable")
    places = {"best": 0, "median": len(order) // 2, "worst": len(order) - 1}
    if len(order) < 3:
        places.pop("median")
    if len(order) < 2:
        places.pop("worst")
    return {word: summary.pairs[order[place]] for word, place in places.items()}


def draw_sheet(summary: Summary, read: Callable[[str], Sequence[Image]]) -> Image:
    """Draw the chosen pairs of the first method, a row each: sources, then the methods in their order.

    Args:
        summary: of the methods.
        read: the images of a pair by its name: visible, infrared, and the fused one of every method.

    Returns:
        (h, w, 3) uint8 RGB.
    """
    first = scores(summary)
    rows = []
    for word, pair in choose_pairs(summary).items():
        score = first[summary.pairs.index(pair)]
        captions = [f"{word}, {pair}: visible image", "infrared image", *summary.methods]
        captions[2] += f", score {score:.2f}"
        panels = dict(zip(captions, read(pair), strict=True))
        rows.append(side_by_side(panels, PANEL_WIDTH, PANEL_HEIGHT))
    return stack(rows)
