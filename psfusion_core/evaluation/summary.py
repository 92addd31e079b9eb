"""Means over the pairs that all methods have, and the ranks they give."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from psfusion_core.metrics import Metric

Values = Mapping[str, Mapping[str, float]]
"""Values by column of every pair, by its name."""


@dataclass(frozen=True)
class Summary:
    """Methods against metrics.

    Attributes:
        metrics: the columns.
        methods: the rows.
        pairs: names of the pairs that every method has; all else is over these.
        values: (methods, pairs, metrics) float64.
    """

    metrics: tuple[Metric, ...]
    methods: tuple[str, ...]
    pairs: tuple[str, ...]
    values: npt.NDArray[np.float64]

    @property
    def means(self) -> npt.NDArray[np.float64]:
        """(methods, metrics) float64; not finite where the value of a pair is not."""
        return self.values.mean(axis=1)

    @property
    def texts(self) -> list[list[str]]:
        """Means as they are printed, by method and metric: four digits of the largest of a column."""
        columns = [format_column(column) for column in self.means.T]
        return [list(row) for row in zip(*columns, strict=True)]

    @property
    def ranks(self) -> npt.NDArray[np.int64]:
        """(methods, metrics) ranks from 1, the best; what prints the same shares the better rank."""
        columns = [
            rank([float(text) for text in column], metric.larger_is_better)
            for column, metric in zip(zip(*self.texts, strict=True), self.metrics, strict=True)
        ]
        return np.array(columns, np.int64).T

    @property
    def mean_ranks(self) -> npt.NDArray[np.float64]:
        """(methods,) mean of the ranks of each method."""
        return self.ranks.mean(axis=1)


def summarise(values: Mapping[str, Values], metrics: Sequence[Metric]) -> Summary:
    """Arrange the values of several methods over the pairs that all of them have.

    Args:
        values: of every method by its name.
        metrics: to take.

    Raises:
        ValueError: no pair has values of all methods.
    """
    pairs = common_pairs(values, [metric.name for metric in metrics])
    table = [[[rows[pair][metric.name] for metric in metrics] for pair in pairs] for rows in values.values()]
    return Summary(tuple(metrics), tuple(values), tuple(pairs), np.array(table, np.float64))


def common_pairs(values: Mapping[str, Values], columns: Sequence[str]) -> list[str]:
    """Names, in order, of the pairs that have these values of every method.

    Raises:
        ValueError: there is none.
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
    """Its name, and an arrow up where larger is better, down where smaller is."""
    return f"{metric.name} {'↑' if metric.larger_is_better else '↓'}"


def format_column(values: Sequence[float] | npt.NDArray[np.float64]) -> list[str]:
    """Print a column with the same decimals: as many as give its largest value four digits, at most three."""
    finite = [abs(float(value)) for value in values if math.isfinite(value)]
    decimals = min(3, max(0, 3 - int(math.log10(max([*finite, 1.0])))))
    return [f"{value:.{decimals}f}" for value in values]


def rank(values: Sequence[float], larger_is_better: bool) -> list[int]:
    """Ranks from 1; equal values share the better rank and the next is left out; NaN comes last."""
    costs = [math.inf if math.isnan(v) else -v if larger_is_better else v for v in values]
    return [1 + sum(other < cost for other in costs) for cost in costs]
