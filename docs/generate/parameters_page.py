"""The page of the node's parameters: what `ros2 param describe` says of each, in groups."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import Field, fields
from pathlib import Path
from typing import Any

import yaml
from rcl_interfaces.msg import ParameterDescriptor

from psfusion_ros.live_parameters import READ, describe
from psfusion_ros.node_parameters import CONFIGURE, LIVE, START, Parameters

TYPES = {bool: "bool", int: "int", float: "double", str: "string"}

HEAD = f"""# Parameters of psfusion_node

Made from the descriptors that the node declares: what `ros2 param describe /psfusion_node NAME` says. The
parameter file at the end of this page has them all, with more words about each.

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

What is out of its range, no choice, or contradicts another parameter is refused with the reason. Numbers with
a point are floating point: write `30.0`, not `30`.
"""


TABLE_HEAD = "| parameter | default | allowed | read | meaning |\n| --- | --- | --- | --- | --- |"


def make_parameters_page(parameter_file: Path) -> str:
    """Return the page as Markdown, in the order of the parameter file, which stands at its end."""
    text = parameter_file.read_text(encoding="utf-8").rstrip()
    order = _names(yaml.safe_load(text)["/**"]["ros__parameters"])
    parts = [HEAD]
    groups: dict[str, list[Field[Any]]] = defaultdict(list)
    for item in sorted(fields(Parameters), key=lambda item: order.index(item.metadata["name"])):
        groups[_group(item)].append(item)
    for group, members in groups.items():
        rows = "\n".join(_row(item, describe(item)) for item in members)
        parts.append(f"## {group}\n\n{TABLE_HEAD}\n{rows}\n")
    parts.append(f'## The parameter file\n\n```yaml title="config/{parameter_file.name}"\n{text}\n```\n')
    return "\n".join(parts)


def _names(tree: dict[str, Any], prefix: str = "") -> list[str]:
    names: list[str] = []
    for key, value in tree.items():
        names += _names(value, f"{prefix}{key}.") if isinstance(value, dict) else [prefix + key]
    return names


def _group(item: Field[Any]) -> str:
    name: str = item.metadata["name"]
    if "." in name:
        return name.split(".")[0]
    return {"transport": "transport", "autostart": "node", "enabled": "node"}.get(name, "engine")


def _row(item: Field[Any], descriptor: ParameterDescriptor) -> str:
    read = item.metadata["read"]
    cells = (
        f"`{descriptor.name}`",
        f"`{_value(item.default)}`",
        _allowed(item, descriptor),
        f"**{read}**" if read == LIVE else read,
        descriptor.description.replace("|", "\\|"),
    )
    return f"| {' | '.join(cells)} |"


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(_value(part) for part in value)}]"
    return f"{value:.15g}" + ".0" * value.is_integer() if isinstance(value, float) else str(value)


def _allowed(item: Field[Any], descriptor: ParameterDescriptor) -> str:
    ranges = (*descriptor.floating_point_range, *descriptor.integer_range)
    if ranges:
        return f"{ranges[0].from_value:.15g} to {ranges[0].to_value:.15g}"
    if item.metadata["choices"]:
        return ", ".join(f"`{choice}`" for choice in item.metadata["choices"])
    if isinstance(item.default, tuple):
        return f"{len(item.default)} x {TYPES[type(item.default[0])]}"
    return TYPES[type(item.default)]
