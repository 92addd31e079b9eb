"""The page of the node's parameters: a table for each group, and the parameter file."""

from __future__ import annotations

from dataclasses import Field
from itertools import groupby
from typing import Any

from parameter_file import make_parameter_file, parameters_in_order, plain_number, yaml_value

from psfusion_core.fusion.fusion_parameters import CONFIGURE, LIVE, START
from psfusion_ros.live_parameters import READ, describe

TYPES = {bool: "bool", int: "int", float: "double", str: "string"}

HEAD = f"""# Parameters of psfusion_node

The tables show what `ros2 param describe /psfusion_node NAME` says. The parameter file at the end of this
page also explains the choices.

A parameter is read at one of three times:

| | |
| --- | --- |
| **{LIVE}** | {READ[LIVE]}, in the next image |
| **{CONFIGURE}** | {READ[CONFIGURE]} |
| **{START}** | {READ[START]}; read-only from then on |

```console
ros2 param set /psfusion_node gain.mode fixed
ros2 lifecycle set /psfusion_node deactivate
ros2 lifecycle set /psfusion_node cleanup
ros2 param set /psfusion_node engine torch
ros2 lifecycle set /psfusion_node configure
ros2 lifecycle set /psfusion_node activate
```

The node refuses a value that is out of its range, is not one of the choices, or contradicts another
parameter, and gives the reason. Numbers with a point are floating point: write `30.0`, not `30`.
"""


TABLE_HEAD = "| parameter | default | allowed | read | meaning |\n| --- | --- | --- | --- | --- |"


def make_parameters_page() -> str:
    """Return the page as Markdown."""
    parts = [HEAD]
    for group, members in groupby(parameters_in_order(), lambda item: item.metadata["group"]):
        rows = "\n".join(map(_row, members))
        parts.append(f"## {group}\n\n{TABLE_HEAD}\n{rows}\n")
    parts.append(
        f'## The parameter file\n\n```yaml title="config/psfusion.yaml"\n{make_parameter_file()}```\n'
    )
    return "\n".join(parts)


def _row(item: Field[Any]) -> str:
    read = item.metadata["read"]
    cells = (
        f"`{item.metadata['name']}`",
        f"`{yaml_value(item.default)}`",
        _allowed(item),
        f"**{read}**" if read == LIVE else read,
        describe(item).description.replace("|", "\\|"),
    )
    return f"| {' | '.join(cells)} |"


def _allowed(item: Field[Any]) -> str:
    if item.metadata["limits"]:
        return " to ".join(map(plain_number, item.metadata["limits"]))
    if item.metadata["choices"]:
        return ", ".join(f"`{choice}`" for choice in item.metadata["choices"])
    if isinstance(item.default, tuple):
        return f"{len(item.default)} x {TYPES[type(item.default[0])]}"
    return TYPES[type(item.default)]
