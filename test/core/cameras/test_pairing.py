"""Pairing by stamp: nearest partner, each frame once, in order, bounded, every frame accounted for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from numbered_frames import INFRARED, LATER, VISIBLE, Sent, feed, run, stamps_of, stream, walk

from psfusion_core.cameras.pairing import Pairer
from psfusion_core.cameras.stamped import StreamCounts


def mutually_nearest(visible: list[int], infrared: list[int], tolerance: int) -> list[tuple[int, int]]:
    """Return the pairs of which each is the other's one nearest frame, by trying all."""

    def is_nearest(stamp: int, partner: int, others: list[int]) -> bool:
        return all(abs(other - stamp) > abs(partner - stamp) for other in others if other != partner)

    return [
        (a, b)
        for a in visible
        for b in infrared
        if abs(a - b) <= tolerance and is_nearest(a, b, infrared) and is_nearest(b, a, visible)
    ]


def total(counts: StreamCounts) -> int:
    return sum(value for name, value in vars(counts).items() if name != "received")


@st.composite
def ordered_streams(draw: st.DrawFn) -> tuple[list[Sent], list[Sent], list[Sent]]:
    """Draw two streams with increasing stamps, and one order of arrival."""
    visible = stream(VISIBLE, sorted(draw(st.sets(st.integers(0, 300), max_size=12))))
    infrared = stream(INFRARED, sorted(draw(st.sets(st.integers(0, 300), max_size=12))))
    return visible, infrared, draw(interleavings(visible, infrared))


@st.composite
def periodic_streams(draw: st.DrawFn) -> tuple[list[Sent], list[Sent], list[Sent]]:
    """Draw two cameras of constant rate, of any phase, and one order of arrival."""
    visible, infrared = (
        stream(camera, range(draw(st.integers(0, 50)), 300, draw(st.integers(15, 60))))
        for camera in (VISIBLE, INFRARED)
    )
    return visible, infrared, draw(interleavings(visible, infrared))


@st.composite
def interleavings(draw: st.DrawFn, visible: list[Sent], infrared: list[Sent]) -> list[Sent]:
    """Draw an order of arrival in which each camera's frames keep theirs."""
    cameras = draw(st.permutations([VISIBLE] * len(visible) + [INFRARED] * len(infrared)))
    rest = {VISIBLE: iter(visible), INFRARED: iter(infrared)}
    return [next(rest[camera]) for camera in cameras]


arbitrary_frames = st.lists(
    st.tuples(st.sampled_from([VISIBLE, INFRARED]), st.integers(-50, 400), st.integers(0, 40), st.booleans()),
    max_size=60,
)


@given(arbitrary_frames, st.integers(0, 60), st.integers(1, 5))
def test_every_frame_is_accounted_for_used_at_most_once_and_memory_is_bounded(
    frames: list[tuple[str, int, int, bool]], tolerance: int, capacity: int
) -> None:
    pairer: Pairer[Sent] = Pairer(tolerance, capacity=capacity, reset_after=100)
    used: list[Sent] = []
    now = 0
    for number, (camera, stamp, pause, take) in enumerate(frames):
        now += pause
        feed(pairer, Sent(camera, number, stamp), now)
        if take and (pair := pairer.take(now)):
            assert abs(pair.difference) <= tolerance
            assert (pair.visible.payload.camera, pair.infrared.payload.camera) == (VISIBLE, INFRARED)
            used += [pair.visible.payload, pair.infrared.payload]
        for counts in pairer.counts():
            assert counts.received == total(counts)
            assert counts.waiting <= capacity + 1  # and the pair that is ready

    assert len(used) == len(set(used))
    visible, infrared = pairer.counts()
    assert visible.received + infrared.received == len(frames)
    assert visible.paired == infrared.paired == len(used) // 2
    assert visible.superseded == infrared.superseded


@given(ordered_streams(), st.integers(0, 60))
def test_pairs_are_in_order_and_nothing_that_had_come_was_nearer(
    streams: tuple[list[Sent], list[Sent], list[Sent]], tolerance: int
) -> None:
    pairer: Pairer[Sent] = Pairer(tolerance, capacity=100)
    before, superseded_before = (-1, -1), 0
    arrived: dict[str, list[int]] = {VISIBLE: [], INFRARED: []}
    for frame in streams[2]:
        feed(pairer, frame)
        arrived[frame.camera].append(frame.stamp)
        if (pair := pairer.take(0)) is None:
            continue
        a, b = stamps_of([pair])[0]
        assert a > before[0]
        assert b > before[1]
        superseded = pairer.counts()[0].superseded
        if superseded == superseded_before:  # else frames are used up that this test did not see
            nearer = [x for x in arrived[VISIBLE] if before[0] < x and abs(x - b) < abs(a - b)]
            nearer += [x for x in arrived[INFRARED] if before[1] < x and abs(x - a) < abs(a - b)]
            assert nearer == []
        before, superseded_before = (a, b), superseded


@given(periodic_streams(), st.integers(0, 60))
def test_steady_cameras_give_the_same_pairs_in_whatever_order_their_frames_arrive(
    streams: tuple[list[Sent], list[Sent], list[Sent]], tolerance: int
) -> None:
    visible, infrared, arrivals = streams
    expected = walk([frame.stamp for frame in visible], [frame.stamp for frame in infrared], tolerance)
    pairer: Pairer[Sent] = Pairer(tolerance, capacity=100)

    pairs = run(pairer, arrivals)
    if last := pairer.take(LATER):
        pairs.append(last)

    assert set(stamps_of(pairs)) <= set(expected)
    counts = pairer.counts()[0]
    assert counts.paired + counts.superseded == len(expected)


@given(ordered_streams(), st.integers(0, 60))
def test_frames_that_are_each_others_nearest_are_paired(
    streams: tuple[list[Sent], list[Sent], list[Sent]], tolerance: int
) -> None:
    visible, infrared = ([frame.stamp for frame in frames] for frames in streams[:2])

    assert set(mutually_nearest(visible, infrared, tolerance)) <= set(walk(visible, infrared, tolerance))


def test_synchronised_cameras_are_paired_when_the_second_frame_arrives() -> None:
    pairer: Pairer[Sent] = Pairer(50)
    delays = []
    for number in range(10):
        feed(pairer, Sent(VISIBLE, number, 100 * number), 100 * number)
        feed(pairer, Sent(INFRARED, number, 100 * number + 7), 100 * number + 7)
        pair = pairer.take(100 * number + 7)
        delays.append(None if pair is None else number - pair.visible.payload.number)

    assert delays[0] is None, "with one frame of each, a nearer one may be about to come"
    assert delays[1:] == [0] * 9


def test_equal_stamps_are_paired_at_once() -> None:
    pairer: Pairer[Sent] = Pairer(50)

    assert stamps_of(run(pairer, [Sent(INFRARED, 0, 5), Sent(VISIBLE, 0, 5)])) == [(5, 5)]


def test_a_single_pair_is_ready_one_tolerance_after_it_arrived() -> None:
    pairer: Pairer[Sent] = Pairer(50)
    feed(pairer, Sent(VISIBLE, 0, 1000), arrival=7000)
    assert pairer.deadline is None
    feed(pairer, Sent(INFRARED, 0, 1010), arrival=7020)

    assert pairer.deadline == 7070
    assert pairer.take(7069) is None
    assert pairer.take(7070) is not None
    assert pairer.deadline is None


def test_a_fast_visible_camera_gives_each_slow_infrared_frame_its_nearest() -> None:
    visible = stream(VISIBLE, range(0, 2000, 33))  # 30 Hz
    infrared = stream(INFRARED, range(5, 1900, 111))  # 9 Hz
    pairer: Pairer[Sent] = Pairer(20)

    pairs = run(pairer, sorted(visible + infrared, key=lambda frame: frame.stamp))

    assert [pair.infrared.payload for pair in pairs] == infrared
    for pair in pairs:
        best = min(abs(frame.stamp - pair.infrared.payload.stamp) for frame in visible)
        assert abs(pair.difference) == best
    counts = pairer.counts()[0]
    assert counts.dropped_unmatched + counts.waiting == len(visible) - len(infrared)


def test_the_newest_pair_wins_and_the_older_ones_are_counted_as_superseded() -> None:
    pairer: Pairer[Sent] = Pairer(50)
    for frame in sorted(
        stream(VISIBLE, range(0, 500, 100)) + stream(INFRARED, range(0, 500, 100)), key=lambda f: f.stamp
    ):
        feed(pairer, frame)

    pair = pairer.take(0)

    assert pair is not None
    assert stamps_of([pair]) == [(400, 400)]
    assert pairer.take(0) is None
    assert [counts.superseded for counts in pairer.counts()] == [4, 4]


def test_offsets_are_added_before_pairing_and_leave_the_payload_alone() -> None:
    pairer: Pairer[Sent] = Pairer(0, visible_offset=-30, infrared_offset=70)

    pairs = run(pairer, [Sent(VISIBLE, 0, 1100), Sent(INFRARED, 0, 1000)])

    assert stamps_of(pairs) == [(1100, 1000)]
    assert (pairs[0].visible.stamp, pairs[0].infrared.stamp) == (1070, 1070)


@pytest.mark.parametrize("arguments", [{"tolerance": -1}, {"tolerance": 0, "capacity": 0}])
def test_settings_that_make_no_sense_are_refused(arguments: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="expected tolerance"):
        Pairer(**arguments)
