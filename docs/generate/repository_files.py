"""Files outside docs/ that the site shows: whole pages, and files of the repository that pages link to."""

from __future__ import annotations

import os
import re
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parents[2]

PAGES = {
    "training.md": "training/README.md",
    "contributing.md": "CONTRIBUTING.md",
    "model-card.md": "psfusion_core/models/weights/MODEL_CARD.md",
}
"""Files of the repository that become pages, by the name of the page."""

LINK = re.compile(r"(?<=\]\()(?!https?://|#|mailto:)([^)\s#]+)(#[^)\s]*)?(?=\))")

SHOWN = "repository"
"""Folder of the site that holds the linked files of the repository."""


def relink(markdown: str, page: str) -> tuple[str, set[str]]:
    """Turn links that leave docs/ into links within the site.

    Args:
        markdown: Text of a page.
        page: Path of the page within docs/. Links of a page in PAGES are relative to its source file.

    Returns:
        The new text, and the linked files of the repository, which the site must contain.

    Raises:
        FileNotFoundError: The target of a link does not exist.
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
            raise FileNotFoundError(f"{page} links to {target}, which does not exist")
        files.add(path)
        return f"{depth}{SHOWN}/{path}{anchor}"

    return LINK.sub(replace, markdown), files
