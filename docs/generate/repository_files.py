"""What lies outside docs/: pages that stand elsewhere, and links to files of the repository."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]

PAGES = {
    "training.md": "training/README.md",
    "model-card.md": "psfusion_core/models/weights/MODEL_CARD.md",
}
"""Pages by the file of the repository that they are."""

LINK = re.compile(r"(?<=\]\()(?!https?://|#|mailto:)([^)\s#]+)(#[^)\s]*)?(?=\))")

SHOWN = "repository"
"""Folder of the site that files of the repository are put into."""


def relink(markdown: str, page: str) -> tuple[str, set[str]]:
    """Turn links that leave docs/ into links within the site.

    Args:
        markdown: text of a page.
        page: its path within docs/; one of PAGES has its links relative to where it stands.

    Returns:
        The text, and the files of the repository that it links to and that must be put into the site.

    Raises:
        FileNotFoundError: a link to nothing.
    """
    files: set[str] = set()
    home = PurePosixPath(PAGES.get(page, f"docs/{page}")).parent
    depth = "../" * (len(PurePosixPath(page).parts) - 1)

    def replace(match: re.Match[str]) -> str:
        target, anchor = match[1], match[2] or ""
        path = os.path.normpath(home / target)
        if path.startswith("docs/"):
            return depth + path.removeprefix("docs/") + anchor
        if path == "README.md":
            return f"{depth}index.md{anchor}"
        for name, source in PAGES.items():
            if path == source:
                return depth + name + anchor
        if not (ROOT / path).is_file():
            raise FileNotFoundError(f"{page} links to {target}, which is not there")
        files.add(path)
        return f"{depth}{SHOWN}/{path}{anchor}"

    return LINK.sub(replace, markdown), files


def table_of(file: str, header: str) -> str:
    """Return the table of a Markdown file that begins with a header row.

    Raises:
        ValueError: there is none.
    """
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    if header not in lines:
        raise ValueError(f"{file} has no table that begins with {header!r}")
    rows = lines[lines.index(header) :]
    end = next((number for number, line in enumerate(rows) if not line.startswith("|")), len(rows))
    return "\n".join(rows[:end])
