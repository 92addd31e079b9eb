"""The documents build without a warning, and name nothing that is not there."""

from __future__ import annotations

import ast
import importlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import fields
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from documented_commands import FENCE, PARAMETERS, ROOT, SPAN, check_command, check_extras, commands

from psfusion_core.fusion.node_parameters import NodeParameters
from psfusion_core.models.classes import CLASS_NAMES
from psfusion_ros.live_parameters import describe

DOCS = ROOT / "docs"
PAGES = sorted(DOCS.rglob("*.md"))
TEXTS = [
    *PAGES,
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "training" / "README.md",
    ROOT / "psfusion_core" / "models" / "weights" / "MODEL_CARD.md",
]
CODE_FOLDERS = ("psfusion_core", "psfusion_ros", "launch", "config", "training", "docker", "docs", "test")
LINK = re.compile(r"\]\((?!https?://|#|mailto:)([^)\s#]+)")


def in_texts(name: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize(name, TEXTS, ids=lambda path: str(path.relative_to(ROOT)))


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Build the documents as a reader does; return where, and what was said."""
    folder = tmp_path_factory.mktemp("site")
    built = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    return folder, built.stdout + built.stderr


@pytest.fixture(scope="module")
def generators() -> Iterator[ModuleType]:
    """What MkDocs loads as its hooks, with their neighbours importable."""
    sys.path.insert(0, str(DOCS / "generate"))
    yield importlib.import_module("hooks")
    sys.path.remove(str(DOCS / "generate"))


def test_documents_build_strictly_without_a_warning(site: tuple[Path, str]) -> None:
    folder, said = site
    assert [line for line in said.splitlines() if re.match("WARNING|ERROR|Aborted", line)] == []
    assert (folder / "index.html").exists(), said


def test_reading_the_site_fetches_nothing_from_elsewhere(site: tuple[Path, str]) -> None:
    folder, said = site
    pages = list(folder.rglob("*.html"))
    assert pages, said
    for page in pages:
        html = page.read_text(encoding="utf-8")
        fetched = re.findall(r"<(?:script|img|iframe|source|video)\b[^>]*\bsrc=[\"']?([^\"' >]+)", html)
        fetched += re.findall(r"<link\b[^>]*\brel=[\"']?(?:stylesheet|preconnect|icon)[^>]*", html)
        assert not [what for what in fetched if "//" in what and not what.startswith("data:")], page.name
        assert not re.search(r'class="?mermaid', html), f"{page.name}: Material would fetch mermaid"


def test_no_page_tells_where_it_was_built(site: tuple[Path, str]) -> None:
    folder, said = site
    pages = list(folder.rglob("*.html"))
    assert pages, said
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.search(rf"{re.escape(str(ROOT))}|/(?:home|root|Users)/\w", text), page.name


@in_texts("text")
def test_every_relative_link_leads_to_a_file(text: Path, generators: ModuleType) -> None:
    made = {str(DOCS / page) for page in (*generators.PAGES, "parameters.md")}
    prose = FENCE.sub("", text.read_text(encoding="utf-8"))
    for target in LINK.findall(prose):
        path = (text.parent / target).resolve()
        assert path.exists() or str(path) in made, f"{text.name} links to {target}"


@in_texts("text")
def test_every_command_has_its_verb_options_executable_and_target(text: Path) -> None:
    for words in commands(text.read_text(encoding="utf-8")):
        problem = check_command(words)
        assert problem is None, f"{text.name}: {' '.join(words)}: {problem}"


@in_texts("text")
def test_every_parameter_extra_and_file_that_is_named_exists(text: Path) -> None:
    prose = text.read_text(encoding="utf-8")
    groups = {name.split(".")[0] for name in PARAMETERS if "." in name}
    for span in SPAN.findall(FENCE.sub("", prose)):
        if re.fullmatch(r"[a-z_]+\.[a-z_]+", span) and span.split(".")[0] in groups:
            assert span in PARAMETERS or (ROOT / span).exists(), f"{text.name} names parameter {span}"
        if re.fullmatch(r"[\w./-]+", span) and span.split("/")[0] in CODE_FOLDERS and "/" in span:
            assert (ROOT / span).exists(), f"{text.name} names {span}"
    for wanted in re.findall(r"'((?:\.|psfusion_ros)\[[\w,-]+\])'", prose):
        assert check_extras([wanted]) is None, f"{text.name} names {wanted}"


def test_house_of_contributing_has_the_layers_of_the_import_contract() -> None:
    contract = re.search(r"^layers = \[(.*?)^\]", (ROOT / "pyproject.toml").read_text(), re.M | re.S)
    house = re.search(r"^-+ no ROS.*?\n(.*?)^```", (ROOT / "CONTRIBUTING.md").read_text(), re.M | re.S)
    assert contract is not None
    assert house is not None
    shown = [line.split("  ") for line in house[1].splitlines() if not line.startswith("-")]
    layers = [layer.split(" | ") for layer in re.findall(r'"(.+)"', contract[1])]
    for layer, row in zip(layers, shown, strict=True):
        assert [cell.strip() for cell in row if cell.strip()][: len(layer)] == layer


def test_legend_of_the_readme_has_every_class_in_order() -> None:
    rows = re.findall(r"^\| (class|value in the mask) \| (.+) \|$", (ROOT / "README.md").read_text(), re.M)
    names, values = (cells.split(" | ") for _, cells in rows)
    assert tuple(names) == CLASS_NAMES
    assert [int(value) for value in values] == list(range(len(CLASS_NAMES)))


def test_every_message_that_troubleshooting_quotes_is_one_of_ours() -> None:
    said = " ".join(literals())
    page = (DOCS / "troubleshooting.md").read_text(encoding="utf-8")
    quotes = [span for row in re.findall(r"^\| (`.*?) \|", page, re.M) for span in SPAN.findall(row)]
    assert len(quotes) > 20
    for quote in quotes:
        for part in re.split(r"\.\.\.|[\d.]+|[:/?(]|\bn\b", quote):
            words = part.strip()
            assert words.count(" ") < 2 or words in said, f"nothing says {words!r} (of {quote!r})"


def test_parameters_page_has_every_parameter_as_its_descriptor_says(generators: ModuleType) -> None:
    page = generators.make_parameters_page()
    split = [line.split(" | ") for line in page.splitlines() if line.startswith("| `")]
    rows = {cells[0].strip("|` "): cells for cells in split}
    for item in fields(NodeParameters):
        name, descriptor = item.metadata["name"], describe(item)
        row = rows[name]
        assert row[-1].removesuffix(" |") == descriptor.description
        assert item.metadata["read"] in row[3]
        shown = yaml.safe_load(row[1].strip("`"))
        assert shown == (list(item.default) if isinstance(item.default, tuple) else item.default), name
        for limits in (*descriptor.floating_point_range, *descriptor.integer_range):
            low, high = (float(bound) for bound in row[2].split(" to "))
            assert (low, high) == (limits.from_value, limits.to_value), name


def test_parameter_file_is_current_and_stands_on_the_parameters_page(generators: ModuleType) -> None:
    text = importlib.import_module("parameter_file").make_parameter_file()
    written = (ROOT / "config" / "psfusion.yaml").read_bytes()
    assert written == text.encode(), "config/psfusion.yaml is out of date: run make parameters"
    assert text in generators.make_parameters_page()


@pytest.mark.parametrize("name", ["psfusion_lite", "psfusion"])
def test_network_figure_shows_every_part_and_refuses_a_missing_one(
    name: str, generators: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    figure = importlib.import_module("network_figure")
    svg = figure.draw_network(name)
    for part in figure.PLACES[name]:
        assert part.removeprefix("in:").removeprefix("out:").replace("_", " ") in svg
    incomplete = {part: place for part, place in figure.PLACES[name].items() if part != "sdfm1"}
    monkeypatch.setitem(figure.PLACES, name, incomplete)
    with pytest.raises(ValueError, match="sdfm1"):
        figure.draw_network(name)


def test_trace_records_what_feeds_a_module_through_operations_between(generators: ModuleType) -> None:
    import torch

    from psfusion_core.models.psfusion_lite import PSFusionLite

    with torch.device("meta"):
        found = importlib.import_module("network_trace").trace(PSFusionLite())
    assert found.modules["refine_full_size"].sources == {"sdfm1", "narrow"}  # concatenated, one enlarged
    assert found.modules["fused_head"].sources == {"refine_full_size", "in:visible", "in:infrared"}
    assert found.modules["psfm6"].sizes() == ["32 @ 1/32"]
    assert found.outputs["boundary"] == {"semantic_heads"}


def test_data_flow_figure_names_modules_that_exist(generators: ModuleType) -> None:
    for module, _ in importlib.import_module("data_flow_figure").MODULES.values():
        assert find_spec(module) is not None, module


@pytest.mark.parametrize(
    "command",
    [
        "psfusion melt --visible a",
        "psfusion fuse --visibel a",
        "ros2 run psfusion_ros fusion_node",
        "ros2 run psfusion_ros psfusion train --recipe a",
        "ros2 run psfusion_ros replay bag --twice",
        "ros2 launch psfusion_ros fusion.launch.py",
        "ros2 launch psfusion_ros psfusion.launch.py vissible:=/a",
        "ros2 param set /psfusion_node gain.modus fixed",
        "make coffee",
        "python -m psfusion_ros.coffee",
        "pip install '.[tea]'",
        "docker build -f docker/Dockerfile.moon .",
    ],
)
def test_a_command_that_does_not_exist_is_noticed(command: str) -> None:
    (words,) = commands(f"```console\n{command}\n```")
    assert check_command(words) is not None


def literals() -> Iterator[str]:
    """Yield every string of the source, with blanks for what is filled in."""
    for folder in ("psfusion_core", "psfusion_ros"):
        for file in sorted((ROOT / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
                if isinstance(node, ast.JoinedStr):
                    yield "".join(
                        str(part.value) if isinstance(part, ast.Constant) else "\0" for part in node.values
                    )
                elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
