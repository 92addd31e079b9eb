"""Computes means over the pairs that all methods have, and the ranks of the methods."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.metrics import Metric

Values = Mapping[str, Mapping[str, float]]
"""Values by the name of the pair and by column."""


@dataclass(frozen=True)
class Summary:
    """The values of several methods over the same pairs.

    Attributes:
        metrics: The metrics, in the order of columns.
        methods: The names of the methods, in the order of rows.
        pairs: The names of the pairs that every method has.
        values: (methods, pairs, metrics) float64.
    """

    metrics: tuple[Metric, ...]
    methods: tuple[str, ...]
    pairs: tuple[str, ...]
    values: npt.NDArray[np.float64]

    @property
    def means(self) -> npt.NDArray[np.float64]:
        """(methods, metrics) float64 means over the pairs. A mean is not finite if a value is not."""
        return self.values.mean(axis=1)

    @property
    def texts(self) -> list[list[str]]:
        """The printed means by method and metric, with four digits for the largest mean of a column."""
        columns = [format_column(column) for column in self.means.T]
        return [list(row) for row in zip(*columns, strict=True)]

    @property
    def ranks(self) -> npt.NDArray[np.int64]:
        """(methods, metrics) ranks from 1, the best. Means that print the same share the better rank."""
        columns = [
            rank([float(text) for text in column], metric.larger_is_better)
            for column, metric in zip(zip(*self.texts, strict=True), self.metrics, strict=True)
        ]
        return np.array(columns, np.int64).T

    @property
    def mean_ranks(self) -> npt.NDArray[np.float64]:
        """(methods,) mean rank of each method."""
        return self.ranks.mean(axis=1)


def summarise(values: Mapping[str, Values], metrics: Sequence[Metric]) -> Summary:
    """Arrange the values of several methods over the pairs that all of them have.

    Args:
        values: The values by the name of the method.
        metrics: The metrics to include.

    Raises:
        ValueError: No pair has values of all methods.
    """
    pairs = common_pairs(values, [metric.name for metric in metrics])
    table = [[[rows[pair][metric.name] for metric in metrics] for pair in pairs] for rows in values.values()]
    return Summary(tuple(metrics), tuple(values), tuple(pairs), np.array(table, np.float64))


def common_pairs(values: Mapping[str, Values], columns: Sequence[str]) -> list[str]:
    """Return the sorted names of the pairs that have values in these columns for every method.

    Raises:
        ValueError: There is no such pair.
    """
    complete = [
        {pair for pair, row in rows.items() if all(column in row for column in columns)}
        for rows in values.values()
    ]
    pairs = sorted(set.intersection(*complete))
    if not pairs:
        raise ValueError(f"no pair could be measured for all of {', '.join(values)}")
    return pairs


def heading(metric: Metric) -> str:
    """Return the name of a metric with an arrow: up if larger is better, down if smaller is better."""
    return f"{metric.name} {'↑' if metric.larger_is_better else '↓'}"


def format_column(values: Sequence[float] | npt.NDArray[np.float64]) -> list[str]:
    """Format a column with the same number of decimals: four digits for its largest value, at most three."""
    finite = [abs(float(value)) for value in values if math.isfinite(value)]
    decimals = min(3, max(0, 3 - int(math.log10(max([*finite, 1.0])))))
    return [f"{value:.{decimals}f}" for value in values]


def rank(values: Sequence[float], larger_is_better: bool) -> list[int]:
    """Return ranks from 1. Equal values share the better rank and skip the next one; NaN comes last."""
    costs = [math.inf if math.isnan(v) else -v if larger_is_better else v for v in values]
    return [1 + sum(other < cost for other in costs) for cost in costs]
