"""Calls a function in a new process, because a broken library may crash the process that imports it."""

from __future__ import annotations

import importlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

SECONDS = 180.0
"""Time limit for a child. Importing PyTorch from a cold disk takes a while."""


class ChildError(RuntimeError):
    """The child process failed; the message says how."""


def ask_child(function: Callable[..., dict[str, Any]] | str, *arguments: str) -> dict[str, Any]:
    """Call a module's function in a new process.

    Args:
        function: A function of a module, whose result can be written as JSON. Give its name
            ("module:function") if this process must not import it.
        arguments: The arguments of the function.

    Raises:
        ChildError: The function raised an exception, crashed, or took longer than SECONDS.
    """
    name = function if isinstance(function, str) else f"{function.__module__}:{function.__name__}"
    words = [sys.executable, "-m", __name__, name, *arguments]
    try:
        done = subprocess.run(words, capture_output=True, text=True, timeout=SECONDS, check=False)
    except subprocess.TimeoutExpired:
        raise ChildError(f"no answer within {SECONDS:g} s") from None
    if done.returncode < 0:
        raise ChildError(f"the process crashed ({signal.Signals(-done.returncode).name})")
    if done.returncode:
        lines = done.stderr.strip().splitlines()
        raise ChildError(lines[-1] if lines else f"exit status {done.returncode}")
    facts: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return facts


if __name__ == "__main__":
    module, _, attribute = sys.argv[1].partition(":")
    print(json.dumps(getattr(importlib.import_module(module), attribute)(*sys.argv[2:])))
