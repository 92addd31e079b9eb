"""Writes config/psfusion.yaml from the declarations in psfusion_core/fusion/node_parameters.py.

Run `make parameters`, or from the repository root: .venv/bin/python docs/generate/parameter_file.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import Field, fields
from pathlib import Path
from textwrap import wrap
from typing import Any

from psfusion_core.base.atomic_file import replacing
from psfusion_core.fusion.fusion_parameters import CONFIGURE, FusionParameters
from psfusion_core.fusion.node_parameters import GROUPS, NodeParameters

FILE = Path(__file__).resolve().parents[2] / "config" / "psfusion.yaml"

HEAD = """\
# Parameters of psfusion_node with their defaults. `make parameters` writes this file from
# psfusion_core/fusion/node_parameters.py: change defaults and comments there.
#
# On a robot, copy this file, keep the lines that you change, and start the node with the copy:
#   ros2 run psfusion_ros psfusion_node --ros-args --params-file psfusion.yaml
# Numbers with a point are floating point: write 30.0, not 30.
#
# (live)   The parameter can be set at any time with ros2 param set or rqt, and takes effect at once.
# (start)  The parameter is read once, when the node starts.
# All others are read when the node is configured. To change one, deactivate and clean up the node,
# set the parameter, and configure and activate the node again (ros2 lifecycle set), or restart it.
/**:
  ros__parameters:
"""

COMMENT_COLUMN = 32
"""Column of the comments. A value that reaches it has its comment in the lines below."""

WIDTH = 105

NO_BREAK = "\N{NO-BREAK SPACE}"
"""Keeps a range and its unit in one line."""


def make_parameter_file() -> str:
    """Return the text of config/psfusion.yaml."""
    members: dict[str, list[Field[Any]]] = {group: [] for group in GROUPS}
    for item in parameters_in_order():
        members[item.metadata["group"]].append(item)
    blocks = ("\n".join(_group_lines(group, items)) for group, items in members.items())
    return HEAD + "\n\n".join(blocks) + "\n"


def parameters_in_order() -> list[Field[Any]]:
    """Return the fields of `NodeParameters` by group; in a group, those of a robot come first."""
    order, of_fusion = list(GROUPS), {item.name for item in fields(FusionParameters)}
    return sorted(
        fields(NodeParameters), key=lambda item: (order.index(item.metadata["group"]), item.name in of_fusion)
    )


def yaml_value(value: Any) -> str:
    """Return a default as YAML; floating point numbers have a point."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(yaml_value(part) for part in value)}]"
    return str(value)


def plain_number(value: float) -> str:
    """Return a limit without an exponent and without zeros at its end."""
    return f"{value:f}".rstrip("0").rstrip(".")


def _group_lines(group: str, items: list[Field[Any]]) -> Iterator[str]:
    indent = " " * 4
    if items[0].metadata["name"].startswith(f"{group}."):
        yield from _commented(f"{indent}{group}:", [GROUPS[group]])
        indent += " " * 2
    for item in items:
        key = item.metadata["name"].rpartition(".")[2]
        yield from _commented(f"{indent}{key}: {yaml_value(item.default)}", _comment(item))


def _comment(item: Field[Any]) -> list[str]:
    """Return the paragraphs that explain a parameter."""
    metadata = item.metadata
    text = "" if metadata["read"] == CONFIGURE else f"({metadata['read']}) "
    text += metadata["description"]
    unit = metadata["unit"]
    if metadata["limits"]:
        low, high = map(plain_number, metadata["limits"])
        text += ": " + f"{low} to {high} {unit}".rstrip().replace(" ", NO_BREAK)
    elif unit:
        text += f", in {unit}"
    choices = [f"  {name}: {meaning}" for name, meaning in metadata["choices"].items()]
    if choices:
        return [f"{text}:", *choices, metadata["details"]]
    return [f"{text}. {metadata['details']}"]


def _commented(line: str, paragraphs: list[str]) -> Iterator[str]:
    """Yield a line with a comment to its right, wrapped into the lines below."""
    margin = " " * COMMENT_COLUMN + "# "
    comment = [
        part
        for paragraph in paragraphs
        for part in wrap(
            paragraph,
            WIDTH - len(margin),
            subsequent_indent=" " * 4 if paragraph.startswith(" ") else "",
            break_on_hyphens=False,
        )
    ]
    if comment and len(line) < COMMENT_COLUMN:
        line = f"{line:<{COMMENT_COLUMN}}# {comment.pop(0)}"
    yield line.replace(NO_BREAK, " ")
    for part in comment:
        yield (margin + part).replace(NO_BREAK, " ")


if __name__ == "__main__":
    with replacing(FILE) as temporary:
        temporary.write_text(make_parameter_file(), encoding="utf-8")
