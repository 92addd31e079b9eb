"""Errors in one line."""

from __future__ import annotations

import pytest

from psfusion_core.base.wording import one_line


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("expected a,\n  got\tb\r\n"), "expected a, got b"),
        (RuntimeError(), "RuntimeError"),
        (OSError("\n"), "OSError"),
    ],
)
def test_the_message_is_one_line_and_the_type_where_there_is_none(error: Exception, line: str) -> None:
    assert one_line(error) == line
