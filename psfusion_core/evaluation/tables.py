"""Formats tables as Markdown and LaTeX, with the best value in bold and the second underlined."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence

from psfusion_core.evaluation.label_counts import LabelScores
from psfusion_core.evaluation.summary import Summary, heading
from psfusion_core.metrics.box_agreement import BoxAgreement

MARKDOWN_BAR = r"\|"
LATEX_SPECIAL = {
    **{character: rf"\{character}" for character in "&%$#_{}"},
    "\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}",
    "↑": r"$\uparrow$", "↓": r"$\downarrow$",
}  # fmt: skip


def markdown_table(summary: Summary) -> str:
    """Format the means by method and metric, with a caption.

    If there are several methods, the best value of a column is bold, the second underlined, and the others
    have their rank in brackets.
    """
    heads = ["", *map(heading, summary.metrics)]
    rows = _named(summary.methods, _rows(summary, "**{}**", "<ins>{}</ins>", "{} ({})"))
    if len(summary.methods) > 1:
        heads.append("mean rank")
    lines = _markdown(heads, rows)
    return "\n".join([*lines, "", f"{caption(summary)} ↑: larger is better, ↓: smaller is better."])


def latex_table(summary: Summary) -> str:
    r"""Format the same table in LaTeX for the package booktabs, with \label{tab:fusion}."""
    heads = [escape_latex(heading(metric)) for metric in summary.metrics]
    cells = _rows(summary, r"\textbf{{{}}}", r"\underline{{{}}}", r"{} {{\scriptsize ({})}}")
    rows = _named(map(escape_latex, summary.methods), cells)
    if len(summary.methods) > 1:
        heads.append("Mean rank")
    lines = [
        r"% \usepackage{booktabs}",
        r"\begin{table}",
        r"  \centering\footnotesize\setlength{\tabcolsep}{3pt}",
        rf"  \caption{{{caption(summary)}}}",
        r"  \label{tab:fusion}",
        rf"  \begin{{tabular}}{{l{'r' * len(heads)}}}",
        r"    \toprule",
        f"    Method & {' & '.join(heads)} \\\\",
        r"    \midrule",
        *(f"    {' & '.join(row)} \\\\" for row in rows),
        r"    \bottomrule",
        r"  \end{tabular}",
        r"\end{table}",
    ]
    return "\n".join(lines)


def caption(summary: Summary) -> str:
    count = len(summary.pairs)
    means = f"Means over {count} pairs" if count > 1 else "One pair"
    if len(summary.methods) == 1:
        return f"{means}, on 8-bit luma."
    return f"{means}, on 8-bit luma; best in bold, second underlined, other ranks in brackets."


def label_table(scores: Mapping[str, LabelScores], classes: Sequence[str], pairs: int) -> str:
    """Format IoU of every class, mean IoU and accuracy by method as Markdown; `pairs` is their number."""
    heads = ["", *classes, "mean IoU", "accuracy"]
    rows = [
        [name, *(_share(iou) for iou in score.iou), _share(score.mean_iou), _share(score.accuracy)]
        for name, score in scores.items()
    ]
    lines = _markdown(heads, rows)
    return "\n".join([*lines, "", f"IoU of each class over all labelled pixels of {pairs} pairs."])


def box_table(scores: Mapping[str, Mapping[str, BoxAgreement]], pairs: int) -> str:
    """Format found boxes and pixels outside by class and method as Markdown; `pairs` is their number."""
    some = next(iter(scores.values()))
    heads = ["", *(f"{name} found (of {score.boxes})" for name, score in some.items())]
    heads += [f"{name} outside" for name in some]
    rows = [
        [
            name,
            *(_share(s.share_found) for s in classes.values()),
            *(str(s.pixels_outside) for s in classes.values()),
        ]
        for name, classes in scores.items()
    ]
    lines = _markdown(heads, rows)
    note = (
        f"Over {pairs} pairs. Found: share of the boxes with their class on more than a quarter of their "
        "pixels. Outside: pixels of the class outside all its boxes, each grown by a tenth."
    )
    return "\n".join([*lines, "", note])


def _rows(summary: Summary, best: str, second: str, other: str) -> list[list[str]]:
    """Return the cells of every method without its name. The formats get the mean and the rank."""
    if len(summary.methods) == 1:
        return summary.texts
    formats = {1: best, 2: second}
    return [
        [formats.get(rank, other).format(text, rank) for text, rank in zip(texts, ranks, strict=True)]
        + [f"{mean_rank:.1f}"]
        for texts, ranks, mean_rank in zip(summary.texts, summary.ranks, summary.mean_ranks, strict=True)
    ]


def escape_latex(text: str) -> str:
    return "".join(LATEX_SPECIAL.get(character, character) for character in text)


def _named(names: Iterable[str], rows: Iterable[list[str]]) -> list[list[str]]:
    return [[name, *row] for name, row in zip(names, rows, strict=True)]


def _markdown(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = (heads, ["---"] * len(heads), *rows)
    return [f"| {' | '.join(cell.replace('|', MARKDOWN_BAR) for cell in cells)} |" for cells in lines]


def _share(value: float) -> str:
    return "-" if math.isnan(value) else f"{value:.3f}"
