"""Containers and the workflow are not built here: what they name exists, and agrees with the package."""

from __future__ import annotations

import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from psfusion_core.doctor import fastdds_profile

ROOT = Path(__file__).resolve().parents[1]
DOCKER = ROOT / "docker"
DOCKERFILES = sorted(path for path in DOCKER.glob("Dockerfile*") if path.suffix != ".dockerignore")
COMPOSE_FILES = sorted(DOCKER.glob("compose*.yaml"))
WORKFLOW = ROOT / ".github" / "workflows" / "ci.yml"
INSTALLERS = [*DOCKERFILES, WORKFLOW, ROOT / "docs" / "install.md", ROOT / "docs" / "quickstart.md"]
DISTRIBUTIONS = {"humble", "jazzy", "kilted"}

in_dockerfiles = pytest.mark.parametrize("dockerfile", DOCKERFILES, ids=lambda path: path.name)


def instructions(dockerfile: Path) -> list[tuple[str, str]]:
    """Return the instructions of a Dockerfile, each with what follows its name."""
    text = re.sub(r"^#.*\n", "", dockerfile.read_text(), flags=re.M).replace("\\\n", " ")
    split = [line.split(maxsplit=1) for line in text.splitlines() if line.strip()]
    return [(words[0], words[1]) for words in split]


def workflow() -> dict[Any, Any]:
    return yaml.safe_load(WORKFLOW.read_text())


def steps() -> list[dict[str, Any]]:
    return [step for job in workflow()["jobs"].values() for step in job["steps"]]


def patterns(dockerfile: Path) -> list[str]:
    """Return what a Dockerfile's own .dockerignore says, without its comments."""
    lines = Path(f"{dockerfile}.dockerignore").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def is_sent(path: Path, ignored: list[str]) -> bool:
    """Tell whether a file gets into the build, by the patterns of a .dockerignore: the last one decides."""
    name = str(path.relative_to(ROOT))
    sent = True
    for pattern in ignored:
        body = pattern.lstrip("!").rstrip("/").removeprefix("**/")
        parts = name.split("/")
        matches = fnmatch(name, body) or any(
            fnmatch("/".join(parts[: n + 1]), body) or (pattern.startswith("**/") and fnmatch(part, body))
            for n, part in enumerate(parts)
        )
        if matches:
            sent = pattern.startswith("!")
    return sent


@in_dockerfiles
def test_an_image_copies_only_files_that_exist_and_are_sent(dockerfile: Path) -> None:
    ignored = patterns(dockerfile)
    copied = [word for name, rest in instructions(dockerfile) if name == "COPY" for word in rest.split()[:-1]]
    assert copied
    for source in copied:
        assert (ROOT / source).exists(), source
        assert source == "." or is_sent(ROOT / source, ignored), source


@in_dockerfiles
def test_an_image_gets_what_setup_py_reads_and_neither_tests_nor_history(dockerfile: Path) -> None:
    ignored = patterns(dockerfile)
    needed = ["setup.py", "setup.cfg", "README.md", "package.xml", "resource/psfusion_ros"]
    needed += [str(path.relative_to(ROOT)) for path in (ROOT / "launch").glob("*.launch.py")]
    needed += [str(path.relative_to(ROOT)) for path in (ROOT / "config").glob("*")]
    needed += ["psfusion_core/models/weights/psfusion_lite.safetensors", "psfusion_ros/node.py"]
    assert [name for name in needed if not is_sent(ROOT / name, ignored)] == []
    kept_back = [".git/config", ".venv/bin/python", "test/test_docs.py", "build/x", "demo_output/video.mp4"]
    assert [name for name in kept_back if is_sent(ROOT / name, ignored)] == []


@in_dockerfiles
def test_an_image_does_not_run_as_root_and_tells_its_health(dockerfile: Path) -> None:
    given = dict(instructions(dockerfile))
    assert given["USER"] not in ("root", "0")
    assert given["ENTRYPOINT"] == '["entrypoint.sh"]'
    assert "healthcheck.sh" in given["HEALTHCHECK"]


@in_dockerfiles
def test_an_image_starts_a_launch_file_that_exists(dockerfile: Path) -> None:
    command = yaml.safe_load(dict(instructions(dockerfile))["CMD"])
    assert command[:3] == ["ros2", "launch", "psfusion_ros"]
    assert (ROOT / "launch" / command[3]).exists()


@pytest.mark.parametrize("script", sorted(DOCKER.glob("*.sh")), ids=lambda path: path.name)
def test_a_script_can_be_run_and_is_bash(script: Path) -> None:
    assert script.stat().st_mode & 0o111
    assert subprocess.run(["bash", "-n", str(script)], capture_output=True).stderr == b""


def test_health_asks_for_a_status_that_the_node_publishes() -> None:
    from psfusion_ros.diagnostics.publisher import TASKS

    node, task = re.search(r"s\.name == '(\w+): (\w+)'", (DOCKER / "healthcheck.sh").read_text()).groups()  # type: ignore[union-attr]
    assert node == "psfusion_node"
    assert task in TASKS


def test_entrypoint_gives_each_distribution_the_variable_that_its_fast_dds_reads() -> None:
    entrypoint = (DOCKER / "entrypoint.sh").read_text()
    branches = re.findall(r"^  ([\w |*]+)\) export (\w+)=", entrypoint, re.M)
    assert branches == [
        (" | ".join(fastdds_profile.OLD_DISTRIBUTIONS), fastdds_profile.OLD_VARIABLE),
        ("*", fastdds_profile.NEW_VARIABLE),
    ]


@pytest.mark.parametrize("file", COMPOSE_FILES, ids=lambda path: path.name)
def test_compose_builds_a_dockerfile_that_exists_with_arguments_that_it_takes(file: Path) -> None:
    base = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]["psfusion"]
    service = yaml.safe_load(file.read_text())["services"]["psfusion"]
    dockerfile = (file.parent / base["build"]["context"] / base["build"]["dockerfile"]).resolve()
    taken = {rest.split("=")[0] for name, rest in instructions(dockerfile) if name == "ARG"}
    assert set(service["build"].get("args", {})) <= taken


def test_compose_shares_network_and_shared_memory_with_the_host() -> None:
    service = yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"]["psfusion"]
    assert (service["network_mode"], service["ipc"]) == ("host", "host")


@pytest.mark.parametrize("file", INSTALLERS, ids=lambda path: path.name)
def test_ranges_of_libraries_are_those_of_setup_py(file: Path) -> None:
    ranges = dict(re.findall(r'"([\w.-]+?)((?:[<>=]=?[\d.]+,?)+)"', (ROOT / "setup.py").read_text()))
    found = re.findall(r"'([\w-]+)((?:[<>=]=?[\d.]+,?)+)'", file.read_text())
    assert found
    for library, given in found:
        if library == "numpy":  # held back further than the package needs, for cv_bridge
            assert given == "<2"
        elif library == "setuptools":
            assert given == "<80"
        else:
            name = "onnxruntime" if library == "onnxruntime-gpu" else library
            assert ranges[name].startswith(given), f"{library}{given}, but setup.py has {ranges[name]}"


def test_workflow_may_only_read_and_gives_up_what_is_outdated() -> None:
    assert workflow()["permissions"] == {"contents": "read"}
    assert workflow()["concurrency"]["cancel-in-progress"] is True
    assert not any("permissions" in job for job in workflow()["jobs"].values())
    assert all(job["timeout-minutes"] <= 60 for job in workflow()["jobs"].values())


def test_workflow_pins_every_action() -> None:
    used = [step["uses"] for step in steps() if "uses" in step]
    assert used
    assert [action for action in used if not re.search(r"@(v\d+(\.\d+)*|[0-9a-f]{40})$", action)] == []


def test_every_step_of_the_workflow_does_one_thing() -> None:
    assert all(("uses" in step) != ("run" in step) for step in steps())


def test_workflow_builds_for_every_distribution_in_its_container() -> None:
    jobs = workflow()["jobs"]
    assert {entry["distro"] for entry in jobs["ros"]["strategy"]["matrix"]["include"]} == DISTRIBUTIONS
    assert set(jobs["containers"]["strategy"]["matrix"]["distro"]) == DISTRIBUTIONS


def test_workflow_names_targets_tests_and_files_that_exist() -> None:
    targets = set(re.findall(r"^(\w[\w-]*):", (ROOT / "Makefile").read_text(), re.M))
    run = "\n".join(step.get("run", "") for step in steps())
    assert set(re.findall(r"^make (\w+)", run, re.M)) <= targets
    for path in re.findall(r"pytest (test/\S+)", run):
        assert (ROOT / path).exists(), path
    for path in re.findall(r"(\S*requirements[\w-]*\.txt)", WORKFLOW.read_text()):
        assert (ROOT / path.removeprefix("src/psfusion_ros/")).exists(), path
    for step in steps():
        for key in ("file", "dockerfile"):
            if key in step.get("with", {}):
                assert (ROOT / step["with"][key]).exists()


def test_the_shell_of_the_workflow_is_bash_that_parses() -> None:
    for step in steps():
        if "run" in step:
            script = re.sub(r"\$\{\{.*?\}\}", "value", step["run"])
            assert subprocess.run(["bash", "-n", "-c", script], capture_output=True).stderr == b""
