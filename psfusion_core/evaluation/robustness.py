"""Measures how robust methods are against disturbances of the infrared image, as a table and curves."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path

from psfusion_core.base.atomic_file import replacing
from psfusion_core.evaluation.disturbances import LEVELS, Disturbance, all_disturbances
from psfusion_core.evaluation.figures import Quantity, draw_disturbance_curves
from psfusion_core.evaluation.label_counts import box_columns, box_scores, label_columns, label_scores
from psfusion_core.evaluation.summary import Values, common_pairs, heading, summarise
from psfusion_core.metrics import Metric

Conditions = Mapping[str, Values]
"""The values of a method by condition (`Disturbance.name`)."""

CONDITIONS = [disturbance.name for disturbance in all_disturbances()]


def fusion_quantities(values: Mapping[str, Conditions], metrics: Sequence[Metric]) -> list[Quantity]:
    """Average the metrics over the pairs that every method has under every condition.

    Args:
        values: The values by method, of at least one method.
        metrics: The metrics to average.

    Raises:
        ValueError: There is no such pair.
    """
    summary = summarise(_flatten(values), metrics)
    count = len(CONDITIONS)
    return [
        Quantity(
            metric.name,
            heading(metric),
            {
                name: dict(zip(CONDITIONS, column[place * count : (place + 1) * count], strict=True))
                for place, name in enumerate(values)
            },
        )
        for metric, column in zip(metrics, summary.means.T.tolist(), strict=True)
    ]


def label_quantities(
    values: Mapping[str, Conditions], classes: tuple[str, ...], labels: bool, boxes: bool
) -> list[Quantity]:
    """Compute the mean IoU if there are true label maps, and the share of found boxes if there are boxes.

    Raises:
        ValueError: No pair has counts of every method under every condition.
    """
    quantities = []
    flat = _flatten(values)
    if labels:
        pairs = common_pairs(flat, label_columns(classes))
        means = {
            name: {c: label_scores([rows[c][p] for p in pairs], classes).mean_iou for c in CONDITIONS}
            for name, rows in values.items()
        }
        quantities.append(Quantity("mean IoU", "mean IoU ↑", means))
    if boxes:
        pairs = common_pairs(flat, box_columns(classes))
        shares: dict[str, dict[str, float]] = {}
        for name, rows in values.items():
            for condition in CONDITIONS:
                scores = box_scores([rows[condition][pair] for pair in pairs], classes).values()
                total = sum(score.boxes for score in scores)
                share = sum(score.found for score in scores) / total if total else float("nan")
                shares.setdefault(name, {})[condition] = share
        quantities.append(Quantity("boxes found", "boxes found ↑", shares))
    return quantities


def write_robustness(
    quantities: Sequence[Quantity], methods: Sequence[str], table: Path, figure: Path
) -> None:
    """Write every quantity of every method at every level, as CSV and as a figure.

    Args:
        quantities: The columns of the table and the rows of the figure.
        methods: The names of the methods, in order.
        table: The CSV file to write, with a row for each method, kind and level.
        figure: The figure to write.

    Raises:
        ImportError: matplotlib is missing.
    """
    with replacing(table) as temporary, temporary.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["method", "disturbance", "level", *(quantity.name for quantity in quantities)])
        for kind, levels in LEVELS.items():
            for method in methods:
                for level in levels:
                    condition = Disturbance(kind, level).name
                    row = [quantity.values.get(method, {}).get(condition) for quantity in quantities]
                    cells = ("" if value is None else repr(value) for value in row)
                    writer.writerow([method, kind, f"{level:g}", *cells])
    draw_disturbance_curves(quantities, methods, figure)


def _flatten(values: Mapping[str, Conditions]) -> dict[str, Values]:
    """Treat every combination of method and condition as a method."""
    return {
        f"{method}, {condition}": rows.get(condition, {})
        for method, rows in values.items()
        for condition in CONDITIONS
    }
