"""Draws boxes in a grid and arrows between them as SVG, in the colours of the page."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from html import escape

CELL = 156
"""Width of a column in pixels. A box is GAP narrower."""

GAP = 14
LINE = 15
PADDING = 9
ROW_GAP = 40


@dataclass(frozen=True)
class Box:
    """One box.

    Attributes:
        lines: Lines of text. The first one is the title.
        column: Column of the centre of the box. The first column is 1.
        row: Row from the top. The first row is 0.
        kind: Name of the colour in figures.css.
        span: Number of columns that the box covers.
        tip: Text that appears when the mouse rests on the box.
    """

    lines: tuple[str, ...]
    column: float
    row: int
    kind: str
    span: float = 1.0
    tip: str = ""

    @property
    def left(self) -> float:
        return (self.column - self.span / 2 - 0.5) * CELL + GAP / 2

    @property
    def width(self) -> float:
        return self.span * CELL - GAP

    @property
    def centre(self) -> float:
        return self.left + self.width / 2

    @property
    def height(self) -> float:
        return len(self.lines) * LINE + 2 * PADDING


@dataclass(frozen=True)
class Arrow:
    """An arrow from one box to another, by their names. `kind` names its colour in figures.css."""

    start: str
    end: str
    kind: str = "plain"
    label: str = ""


def draw(boxes: dict[str, Box], arrows: list[Arrow], title: str) -> str:
    """Return the figure as one SVG element without blank lines, as Markdown requires.

    Args:
        boxes: Boxes by name.
        arrows: Arrows between the boxes, from a row to a lower one, or within a row.
        title: Description of the figure for people who cannot see it.

    Raises:
        KeyError: An arrow names a box that does not exist.
    """
    tops = _tops(boxes)
    columns = max(box.column + box.span / 2 for box in boxes.values()) - 0.5
    lowest = max(boxes.values(), key=lambda box: tops[box.row] + box.height)
    width, height = columns * CELL, tops[lowest.row] + lowest.height + 4
    parts = [
        f'<svg class="figure" viewBox="0 0 {width:.0f} {height:.0f}" role="img">',
        f"<title>{escape(title)}</title>",
        *_arrows(boxes, arrows, tops),
        *(_box(box, tops[box.row]) for box in boxes.values()),
        "</svg>",
    ]
    return "\n".join(parts)


def _tops(boxes: dict[str, Box]) -> dict[int, float]:
    """Return the top edge of each row."""
    heights: dict[int, float] = defaultdict(float)
    for box in boxes.values():
        heights[box.row] = max(heights[box.row], box.height)
    tops, y = {}, 4.0
    for row in range(max(heights) + 1):
        tops[row] = y
        y += heights[row] + ROW_GAP
    return tops


def _box(box: Box, top: float) -> str:
    texts = [
        f'<text class="{"name" if number == 0 else "note"}" x="{box.centre:.1f}" '
        f'y="{top + PADDING + (number + 0.75) * LINE:.1f}">{escape(line)}</text>'
        for number, line in enumerate(box.lines)
    ]
    tip = f"<title>{escape(box.tip)}</title>" if box.tip else ""
    shape = (
        f'<rect x="{box.left:.1f}" y="{top:.1f}" width="{box.width:.1f}" height="{box.height:.1f}" rx="7"/>'
    )
    return f'<g class="box {box.kind}">{tip}{shape}{"".join(texts)}</g>'


def _arrows(boxes: dict[str, Box], arrows: list[Arrow], tops: dict[int, float]) -> list[str]:
    """Draw the arrows. Arrows that share an edge of a box are spread over it, in the order of their ends."""
    leaving, entering = defaultdict(list), defaultdict(list)
    for arrow in arrows:
        if boxes[arrow.start].row != boxes[arrow.end].row:
            leaving[arrow.start].append(arrow)
            entering[arrow.end].append(arrow)
    drawn = []
    for arrow in arrows:
        start, end = boxes[arrow.start], boxes[arrow.end]
        if start.row == end.row:
            drawn.append(_level(start, end, tops[start.row], arrow))
            continue
        x1 = _port(start, [boxes[a.end].centre for a in leaving[arrow.start]], end.centre, end.centre)
        x2 = _port(end, [boxes[a.start].centre for a in entering[arrow.end]], start.centre, x1)
        y1, y2 = tops[start.row] + start.height, tops[end.row]
        bend = min((y2 - y1) / 2, 60.0)
        line = f"M{x1:.1f} {y1:.1f}C{x1:.1f} {y1 + bend:.1f} {x2:.1f} {y2 - bend:.1f} {x2:.1f} {y2 - 6:.1f}"
        drawn.append(_path(line, f"M{x2 - 4:.1f} {y2 - 7:.1f}h8l-4 7z", arrow.kind))
        drawn += _label(x1 + 8, y1 + 17, arrow.label, "start")
    return drawn


def _level(start: Box, end: Box, top: float, arrow: Arrow) -> str:
    """Draw an arrow between two boxes of the same row."""
    y = top + min(start.height, end.height) / 2
    sign = 1 if start.centre < end.centre else -1
    x1, x2 = start.centre + sign * start.width / 2, end.centre - sign * end.width / 2
    head = f"M{x2 - sign * 7:.1f} {y - 4:.1f}v8l{sign * 7} -4z"
    label = "".join(_label((x1 + x2) / 2, y - 7, arrow.label, "middle"))
    return _path(f"M{x1:.1f} {y:.1f}H{x2 - sign * 6:.1f}", head, arrow.kind) + label


def _path(line: str, head: str, kind: str) -> str:
    return f'<path class="arrow {kind}" d="{line}"/><path class="head {kind}" d="{head}"/>'


def _label(x: float, y: float, text: str, anchor: str) -> list[str]:
    if not text:
        return []
    return [f'<text class="label" x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(text)}</text>']


def _port(box: Box, others: list[float], other: float, aim: float) -> float:
    """Return the x at which an arrow meets the edge of a box.

    Args:
        box: The box.
        others: Centres of the boxes at the other ends of all arrows that meet this edge.
        other: Centre of the box at the other end of this arrow. It orders the arrows on narrow boxes.
        aim: Preferred x. Only wide boxes use it.
    """
    if box.span > 1:
        return min(max(aim, box.left + 14), box.left + box.width - 14)
    return box.left + (sorted(others).index(other) + 1) / (len(others) + 1) * box.width
