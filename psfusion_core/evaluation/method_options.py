"""Methods as a command line names them: words such as NAME=DIR, turned into methods in their order."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from psfusion_core.evaluation.methods import BaselineMethod, FolderMethod, Method, MethodError, ModelMethod


class MethodOption(NamedTuple):
    """An option that names a method.

    Attributes:
        kind: "fused" or "masks" (NAME=DIR), "model" ([NAME=]MODEL[:WEIGHTS]) or "baseline" (its rule).
        text: of this form.
    """

    kind: str
    text: str

    def split(self) -> tuple[str, str]:
        """Name, and the rest of the text.

        Raises:
            MethodError: not of that form.
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
    """Make the methods in the order of their first mention.

    A name given as "fused" and as "masks" is one method with both.

    Args:
        options: at least one.
        device: where networks run.

    Raises:
        ValueError: a text of another form, an unknown name, or a name that is given twice.
        FileNotFoundError: a folder or weights are missing.
    """
    by_name: dict[str, dict[str, str]] = {}
    for option in options:
        name, rest = option.split()
        given = by_name.setdefault(name, {})
        if given and ({*given, option.kind} != {"fused", "masks"} or option.kind in given):
            raise MethodError(f"two methods are named {name!r}: name one of them anew, as NAME=...")
        given[option.kind] = rest
    return [_make_method(name, given, device) for name, given in by_name.items()]


def _make_method(name: str, given: dict[str, str], device: str) -> Method:
    if "baseline" in given:
        return BaselineMethod(name)
    if "model" in given:
        model, _, weights = given["model"].partition(":")
        return ModelMethod(name, model, weights or "default", device)
    return FolderMethod(name, *(Path(given[kind]) if kind in given else None for kind in ("fused", "masks")))
