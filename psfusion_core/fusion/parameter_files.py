"""Reads the parameters of `psfusion bag` from ROS parameter files and from the command line, without ROS."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import Field, fields, replace
from pathlib import Path
from typing import Any

import yaml

from psfusion_core.base.wording import nearest, one_line
from psfusion_core.fusion.fusion_parameters import FusionParameters
from psfusion_core.fusion.node_parameters import ROS_PARAMETERS, NodeParameters
from psfusion_core.registration.registration_files import PARAMETERS

NODES = ("psfusion_node", "*", "**")
"""The last part of the names under which a file may give the node's parameters."""


def read_parameters(files: Iterable[Path], words: Iterable[str] = ()) -> FusionParameters:
    """Read the parameters that decide how pairs are formed and fused; of several values, the last one holds.

    A file may hold all parameters of the node. Those that matter only on a robot are ignored.

    Args:
        files: ROS parameter files, such as config/psfusion.yaml or the result of psfusion calibrate.
        words: NAME=VALUE each, such as sync.tolerance_ms=30. They override the files.

    Raises:
        OSError: a file cannot be read.
        ValueError: a file is no parameter file, a parameter is unknown, or its value is not allowed.
    """
    known = {item.metadata["name"]: item for item in fields(FusionParameters)}
    of_node = [item.metadata["name"] for item in fields(NodeParameters)]
    values: dict[str, Any] = {}
    for file in files:
        for name, value in _flatten(_of_node(file)):
            if name in known:
                values[known[name].name] = _checked(known[name], value, f"in {file}")
            elif name not in of_node and name.partition(".")[0] not in ROS_PARAMETERS:
                raise ValueError(
                    f"expected parameters of psfusion_node in {file}, got {name}; {_guess(name, of_node)}"
                )
    for word in words:
        name, equals, text = word.partition("=")
        if not equals:
            raise ValueError(f"expected NAME=VALUE, such as sync.tolerance_ms=30, got {word!r}")
        if name not in known:
            reason = "it matters only on a robot" if name in of_node else _guess(name, known)
            raise ValueError(f"expected NAME=VALUE of a known parameter, got {word!r}; {reason}")
        values[known[name].name] = _checked(known[name], _load(text, repr(word)), f"in {word!r}")
    parameters = replace(FusionParameters(), **values)
    parameters.check()
    return parameters


def _guess(name: str, known: Iterable[str]) -> str:
    return f"the nearest known one is {nearest(name, known)!r}"


def _of_node(file: Path) -> dict[str, Any]:
    """Return the node's parameters in a file; a later entry overrides an earlier one."""
    document = _load(file.read_text(encoding="utf-8"), str(file))
    found: dict[str, Any] = {}
    is_there = False
    for name, node in document.items() if isinstance(document, dict) else ():
        given = node.get(PARAMETERS) if isinstance(node, dict) else None
        if str(name).rpartition("/")[2] in NODES and isinstance(given, dict):
            is_there = True
            found |= given
    if not is_there:
        raise ValueError(
            f"expected {PARAMETERS} of psfusion_node (or of /**) in {file}, got none: give a parameter file"
        )
    return found


def _flatten(tree: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flatten(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _load(text: str, where: str) -> Any:
    try:
        return yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, LookupError, RecursionError) as error:  # PyYAML raises these too
        raise ValueError(f"expected YAML in {where}, got {one_line(error)}") from error


def _checked(item: Field[Any], value: Any, where: str) -> Any:
    """Return a value in the type of its parameter; ValueError if it is not allowed."""
    name, default = item.metadata["name"], item.default
    limits, choices = item.metadata["limits"], item.metadata["choices"]
    try:
        taken = _like(default, value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"expected {name} to be like {_shown(default)} {where}, got {value!r}") from error
    if choices and taken not in choices:
        raise ValueError(f"expected {name} to be one of {', '.join(choices)} {where}, got {value!r}")
    if limits and not limits[0] <= taken <= limits[1]:
        raise ValueError(f"expected {name} from {limits[0]:g} to {limits[1]:g} {where}, got {value!r}")
    return taken


def _like(default: Any, value: Any) -> Any:
    if isinstance(default, tuple):
        if not isinstance(value, list):
            raise TypeError
        return tuple(_like(default[0], entry) for entry in value)
    if isinstance(default, str):
        if not isinstance(value, str):
            raise TypeError
        return value
    if isinstance(value, bool) or not isinstance(value, int if isinstance(default, int) else (int, float)):
        raise TypeError
    return type(default)(value)


def _shown(default: Any) -> str:
    return str(list(default) if isinstance(default, tuple) else default)
