"""Draws cumulative curves of the metrics, and curves over the disturbances of the infrared image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from psfusion_core.base.atomic_file import replacing
from psfusion_core.evaluation.disturbances import LABELS, LEVELS, Disturbance
from psfusion_core.evaluation.summary import Summary, heading

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Colours of Okabe and Ito, which suit all kinds of colour vision, except yellow, which is too pale here."""

DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (6, 1.5, 1, 1.5)))
MARKERS = "osD^vP*X"
COLUMNS = 4
PANEL_WIDTH, PANEL_HEIGHT = 3.3, 2.5
DOTS_PER_INCH = 120


@dataclass(frozen=True)
class Quantity:
    """A quantity that is drawn over the disturbances.

    Attributes:
        name: The name in tables.
        heading: The name in figures.
        values: Values by method and condition (`Disturbance.name`). A method may be missing.
    """

    name: str
    heading: str
    values: Mapping[str, Mapping[str, float]]


Curve = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]


def cumulative_curve(values: Sequence[float] | npt.NDArray[np.float64]) -> Curve:
    """Return a curve whose points (x, y) mean: a share x of the pairs has a value of at most y.

    Args:
        values: (N,) values of the pairs.

    Returns:
        x, (N,) from 1 / N to 1, and y, (N,) the values in ascending order.
    """
    rising = np.sort(np.asarray(values, np.float64))
    return np.arange(1, len(rising) + 1) / len(rising), rising


def draw_cumulative_curves(summary: Summary, path: Path) -> None:
    """Draw a panel for each metric with a line for each method. The legends show the means.

    Args:
        summary: The values of the methods.
        path: The figure to write, such as a .png or .pdf file.

    Raises:
        ImportError: matplotlib is missing. The message says what to install.
    """
    columns = min(COLUMNS, len(summary.metrics))
    figure, panels = make_figure(-(-len(summary.metrics) // columns), columns, 0.19 * len(summary.methods))
    texts = summary.texts
    for number, (panel, metric) in enumerate(zip(panels, summary.metrics, strict=False)):
        for row, name in enumerate(summary.methods):
            x, y = cumulative_curve(summary.values[row, :, number])
            panel.plot(x, y, label=f"{name}  {texts[row][number]}", **style(row))
        panel.set_title(heading(metric), fontsize=10)
        panel.set_xlim(0.0, 1.0)
        panel.legend(
            loc="upper center", bbox_to_anchor=(0.5, -0.08), fontsize=8, frameon=False, handlelength=3.2,
            labelspacing=0.25,
        )  # fmt: skip
    for panel in panels[len(summary.metrics) :]:
        panel.set_axis_off()
    figure.supxlabel(
        f"share of the {len(summary.pairs)} pairs whose value is no more than the curve's; "
        "means in the legends; ↑ larger is better, ↓ smaller is better",
        fontsize=9,
    )
    save(figure, path)


def draw_disturbance_curves(quantities: Sequence[Quantity], methods: Sequence[str], path: Path) -> None:
    """Draw a row for each quantity, a column for each kind of disturbance, and a line for each method.

    Args:
        quantities: The rows. The first one has values of all methods.
        methods: The names of the methods, in order.
        path: The figure to write.

    Raises:
        ImportError: matplotlib is missing. The message says what to install.
    """
    figure, panels = make_figure(len(quantities), len(LEVELS), 0.0)
    for number, quantity in enumerate(quantities):
        row = panels[number * len(LEVELS) : (number + 1) * len(LEVELS)]
        for panel, (kind, levels) in zip(row, LEVELS.items(), strict=True):
            conditions = [Disturbance(kind, level).name for level in levels]
            for place, name in enumerate(methods):
                if name in quantity.values:
                    values = [quantity.values[name][condition] for condition in conditions]
                    panel.plot(
                        levels, values, marker=MARKERS[place % len(MARKERS)], label=name, **style(place)
                    )
            panel.sharey(row[0])
            if levels[0] > levels[-1]:
                panel.set_xlim(1.04 * levels[0], 0.0)  # worse is always to the right
            if number == len(quantities) - 1:
                panel.set_xlabel(LABELS[kind], fontsize=9)
        row[0].set_ylabel(quantity.heading, fontsize=10)
    lines, names = panels[0].get_legend_handles_labels()
    figure.legend(
        lines, names, loc="outside upper center", ncols=min(6, len(names)), fontsize=9, frameon=False
    )
    figure.supxlabel(
        "measured against the undisturbed images; ↑ larger is better, ↓ smaller is better", fontsize=9
    )
    save(figure, path)


def make_figure(rows: int, columns: int, legend: float) -> tuple[Figure, list[Axes]]:
    """Make a figure of panels, listed row by row, with `legend` inches of space below each.

    Raises:
        ImportError: matplotlib is missing.
    """
    size = (PANEL_WIDTH * columns, (PANEL_HEIGHT + legend) * rows + 0.4)
    figure = import_figure()(figsize=size, layout="constrained")  # without pyplot, which looks for a display
    panels = list(figure.subplots(rows, columns, squeeze=False).ravel())
    for panel in panels:
        panel.grid(alpha=0.3, linewidth=0.6)
        panel.tick_params(labelsize=8)
        panel.spines[["top", "right"]].set_visible(False)
    return figure, panels


def import_figure() -> type[Figure]:
    """Import matplotlib's class of figures.

    Raises:
        ImportError: matplotlib is missing. The message says what to install.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError(f"{error}: figures need pip install '.[evaluate]'") from error
    return Figure


def style(number: int) -> dict[str, Any]:
    """Return the line style of a method by its index. Colour and dashes both differ, for print in grey."""
    return {
        "color": COLORS[number % len(COLORS)],
        "linestyle": DASHES[number % len(DASHES)],
        "linewidth": 1.6,
        "markersize": 4,
    }


def save(figure: Figure, path: Path) -> None:
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=DOTS_PER_INCH)
