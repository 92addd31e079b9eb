"""Stamps of one camera: what is wrong with them is counted, measured and said, and nothing else."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from psfusion_core.cameras.clock_watch import ENOUGH, WINDOW, ClockWatch

MILLISECOND, SECOND, HOUR = 10**6, 10**9, 3600 * 10**9
START = 1_700_000_000 * SECOND
PERIOD = SECOND // 30

times = st.integers(0, 2**63 - 1) | st.integers(START, START + 10 * SECOND) | st.just(0)


def watch(stamps: list[int], nows: list[int]) -> ClockWatch:
    watched = ClockWatch()
    for stamp, now in zip(stamps, nows, strict=True):
        watched.update(stamp, now)
    return watched


def steady(count: int = 60, start: int = START) -> list[int]:
    return [start + number * PERIOD for number in range(count)]


def troubles(watched: ClockWatch) -> tuple[int, int, int, int]:
    return watched.zero_stamps, watched.repeated, watched.backwards, watched.jumps


@given(st.lists(st.tuples(times, times), max_size=3 * WINDOW))
def test_any_stamps_give_counts_finite_measurements_and_at_most_one_line(
    frames: list[tuple[int, int]],
) -> None:
    watched = ClockWatch()
    for stamp, now in frames:
        watched.update(stamp, now)
        assert watched.rate_hz is None or watched.rate_hz > 0.0
        assert watched.jitter_ns is None or watched.jitter_ns >= 0.0
        verdict = watched.verdict()
        assert verdict is None or (verdict.startswith("stamps ") and "\n" not in verdict)

    assert watched.zero_stamps == sum(stamp == 0 for stamp, _ in frames)
    assert sum(troubles(watched)) <= len(frames)
    assert max(len(watched._frames), len(watched._recent)) <= WINDOW


@given(
    st.lists(st.integers(0, 100 * MILLISECOND), min_size=ENOUGH, max_size=100),
    st.integers(-200 * MILLISECOND, 4 * SECOND),
    st.integers(1, 120),
)
def test_a_good_camera_is_left_in_peace_whatever_its_rate_and_delay(
    delays: list[int], base: int, rate: int
) -> None:
    stamps = [START + number * SECOND // rate for number in range(len(delays))]
    watched = watch(stamps, [stamp + base + delay for stamp, delay in zip(stamps, delays, strict=True)])

    assert watched.verdict() is None
    assert troubles(watched) == (0, 0, 0, 0)
    assert watched.rate_hz == pytest.approx(rate, rel=1e-6)
    assert watched.jitter_ns == pytest.approx(0.0, abs=1.0)
    assert watched.delay_ns is not None
    assert base <= watched.delay_ns <= base + 100 * MILLISECOND


def test_a_camera_that_pauses_or_a_network_that_stalls_is_no_jump() -> None:
    pause = steady() + steady(60, START + HOUR)
    assert watch(pause, [stamp + 5 * MILLISECOND for stamp in pause]).verdict() is None

    stamps = steady(200)
    stalled = [max(stamp, START + 3 * SECOND) if stamp > START + SECOND else stamp for stamp in stamps]

    assert troubles(watch(stamps, stalled)) == (0, 0, 0, 0)


@pytest.mark.parametrize(
    ("stamps", "said"),
    [
        ([0] * 60, "stamps are all zero: set header.stamp in the driver"),
        ([*steady(59), 0], "stamps are 1 of the last 30 zero: set header.stamp in the driver"),
        ([START] * 60, "stamps do not advance: 30 of the last 30 are repeated"),
        (
            [*steady(50), *steady(10, START + HOUR)],
            "stamps jumped against this node's clock, 1 of the last 30",
        ),
        (
            [*steady(50), *steady(10, START - HOUR)],
            "stamps jumped against this node's clock, 1 of the last 30",
        ),
        ([*steady(59), START + 57 * PERIOD + 5], "stamps are out of order or repeated, 1 of the last 30"),
        (
            [stamp + HOUR for stamp in steady()],
            "stamps are 60 minutes ahead of this node's clock: synchronise the",
        ),
        (
            [stamp - HOUR for stamp in steady()],
            "stamps are 60 minutes behind this node's clock: synchronise the",
        ),
        (
            [stamp - START + HOUR for stamp in steady()],
            "stamps are 54 years behind this node's clock, as if counted since boot: let the driver",
        ),
    ],
    ids=[
        "zero",
        "one zero",
        "standing",
        "jump ahead",
        "jump back",
        "disorder",
        "ahead",
        "behind",
        "since boot",
    ],
)
def test_the_verdict_says_what_is_wrong(stamps: list[int], said: str) -> None:
    verdict = watch(stamps, steady()).verdict()

    assert verdict is not None
    assert verdict.startswith(said)


def test_one_stamp_from_the_future_is_two_jumps_and_forgotten_after_a_window() -> None:
    stamps = steady(20 + 2 * WINDOW)
    nows = list(stamps)
    stamps[20] += HOUR

    watched = watch(stamps[:30], nows[:30])
    assert watched.verdict() is not None
    assert watched.jumps == 2

    for stamp, now in zip(stamps[30:], nows[30:], strict=True):
        watched.update(stamp, now)
    assert watched.verdict() is None
    assert watched.jumps == 2
    assert watched.rate_hz == pytest.approx(30.0)


def test_a_recording_that_loops_with_its_clock_is_in_order() -> None:
    loop = 2 * steady(90)

    watched = watch(loop, loop)

    assert watched.verdict() is None
    assert troubles(watched) == (0, 0, 0, 0)


def test_nothing_is_said_of_a_few_frames() -> None:
    watched = watch([0] * (ENOUGH - 1), steady(ENOUGH - 1))
    assert (watched.verdict(), watched.delay_ns, watched.rate_hz, watched.jitter_ns) == (None,) * 4

    watched.update(0, START + SECOND)

    assert watched.verdict() is not None


@given(st.lists(st.integers(-5, 5), min_size=3, max_size=WINDOW))
def test_jitter_is_the_standard_deviation_of_the_intervals(shifts: list[int]) -> None:
    stamps = [START + number * 100 + shift for number, shift in enumerate(shifts)]
    intervals = [later - earlier for earlier, later in pairwise(stamps)]
    mean = sum(intervals) / len(intervals)

    expected = (sum((interval - mean) ** 2 for interval in intervals) / len(intervals)) ** 0.5
    assert watch(stamps, stamps).jitter_ns == pytest.approx(expected, abs=1e-6)
