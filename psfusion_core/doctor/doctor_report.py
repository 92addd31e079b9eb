"""Prints findings as lines for people or as JSON for programs."""

from __future__ import annotations

import json
import sys
from collections import Counter

from psfusion_core.doctor.check import Finding, Status

COLORS: dict[Status, str] = {"ok": "32", "warning": "33", "error": "31", "skipped": "90"}
"""Terminal colours (SGR codes): green, yellow, red, grey."""


class DoctorReport:
    """Collects findings. It prints each one immediately, or all of them as JSON at the end."""

    def __init__(self, as_json: bool) -> None:
        self.findings: list[tuple[str, Finding]] = []
        self._as_json = as_json
        self._in_color = not as_json and sys.stdout.isatty()

    def add(self, name: str, finding: Finding) -> None:
        self.findings.append((name, finding))
        if not self._as_json:
            status = f"{finding.status:8}"
            if self._in_color:
                status = f"\033[{COLORS[finding.status]}m{status}\033[0m"
            print(f"{status} {name}: {_printable(finding.message)}")
            if finding.fix:
                print(f"{'':8} to do: {_printable(finding.fix)}")
            sys.stdout.flush()

    def end(self) -> int:
        """Print the summary and return the exit status, which is 1 if there is an error."""
        counts = Counter(finding.status for _, finding in self.findings)
        if self._as_json:
            rows = [{"check": name, **vars(finding)} for name, finding in self.findings]
            print(json.dumps({"counts": dict(counts), "findings": rows}, indent=2))
        else:
            warnings, errors = (_count(counts[status], status) for status in ("warning", "error"))
            print(f"{counts['ok']} ok, {warnings}, {errors}, {counts['skipped']} not checked")
        return 1 if counts["error"] else 0


def _printable(text: str) -> str:
    """Replace control characters by spaces, because messages quote text that came over the network."""
    return "".join(character if character.isprintable() else " " for character in text)


def _count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"
