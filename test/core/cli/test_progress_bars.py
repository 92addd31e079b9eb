"""Progress bars are for people: where standard error goes into a file or a log there are none."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import psfusion_core
from psfusion_core.cli import main

ROOT = Path(psfusion_core.__file__).parents[1]


def bars() -> Iterator[tuple[str, ast.Call]]:
    """Yield every call of tqdm with its file and line."""
    for package in ("psfusion_core", "psfusion_ros"):
        for file in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tqdm":
                    yield f"{file.relative_to(ROOT)}:{node.lineno}", node


def can_be_none(value: ast.expr) -> bool:
    """Whether an expression is None, or ends in `or None`."""
    last = value.values[-1] if isinstance(value, ast.BoolOp) else value
    return isinstance(last, ast.Constant) and last.value is None


def test_every_progress_bar_is_off_where_standard_error_is_no_terminal() -> None:
    found = list(bars())
    assert len(found) > 10
    for place, call in found:
        given = (keyword.value for keyword in call.keywords if keyword.arg == "disable")
        assert any(map(can_be_none, given)), f"{place} is shown in logs: give it disable=None"


def test_a_command_writes_no_progress_bar_into_a_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    drive = ["simulate", "--output", str(tmp_path / "drive"), "--size", "96x64", "--seconds", "0.2"]
    assert main(drive) == 0
    assert capsys.readouterr().err == ""
