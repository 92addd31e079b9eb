"""Turns docstring lines that begin with >>> into code blocks; mkdocstrings does so only under a heading."""

from __future__ import annotations

import re
from typing import Any

from griffe import Extension, Object

EXAMPLE = re.compile(r"(?:^>>> .*\n?)+", re.MULTILINE)


class DocstringExamples(Extension):
    """Fences examples before the docstring is parsed."""

    def on_object(self, *, obj: Object, **_: Any) -> None:
        if obj.docstring is not None:
            obj.docstring.value = EXAMPLE.sub(_fence, obj.docstring.value)


def _fence(match: re.Match[str]) -> str:
    code = re.sub(r"^>>> ", "", match[0], flags=re.MULTILINE).rstrip("\n")
    return f"```python\n{code}\n```\n"
