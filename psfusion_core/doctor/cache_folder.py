"""Checks the cache folder, to which the first run exports the network for some engines."""

from __future__ import annotations

import tempfile
from importlib.util import find_spec
from typing import Any

from psfusion_core.doctor.check import Finding, Subject
from psfusion_core.doctor.child import ask_child
from psfusion_core.doctor.engine_checks import NETWORK_MODULES


def cache_facts() -> dict[str, Any]:
    """Find out whether the cache folder can be written; runs in a child process and leaves no file."""
    from psfusion_core.engines.engine_choice import choose_engine
    from psfusion_core.engines.onnx_cache import cache_folder

    folder = cache_folder()
    place, problem = folder, ""
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        tempfile.TemporaryFile(dir=place).close()
    except OSError as error:
        problem = f"{place}: {error.strerror}"
    return {
        "folder": str(folder),
        "problem": problem,
        "is_filled": any(folder.glob("*.onnx")),
        "engine": choose_engine("auto", "auto"),
    }


def check_cache(subject: Subject) -> Finding:
    """Check that a network can be exported into the cache folder, if the engine needs that."""
    if any(find_spec(module) is None for module in NETWORK_MODULES):
        return Finding("skipped", "needs PyTorch, kornia and safetensors")
    return judge_cache(ask_child(cache_facts), is_file=subject.weights.endswith(".onnx"))


def judge_cache(facts: dict[str, Any], is_file: bool) -> Finding:
    """Judge what `cache_facts` returned.

    Args:
        is_file: Whether the weights are an ONNX file already.
    """
    folder, engine = facts["folder"], facts["engine"]
    if not facts["problem"]:
        return Finding("ok", f"{folder} can be written")
    found = f"{folder} cannot be written ({facts['problem']})"
    fix = "set XDG_CACHE_HOME to a folder that can"
    if is_file or engine != "onnxruntime":
        return Finding("warning", f"{found}: engines onnxruntime and tensorrt export networks to it", fix)
    if facts["is_filled"]:
        return Finding("warning", f"{found}: only networks that are there already run in {engine}", fix)
    return Finding("error", f"{found}: {engine}, which auto chooses here, exports the network to it", fix)
