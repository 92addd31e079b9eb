"""What shipped code must not do: run what data say. The rules are tried on code that breaks each of them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SHIPPED = sorted(
    [ROOT / "setup.py"]
    + [
        file
        for folder in ("psfusion_core", "psfusion_ros", "training", "launch")
        for file in (ROOT / folder).rglob("*.py")
    ]
)

RUN_DATA = {"pickle", "cPickle", "_pickle", "marshal", "shelve", "dill", "cloudpickle", "joblib"}
"""Modules that run code in the data that they read."""

HARMLESS = {"pickle.UnpicklingError"}
FORBIDDEN = {
    *("eval", "exec", "builtins.eval", "builtins.exec"),
    *("os.system", "os.popen", "subprocess.getoutput", "subprocess.getstatusoutput"),
    *("yaml.load", "yaml.load_all", "yaml.full_load", "yaml.full_load_all"),
    *("yaml.unsafe_load", "yaml.unsafe_load_all"),
    "shutil.unpack_archive",
}
REQUIRED = {"torch.load": ("weights_only", True)}
"""Arguments that a call must have."""

ALLOWED = {"numpy.load": ("allow_pickle", False), "subprocess.": ("shell", False)}
"""Arguments that a call may have with this value only; subprocess. stands for all of its functions."""


def violations(source: str) -> Iterator[str]:
    """Yield line and name of everything that is forbidden in a module."""
    names: dict[str, str] = {}
    nodes = list(ast.walk(ast.parse(source)))
    for node in nodes:
        for local, full in imported(node):
            names[local] = full
            if full.split(".")[0] in RUN_DATA and full not in HARMLESS:
                yield f"{node.lineno}: import of {full}"  # type: ignore[attr-defined]
    for node in nodes:
        if isinstance(node, ast.Call):
            yield from (f"{node.lineno}: {what}" for what in wrong_call(node, dotted(node.func, names)))


def imported(node: ast.AST) -> list[tuple[str, str]]:
    """Return local and full names of what a node imports."""
    if isinstance(node, ast.Import):
        return [(a.asname, a.name) if a.asname else (a.name.split(".")[0],) * 2 for a in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [(a.asname or a.name, f"{node.module}.{a.name}") for a in node.names]
    return []


def dotted(function: ast.expr, names: dict[str, str]) -> str:
    """Return the full name of a function, or what can be told of it."""
    if isinstance(function, ast.Name):
        return names.get(function.id, function.id)
    if isinstance(function, ast.Attribute):
        return f"{dotted(function.value, names)}.{function.attr}"
    return "?"


def wrong_call(call: ast.Call, name: str) -> Iterator[str]:
    keywords = {keyword.arg: keyword.value for keyword in call.keywords}

    def has(argument: str, value: bool) -> bool:
        given = keywords.get(argument)
        return isinstance(given, ast.Constant) and given.value is value

    if name in FORBIDDEN or name.split(".")[-1] == "extractall":
        yield f"call of {name}"
    for function, (argument, value) in REQUIRED.items():
        if name == function and not has(argument, value):
            yield f"call of {name} without {argument}={value}"
    for function, (argument, value) in ALLOWED.items():
        matches = name.startswith(function) if function.endswith(".") else name == function
        if matches and argument in keywords and not has(argument, value):
            yield f"call of {name} with {argument} other than {value}"


def test_there_is_shipped_code_to_look_at() -> None:
    assert len(SHIPPED) > 80


@pytest.mark.parametrize("file", SHIPPED, ids=[str(file.relative_to(ROOT)) for file in SHIPPED])
def test_shipped_code_runs_nothing_that_data_say(file: Path) -> None:
    assert list(violations(file.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "import pickle as p",
        "from pickle import loads",
        "def late():\n    import marshal",
        "import shelve, os",
        "from dill import load",
        "import torch\ntorch.load(path)",
        "import torch\ntorch.load(path, weights_only=False)",
        "import torch as t\nt.load(path, weights_only=safe)",
        "from torch import load\nload(path)",
        "import numpy as np\nnp.load(path, allow_pickle=True)",
        "from numpy import load as read\nread(path, allow_pickle=flag)",
        "import yaml\nyaml.load(text, Loader=yaml.Loader)",
        "from yaml import full_load\nfull_load(text)",
        "import os\nos.system(command)",
        "import subprocess\nsubprocess.run(command, shell=True)",
        "from subprocess import Popen\nPopen(command, shell=flag)",
        "eval(text)",
        "exec(text)",
        "import tarfile\nwith tarfile.open(path) as archive:\n    archive.extractall()",
        "import zipfile\nzipfile.ZipFile(path).extractall()",
    ],
)
def test_code_that_breaks_a_rule_is_found(source: str) -> None:
    assert len(list(violations(source))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "from pickle import UnpicklingError",
        "import torch\ntorch.load(path, weights_only=True)",
        "import numpy as np\nnp.load(path)\nnp.load(path, allow_pickle=False)",
        "import yaml\nyaml.safe_load(text)",
        "import subprocess\nsubprocess.run(command, check=True)",
        "model.eval()",
        "from .pickle import shovel",
    ],
)
def test_code_that_keeps_the_rules_passes(source: str) -> None:
    assert list(violations(source)) == []
