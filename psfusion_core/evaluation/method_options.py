"""Parses the options that name methods on the command line, such as NAME=DIR."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from psfusion_core.evaluation.methods import BaselineMethod, FolderMethod, Method, MethodError, ModelMethod


class MethodOption(NamedTuple):
    """An option that names a method.

    Attributes:
        kind: "fused" or "masks" (NAME=DIR), "model" ([NAME=]MODEL[:WEIGHTS]) or "baseline" (the rule).
        text: The value of the option.
    """

    kind: str
    text: str

    def split(self) -> tuple[str, str]:
        """Return the name of the method, and the rest of the text.

        Raises:
            MethodError: The text has another form.
        """
        name, equals, rest = self.text.partition("=")
        if self.kind == "baseline":
            return self.text, self.text
        if self.kind == "model" and not equals:
            return self.text.partition(":")[0], self.text
        if not name or not rest:
            raise MethodError(f"--{self.kind} {self.text!r}: expected NAME=DIR, such as ours=out/fused")
        return name, rest


def make_methods(options: Sequence[MethodOption], device: str) -> list[Method]:
    """Make the methods in the order in which they are first named.

    If "fused" and "masks" have the same name, they make one method.

    Args:
        options: At least one option.
        device: The device that runs networks.

    Raises:
        ValueError: A text has another form, or a name is unknown or given twice.
        FileNotFoundError: A folder or weights are missing.
    """
    by_name: dict[str, dict[str, str]] = {}
    for option in options:
        name, rest = option.split()
        given = by_name.setdefault(name, {})
        if given and ({*given, option.kind} != {"fused", "masks"} or option.kind in given):
            raise MethodError(f"two methods are named {name!r}: rename one of them, as NAME=...")
        given[option.kind] = rest
    return [_make_method(name, given, device) for name, given in by_name.items()]


def _make_method(name: str, given: dict[str, str], device: str) -> Method:
    if "baseline" in given:
        return BaselineMethod(name)
    if "model" in given:
        model, _, weights = given["model"].partition(":")
        return ModelMethod(name, model, weights or "default", device)
    return FolderMethod(name, *(Path(given[kind]) if kind in given else None for kind in ("fused", "masks")))
