"""The node's parameters out of files and words: what the node would read, or one line."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psfusion_core.fusion.fusion_parameters import FusionParameters
from psfusion_core.fusion.parameter_files import read_parameters
from psfusion_core.registration import RegistrationSettings, write_registration

DOCUMENTED = Path(__file__).parents[3] / "config" / "psfusion.yaml"


def test_the_documented_file_has_the_defaults() -> None:
    assert read_parameters([DOCUMENTED]) == FusionParameters()


def test_later_files_and_then_words_hold(tmp_path: Path) -> None:
    settings = RegistrationSettings("homography", (0.5, 0.0, 1.0, 0.0, 0.5, 2.0, 0.0, 0.0, 1.0), (640, 480))
    write_registration(tmp_path / "registration.yaml", settings, "made")
    (tmp_path / "robot.yaml").write_text(
        "other_node: {ros__parameters: {sync: {tolerance_ms: 1.0}}}\n"
        "/robot/psfusion_node:\n"
        "  {ros__parameters: {sync: {tolerance_ms: 30, queue_size: 3}, qos: {depth: 1}}}\n"
    )
    files = [DOCUMENTED, tmp_path / "registration.yaml", tmp_path / "robot.yaml"]
    parameters = read_parameters(files, ["sync.queue_size=7", "gain.polarity=black_hot"])
    assert parameters.registration() == settings
    assert (parameters.tolerance_ms, parameters.queue_size) == (30.0, 7)
    assert parameters.gain().polarity == "black_hot"


@pytest.mark.parametrize(
    ("word", "message"),
    [
        (
            "sync.tolerance=3",
            "expected .* got 'sync.tolerance=3'; the nearest known one is 'sync.tolerance_ms'",
        ),
        ("gain.polartiy=x", "expected .* the nearest known one is 'gain.polarity'"),
        ("=3", "expected NAME=VALUE of a known parameter, got '=3'"),
        ("sync.tolerance_ms", "expected NAME=VALUE, such as sync.tolerance_ms=30, got 'sync.tolerance_ms'"),
        ("qos.depth=3", "expected NAME=VALUE of a known parameter, .*; it matters only on a robot"),
        ("sync.tolerance_ms=-1", "expected sync.tolerance_ms from 0 to 10000 in .* got -1"),
        ("sync.queue_size=1.5", "expected sync.queue_size to be like 10 in .* got 1.5"),
        ("gain.mode=best", "expected gain.mode to be one of percentile, fixed, celsius"),
        ("gain.low_percentile=99.5", "expected gain percentiles"),
        ("registration.rotation=[1.0]", "expected registration.rotation to be 9 finite numbers"),
        ("sync.tolerance_ms={", "expected YAML in"),
        ("sync.tolerance_ms=true", "expected sync.tolerance_ms to be like 50.0 in .* got True"),
    ],
)
def test_what_cannot_be_is_one_line(word: str, message: str) -> None:
    with pytest.raises(ValueError, match=rf"\A{message}[^\n]*\Z"):
        read_parameters([], [word])


def test_what_only_a_robot_needs_and_what_ros_itself_declares_is_passed_over(tmp_path: Path) -> None:
    (tmp_path / "robot.yaml").write_text(
        "/**: {ros__parameters: {autostart: false, missing: {policy: either, frozen_after: 2.0},\n"
        "  use_sim_time: true, qos_overrides: {/fused/image: {publisher: {depth: 1}}},\n"
        "  start_type_description_service: false}}\n"
    )
    assert read_parameters([tmp_path / "robot.yaml"]) == FusionParameters(frozen_after=2.0)


@pytest.mark.parametrize(
    ("entry", "nearest"),
    [
        ("sync: {tolerence_ms: 3.0}", "sync.tolerance_ms"),
        ("qos: {deepth: 3}", "qos.depth"),
        ("transprot: raw", "transport"),
        ("diagnostics: {visible_rates: 3.0}", "diagnostics.visible_rate"),
    ],
)
def test_a_misspelt_name_in_a_file_is_refused_with_the_nearest(
    tmp_path: Path, entry: str, nearest: str
) -> None:
    (tmp_path / "robot.yaml").write_text(f"/**: {{ros__parameters: {{{entry}}}}}\n")
    with pytest.raises(ValueError, match=rf"\Aexpected [^\n]*robot\.yaml[^\n]*is '{nearest}'\Z"):
        read_parameters([tmp_path / "robot.yaml"])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[1]",
        "a: b",
        "other: {ros__parameters: {}}",
        "/**: {ros__parameters: {sync: {tolerence_ms: 3.0}}}",
        "{",
    ],
)
def test_files_without_the_nodes_parameters_are_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "node.yaml").write_text(text)
    with pytest.raises(ValueError, match=r"\Aexpected [^\n]*node\.yaml[^\n]*\Z"):
        read_parameters([tmp_path / "node.yaml"])


@given(
    name=st.sampled_from([item.metadata["name"] for item in fields(FusionParameters)]),
    value=st.text(max_size=20),
)
def test_any_word_gives_parameters_or_one_line(name: str, value: str) -> None:
    problem = "expected"
    try:
        read_parameters([], [f"{name}={value}"])
    except ValueError as error:
        problem = str(error)
    assert problem.startswith("expected")
    assert "\n" not in problem
