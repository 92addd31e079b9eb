"""The commands that a document shows, and what in them does not exist."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
from collections.abc import Iterator
from dataclasses import fields
from importlib.util import find_spec
from itertools import pairwise
from pathlib import Path

from psfusion_core.cli import VERBS, build_parser
from psfusion_core.fusion.node_parameters import NodeParameters

ROOT = Path(__file__).resolve().parents[1]
PARAMETERS = {item.metadata["name"] for item in fields(NodeParameters)}
EXECUTABLES = dict(re.findall(r'"(\w+) = ([\w.]+):\w+"', (ROOT / "setup.py").read_text()))
FENCE = re.compile(r"^( *)```(\w*).*?\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+)`")


def commands(markdown: str) -> Iterator[list[str]]:
    """Yield the words of every shell command in a text: of its blocks, and of spans that begin like one."""
    lines: list[str] = []
    for _, language, block in FENCE.findall(markdown):
        if language in ("console", "bash", "sh"):
            lines += re.sub(r"\\\n\s*", " ", block).splitlines()
    starts = ("psfusion ", "ros2 ", "make ", "python -m ", "pip install ")
    lines += [span for span in SPAN.findall(FENCE.sub("", markdown)) if span.startswith(starts)]
    for line in lines:
        try:
            words = shlex.split(line, comments=True)
        except ValueError:  # a span that breaks off within quotes
            continue
        while words:
            stop = next((n for n, word in enumerate(words) if word in ("&&", "|", ";", "||")), len(words))
            if words[:stop]:
                yield words[:stop]
            words = words[stop + 1 :]


def check_command(words: list[str]) -> str | None:
    """Return what in a command does not exist; None where all of ours does."""
    if words[0] == "sudo":
        words = words[1:]
    match words:
        case ["psfusion", verb, *rest]:
            return check_verb(verb, rest)
        case ["ros2", "run", "psfusion_ros", executable, *rest]:
            return check_executable(executable, rest)
        case ["ros2", "launch", "psfusion_ros", file, *rest]:
            return check_launch(file, rest)
        case ["ros2", "param", "set" | "get" | "describe", node, name, *_] if node.endswith("psfusion_node"):
            return None if name in PARAMETERS or name.isupper() else f"no parameter {name}"
        case ["make", *targets]:
            known = set(re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.M))
            named = [target for target in targets if "=" not in target]
            return next((f"no target {target}" for target in named if target not in known), None)
        case ["python" | "python3" | "torchrun", *rest] if "-m" in rest:
            module = rest[rest.index("-m") + 1]
            is_ours = module.startswith("psfusion")
            return f"no module {module}" if is_ours and find_spec(module) is None else None
        case ["pip", "install", *rest]:
            return check_extras(rest)
        case ["docker", *rest]:
            files = [file for flag, file in pairwise(rest) if flag == "-f"]
            return next((f"no file {file}" for file in files if not (ROOT / file).exists()), None)
    return None


def check_verb(verb: str, words: list[str]) -> str | None:
    if verb in ("...", "<verb>", "--help", "--version"):
        return None
    return check_options(build_parser(verb), words) if verb in VERBS else f"no verb {verb}"


def check_options(parser: argparse.ArgumentParser, words: list[str]) -> str | None:
    known = {option for action in parser._actions for option in action.option_strings}
    given = [word.split("=")[0] for word in words if word.startswith("--")]
    return next((f"no option {option}" for option in given if option not in known), None)


def check_executable(executable: str, words: list[str]) -> str | None:
    if executable not in EXECUTABLES:
        return f"no executable {executable}"
    if executable == "psfusion" and words:
        return check_verb(words[0], words[1:])
    if executable == "replay":
        return check_options(importlib.import_module("psfusion_ros.replay")._parser(), words)
    return None


def check_launch(file: str, words: list[str]) -> str | None:
    path = ROOT / "launch" / file
    if not path.exists():
        return f"no launch file {file}"
    declared = set(re.findall(r"^    \"(\w+)\": \(", path.read_text(), re.M))
    given = [word.split(":=")[0] for word in words if ":=" in word]
    return next((f"no argument {name} of {file}" for name in given if name not in declared), None)


def check_extras(words: list[str]) -> str | None:
    extras = set(re.findall(r'^    "([\w-]+)": \[', (ROOT / "setup.py").read_text(), re.M))
    for word in words:
        if wanted := re.fullmatch(r"(?:\.|psfusion_ros)\[([\w,-]+)\]", word):
            missing = set(wanted[1].split(",")) - extras
            if missing:
                return f"no extras {', '.join(sorted(missing))}"
    return None
