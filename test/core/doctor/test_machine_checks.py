"""Each check of the machine finds what it is there for."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from psfusion_core.doctor import dds_shared_memory, dds_socket_buffers, ros_installation
from psfusion_core.doctor.cache_folder import cache_facts, check_cache, judge_cache
from psfusion_core.doctor.check import Finding, Origin, Subject, in_words, run_check
from psfusion_core.doctor.child import ChildError, ask_child
from psfusion_core.doctor.dds_shared_memory import check_segment, stale_segments
from psfusion_core.doctor.dds_socket_buffers import check_socket_buffers
from psfusion_core.doctor.doctor_report import DoctorReport
from psfusion_core.doctor.engine_checks import check_network, judge_torch, serves
from psfusion_core.doctor.ros_installation import check_ros

ROOT = Path(__file__).resolve().parents[3]
HOLD_LOCK = """
import fcntl, sys
file = open(sys.argv[1])
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
input()
"""


def crash() -> dict[str, Any]:
    ctypes.string_at(0)
    return {}


def complain() -> dict[str, Any]:
    raise ValueError("no such thing")


def echo(text: str) -> dict[str, Any]:
    print("a library greets")
    return {"text": text}


def facts(**changes: Any) -> dict[str, Any]:
    """What `torch_facts` returns on a machine with a GPU in order."""
    healthy = {
        "version": "2.8.0+cu128",
        "cuda": "12.8",
        "driver": 12080,
        "available": True,
        "devices": ["NVIDIA RTX A2000"],
        "capabilities": [[8, 6]],
        "architectures": ["sm_80", "sm_86", "compute_90"],
    }
    return {**healthy, **changes}


@pytest.mark.parametrize(
    ("changes", "status", "words"),
    [
        ({}, "ok", "NVIDIA RTX A2000"),
        ({"version": "2.5.1"}, "error", "expected 2.6 or newer"),
        ({"cuda": None, "available": False}, "warning", "built without CUDA, but"),
        ({"cuda": None, "available": False, "driver": 0}, "ok", "for the CPU"),
        ({"driver": 0, "available": False}, "ok", "the CPU is used"),
        ({"driver": 11040, "available": False}, "error", "supports CUDA up to 11.4"),
        ({"driver": 12020}, "ok", "CUDA 12.2"),
        ({"available": False}, "error", "finds no GPU, but there is a driver"),
        ({"capabilities": [[6, 1]]}, "error", "no kernels for NVIDIA RTX A2000 (sm_61)"),
        ({"version": "2.10.0a0+nv24.11"}, "ok", "2.10.0a0"),
    ],
)
def test_torch_is_judged_by_what_it_was_built_for_and_what_is_here(
    changes: dict[str, Any], status: str, words: str
) -> None:
    finding = judge_torch(facts(**changes))
    assert finding.status == status
    assert words in finding.message
    assert bool(finding.fix) == (status in ("warning", "error"))


@pytest.mark.parametrize(
    ("architectures", "capability", "expected"),
    [
        (["sm_80"], (8, 0), True),
        (["sm_80"], (8, 9), True),
        (["sm_86"], (8, 0), False),
        (["sm_80"], (9, 0), False),
        (["sm_80", "compute_80"], (9, 0), True),
        (["compute_90"], (8, 9), False),
        (["sm_90a"], (9, 0), True),
        (["sm_120"], (12, 0), True),
        ([], (8, 0), False),
    ],
)
def test_binaries_run_within_a_major_version_and_what_is_compiled_later_on_newer_ones(
    architectures: list[str], capability: tuple[int, int], expected: bool
) -> None:
    assert serves(architectures, capability) is expected


def test_a_child_that_crashes_or_raises_is_an_error_that_says_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(map(str, (ROOT, Path(__file__).parent))))
    assert ask_child(echo, "words") == {"text": "words"}
    with pytest.raises(ChildError, match=r"crashed \(SIGSEGV\)"):
        ask_child(crash)
    with pytest.raises(ChildError, match="ValueError: no such thing"):
        ask_child(complain)


def test_whatever_a_check_raises_is_an_error_line() -> None:
    def check(_: Subject) -> Finding:
        raise KeyError("gone")

    finding = run_check(check, Subject({}))
    assert finding.status == "error"
    assert "KeyError: 'gone'" in finding.message


def test_weights_that_do_not_fit_are_named(tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.safetensors"
    damaged.write_bytes(b"nothing")
    finding = check_network(Subject({}, weights=str(damaged)))
    assert finding.status == "error"
    assert str(damaged) in finding.message


def test_a_cache_folder_is_tried_and_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "new"))
    assert check_cache(Subject({})) == Finding("ok", f"{tmp_path}/new/psfusion can be written")
    assert not list(tmp_path.iterdir())
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    facts = cache_facts()
    assert facts["folder"] == f"{tmp_path}/file/psfusion"
    assert facts["problem"] == f"{tmp_path}/file: Not a directory"
    assert not facts["is_filled"]


@pytest.mark.parametrize(
    ("engine", "is_filled", "is_file", "status"),
    [
        ("onnxruntime", False, False, "error"),
        ("onnxruntime", True, False, "warning"),
        ("onnxruntime", False, True, "warning"),
        ("torch", False, False, "warning"),
    ],
)
def test_a_cache_folder_that_cannot_be_written_is_an_error_where_auto_has_to_export(
    engine: str, is_filled: bool, is_file: bool, status: str
) -> None:
    facts = {"folder": "/cache", "problem": "/: no", "is_filled": is_filled, "engine": engine}
    finding = judge_cache(facts, is_file)
    assert finding.status == status
    assert finding.message.startswith("/cache cannot be written (/: no): ")
    assert "XDG_CACHE_HOME" in finding.fix


@pytest.mark.parametrize(
    ("frame", "origin", "status"),
    [
        (50_000, "seen", "ok"),
        (200_000, "seen", "warning"),
        (900_000, "assumed", "warning"),
        (900_000, "asked", "error"),
        (900_000, "seen", "error"),
    ],
)
def test_a_frame_that_does_not_fit_the_segment_is_an_error_once_it_is_known(
    frame: int, origin: Origin, status: str
) -> None:
    assert check_segment(Subject({}, frame_bytes=frame, frame_origin=origin)).status == status


def test_the_segment_is_no_concern_of_other_middleware() -> None:
    subject = Subject({"RMW_IMPLEMENTATION": "rmw_cyclonedds_cpp"})
    assert check_segment(subject).status == "skipped"


def test_a_profile_under_the_name_that_is_not_read_is_pointed_out() -> None:
    environment = {"ROS_DISTRO": "humble", "FASTDDS_DEFAULT_PROFILES_FILE": "fastdds.xml"}
    finding = check_segment(Subject(environment))
    assert finding.status == "warning"
    assert "FASTDDS_DEFAULT_PROFILES_FILE is set, which this Fast DDS does not read" in finding.message
    assert "FASTRTPS_DEFAULT_PROFILES_FILE" in finding.fix


def test_the_profile_is_named_by_its_path_where_there_is_no_ros2_command(tmp_path: Path) -> None:
    subject = Subject({"PATH": str(tmp_path)}, frame_bytes=900_000)
    fix = check_segment(subject).fix
    path = fix.removeprefix("export FASTDDS_DEFAULT_PROFILES_FILE=").removesuffix(
        ", for the camera drivers too"
    )
    assert Path(path).read_text() == (ROOT / "config" / "fastdds.xml").read_text()
    (tmp_path / "ros2").touch(mode=0o755)
    assert "=$(ros2 pkg prefix psfusion_ros)/share/psfusion_ros/config/" in check_segment(subject).fix


def test_a_segment_is_stale_once_nobody_holds_its_lock(tmp_path: Path) -> None:
    for name in ("fastdds_1", "fastrtps_2", "unrelated_3"):
        (tmp_path / name).write_bytes(b"0")
        (tmp_path / f"{name}_el").touch()
    (tmp_path / "fastdds_port7411").touch()  # has no lock of that name
    lock = str(tmp_path / "fastdds_1_el")
    holder = subprocess.Popen([sys.executable, "-c", HOLD_LOCK, lock], stdin=-1, stdout=-1, text=True)
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    assert [path.name for path in stale_segments(tmp_path)] == ["fastrtps_2"]
    holder.communicate("")
    assert [path.name for path in stale_segments(tmp_path)] == ["fastdds_1", "fastrtps_2"]


def test_socket_buffers_below_two_frames_are_a_warning_with_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dds_socket_buffers, "LIMITS", tmp_path)
    assert check_socket_buffers(Subject({})).status == "skipped"
    (tmp_path / "rmem_max").write_text("212992\n")
    (tmp_path / "wmem_max").write_text("67108864\n")
    finding = check_socket_buffers(Subject({}))
    assert finding.status == "warning"
    assert finding.fix == "sudo sysctl -w net.core.rmem_max=2097152"
    (tmp_path / "rmem_max").write_text("67108864\n")
    assert check_socket_buffers(Subject({})).status == "ok"


def test_shared_memory_that_is_nearly_full_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = {"total": 64 << 20, "used": 63 << 20, "free": 1 << 20}
    monkeypatch.setattr(dds_shared_memory.shutil, "disk_usage", lambda _: type("Usage", (), usage))
    finding = dds_shared_memory.check_space(Subject({}))
    assert finding.status == "warning"
    assert "1 MiB of 64 MiB" in finding.message


def test_a_ros_that_is_there_but_not_usable_is_pointed_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ros_installation, "find_spec", lambda _: None)
    monkeypatch.setattr(ros_installation, "INSTALLATIONS", tmp_path)
    assert check_ros(Subject({})).status == "skipped"
    assert check_ros(Subject({"ROS_DISTRO": "humble"})).status == "error"
    (tmp_path / "jazzy").mkdir()
    (tmp_path / "jazzy" / "setup.bash").touch()
    finding = check_ros(Subject({}))
    assert finding.status == "warning"
    assert finding.fix == f"source {tmp_path}/jazzy/setup.bash"


def test_texts_from_the_network_cannot_steer_the_terminal_or_forge_a_line(
    capsys: pytest.CaptureFixture[str],
) -> None:
    report = DoctorReport(as_json=False)
    report.add("node: engine", Finding("warning", "\033[2Jfine\nok       all: in order", "\x07do"))
    assert capsys.readouterr().out.splitlines() == [
        "warning  node: engine:  [2Jfine ok       all: in order",
        "         to do:  do",
    ]


@pytest.mark.parametrize(
    ("size", "words"), [(10, "10 B"), (900 << 10, "900 KiB"), (32 << 20, "32 MiB"), (3 << 29, "1.5 GiB")]
)
def test_sizes_are_told_in_words(size: int, words: str) -> None:
    assert in_words(size) == words
