"""Hooks of MkDocs: they add pages and figures made from the code, and links to files of the repository.

A page marks the place of a figure with `<!-- figure: NAME -->`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from data_flow_figure import draw_data_flow
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page
from network_figure import draw_network
from parameters_page import make_parameters_page
from repository_files import PAGES, ROOT, SHOWN, relink

FIGURES: dict[str, Callable[[], str]] = {
    "data flow": draw_data_flow,
    "psfusion_lite": lambda: draw_network("psfusion_lite"),
    "psfusion": lambda: draw_network("psfusion"),
}
FIGURE = re.compile(r"<!-- figure: (.+?) -->")
ROLE = re.compile(r":(?:class|data|func|meth|mod):(?=<code>)")
"""Roles of reStructuredText in docstrings. They are removed, so that only the name after them remains."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the generated pages, and every file of the repository that a page links to."""
    pages = {name: (ROOT / source).read_text(encoding="utf-8") for name, source in PAGES.items()}
    pages["parameters.md"] = make_parameters_page()
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    linked: set[str] = set()
    for file in files.documentation_pages():
        linked |= relink(file.content_string, file.src_uri)[1]
    for path in sorted(linked):
        files.append(File.generated(config, f"{SHOWN}/{path}", abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Insert the figures of a page and rewrite its links."""
    markdown, _files = relink(markdown, page.file.src_uri)
    return FIGURE.sub(lambda match: f"<figure>\n{FIGURES[match[1]]()}\n</figure>", markdown)


def on_page_content(html: str, **_: Any) -> str:
    return ROLE.sub("", html)
