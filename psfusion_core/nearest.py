"""What a misspelt name may have been meant for."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the known name most like a wrong one, however little that is; `known` has at least one."""
    return difflib.get_close_matches(name, list(known), 1, 0.0)[0]
