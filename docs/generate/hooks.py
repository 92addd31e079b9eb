"""What MkDocs is told to do beside its own: pages and figures made from the code, links to the repository.

A page holds `<!-- figure: NAME -->` where a figure goes, and `<!-- table: FILE: HEADER ROW -->` where a table
of another file does.
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
from repository_files import PAGES, ROOT, SHOWN, relink, table_of

FIGURES: dict[str, Callable[[], str]] = {
    "data flow": draw_data_flow,
    "psfusion_lite": lambda: draw_network("psfusion_lite"),
    "psfusion": lambda: draw_network("psfusion"),
}
FIGURE = re.compile(r"<!-- figure: (.+?) -->")
TABLE = re.compile(r"<!-- table: (\S+): (.+?) -->")
ROLE = re.compile(r":(?:class|data|func|meth|mod):(?=<code>)")
"""Roles of reStructuredText in docstrings; what follows them is a name as it is."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages that are made here, and every file of the repository that a page links to."""
    pages = {name: (ROOT / source).read_text(encoding="utf-8") for name, source in PAGES.items()}
    pages["parameters.md"] = make_parameters_page(ROOT / "config" / "psfusion.yaml")
    for name, text in pages.items():
        files.append(File.generated(config, name, content=text))
    linked: set[str] = set()
    for file in files.documentation_pages():
        linked |= relink(file.content_string, file.src_uri)[1]
    for path in sorted(linked):
        files.append(File.generated(config, f"{SHOWN}/{path}", abs_src_path=str(ROOT / path)))
    return files


def on_page_markdown(markdown: str, page: Page, **_: Any) -> str:
    """Put figures and tables where a page wants them, and mend its links."""
    markdown, _files = relink(markdown, page.file.src_uri)
    markdown = TABLE.sub(lambda match: table_of(match[1], match[2]), markdown)
    return FIGURE.sub(lambda match: f"<figure>\n{FIGURES[match[1]]()}\n</figure>", markdown)


def on_page_content(html: str, **_: Any) -> str:
    return ROLE.sub("", html)
