"""Spans of time in words."""

from __future__ import annotations

import pytest

from psfusion_core.base.wording import duration_in_words


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0.0, "0 ms"), (0.2004, "200 ms"), (1.0, "1.0 s"), (119.94, "119.9 s"), (120.0, "2 minutes"),
        (7199.0, "120 minutes"), (-7200.0, "2 hours"), (3 * 86_400.0, "3 days"), (1.7e9, "54 years"),
    ],
)  # fmt: skip
def test_a_span_is_told_in_a_unit_of_which_there_are_two_or_more(seconds: float, words: str) -> None:
    assert duration_in_words(seconds * 1e9) == words
