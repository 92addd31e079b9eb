"""Pairing while clocks jump, stamps freeze or lie, offsets change and a camera goes missing."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import cycle, pairwise

from faulty_stamps import (
    CAMERAS,
    DURATION,
    HOUR,
    JITTER,
    MILLISECOND,
    PERIODS,
    START,
    TOLERANCE,
    Drive,
    Shot,
    drives,
    give,
)
from hypothesis import given
from hypothesis import strategies as st

from psfusion_core.cameras.pairing import Pairer
from psfusion_core.cameras.stamped import Camera, Stamped, StampedPair


def play(pairer: Pairer[Shot], shots: list[Shot]) -> Iterator[tuple[Shot, StampedPair[Shot]]]:
    """Take whenever a pair can be ready, as a fast engine does; yield each with the frame that came last."""
    for shot, following in pairwise([*shots, shots[-1]]):
        give(pairer, shot)
        if pair := pairer.take(shot.arrival):
            yield shot, pair
        while (deadline := pairer.deadline) is not None and deadline < following.arrival:
            if pair := pairer.take(deadline):
                yield shot, pair


actions = st.sampled_from(
    [*["take"] * 6, *["nothing"] * 6, "alone visible", "alone infrared", "offsets", "tolerance", "reset"]
)


@given(drives(), st.integers(1, 12), st.lists(actions, min_size=1, max_size=100))
def test_whatever_happens_every_frame_is_used_once_in_order_and_accounted_for(
    drive: Drive, capacity: int, played: list[str]
) -> None:
    pairer: Pairer[Shot] = Pairer(TOLERANCE, capacity=capacity)
    used: list[Shot] = []
    newest: dict[Camera, int] = {}

    def use(camera: Camera, frame: Stamped[Shot]) -> None:
        assert frame.payload.camera == camera
        assert frame.stamp > newest.get(camera, -HOUR), "a frame is not after the one handed out before"
        newest[camera] = frame.stamp
        used.append(frame.payload)

    shots = drive.shots()
    for shot, action in zip(shots, cycle(played)):
        resets = pairer.resets
        give(pairer, shot)
        if action == "offsets":
            pairer.set_offsets(shot.number * 7 * MILLISECOND, -shot.number * MILLISECOND)
        if action == "reset":
            pairer.reset()
        if action == "tolerance":
            pairer.tolerance = shot.number % 3 * TOLERANCE
        if action in ("offsets", "reset") or pairer.resets != resets:
            newest.clear()
        if action in ("take", "tolerance") and (pair := pairer.take(shot.arrival)):
            assert abs(pair.difference) <= 2 * TOLERANCE
            use("visible", pair.visible)
            use("infrared", pair.infrared)
        if action == "alone visible" and (frame := pairer.take_alone("visible")):
            use("visible", frame)
        if action == "alone infrared" and (frame := pairer.take_alone("infrared")):
            use("infrared", frame)
        for counts in pairer.counts():
            assert counts.received == sum(vars(counts).values()) - counts.received
            assert 0 <= counts.waiting <= capacity + 1  # and the pair that is ready

    assert len(used) == len(set(used))
    visible, infrared = pairer.counts()
    assert visible.received + infrared.received == len(shots)
    assert visible.paired + infrared.paired + visible.alone + infrared.alone == len(used)


@given(drives(0))
def test_each_slow_frame_gets_the_nearest_fast_one_but_for_jitter(drive: Drive) -> None:
    shots = drive.shots()
    exposures = [shot.exposed for shot in shots if shot.camera == "visible"]
    pairs = [pair for _, pair in play(Pairer(TOLERANCE), shots)]

    assert len(pairs) >= DURATION // PERIODS["infrared"] - 3
    for pair in pairs:
        best = min(abs(exposed - pair.infrared.payload.exposed) for exposed in exposures)
        # A pair is handed out early where the next frame, one shortest recent period on, could not be nearer.
        assert abs(pair.difference) <= best + 4 * JITTER


@given(drives())
def test_no_frame_that_had_come_in_order_and_was_not_used_was_nearer(drive: Drive) -> None:
    pairer: Pairer[Shot] = Pairer(TOLERANCE)
    come: dict[Camera, list[Shot]] = {"visible": [], "infrared": []}
    newest: dict[Camera, int] = {}
    for shot in drive.shots():
        resets = pairer.resets
        give(pairer, shot)
        if pairer.resets != resets:  # what came before is forgotten
            come = {"visible": [], "infrared": []}
            newest.clear()
        if shot.stamp > newest.get(shot.camera, -HOUR):
            newest[shot.camera] = shot.stamp
            come[shot.camera].append(shot)
        if (pair := pairer.take(shot.arrival)) is None:
            continue
        used: tuple[tuple[Camera, Shot, Shot], ...] = (
            ("visible", pair.visible.payload, pair.infrared.payload),
            ("infrared", pair.infrared.payload, pair.visible.payload),
        )
        for camera, own, partner in used:
            assert min(abs(s.stamp - partner.stamp) for s in come[camera]) == abs(pair.difference)
            come[camera] = [s for s in come[camera] if s.number > own.number]


@given(drives(), st.integers(4, 12))
def test_pairing_goes_on_within_capacity_and_two_frames_after_the_last_fault(
    drive: Drive, capacity: int
) -> None:
    shots = drive.shots()
    faulty = [number for number, shot in enumerate(shots) if shot.faulty]
    clean = shots[faulty[-1] + 1 :] if faulty else shots
    pairs = [pair for _, pair in play(Pairer(TOLERANCE, capacity=capacity), shots)]

    allowed = {camera: [s for s in clean if s.camera == camera][: capacity + 2] for camera in CAMERAS}
    by_then = max(frames[-1].arrival for frames in allowed.values()) + TOLERANCE
    since = clean[0].arrival
    resumed = [p for p in pairs if not (p.visible.payload.faulty or p.infrared.payload.faulty)]
    assert any(since <= max(p.visible.arrival, p.infrared.arrival) <= by_then for p in resumed)
    # And steadily so: from then on all but the last infrared frames have a partner.
    after = [s for s in clean if s.camera == "infrared" and s.exposed > by_then]
    paired = {pair.infrared.payload for pair in resumed}
    assert set(after[:-2]) <= paired


def shot_of(camera: Camera, milliseconds: int) -> Shot:
    at = START + milliseconds * MILLISECOND
    return Shot(camera, milliseconds, at, at, at)


def test_a_single_frame_is_the_newest_that_waits_and_is_handed_out_once() -> None:
    pairer: Pairer[Shot] = Pairer(TOLERANCE)
    for milliseconds in (0, 100, 200):
        give(pairer, shot_of("visible", milliseconds))

    frame = pairer.take_alone("visible")

    assert frame is not None
    assert frame.payload == shot_of("visible", 200)
    assert pairer.take_alone("visible") is None
    assert pairer.take_alone("infrared") is None
    visible, infrared = pairer.counts()
    assert (visible.alone, visible.superseded, visible.waiting) == (1, 2, 0)
    assert (infrared.alone, infrared.received) == (0, 0)


def test_what_is_not_after_a_single_frame_is_late_and_in_no_pair() -> None:
    pairer: Pairer[Shot] = Pairer(TOLERANCE)
    give(pairer, shot_of("visible", 200))
    assert pairer.take_alone("visible") is not None

    for milliseconds in (190, 200):
        give(pairer, shot_of("visible", milliseconds))
        give(pairer, shot_of("infrared", milliseconds))

    assert pairer.take(START + HOUR) is None
    counts = pairer.counts()[0]
    assert (counts.dropped_late, counts.dropped_repeated) == (1, 1)
    give(pairer, shot_of("visible", 210))
    assert pairer.take(START + HOUR) is not None, "a frame after it pairs again"


def test_no_single_frame_overtakes_a_pair_that_is_ready() -> None:
    pairer: Pairer[Shot] = Pairer(TOLERANCE)
    for shot in (shot_of("visible", 0), shot_of("infrared", 0), shot_of("visible", 33)):
        give(pairer, shot)

    assert pairer.take_alone("visible") is None
    assert pairer.take(START) is not None
    assert pairer.take_alone("visible") is not None


def test_the_tolerance_may_change_between_two_frames() -> None:
    pairer: Pairer[Shot] = Pairer(5 * MILLISECOND)
    give(pairer, shot_of("visible", 0))
    give(pairer, shot_of("infrared", 10))
    assert pairer.take(START + HOUR) is None

    pairer.tolerance = 20 * MILLISECOND
    give(pairer, shot_of("visible", 20))

    pair = pairer.take(START + HOUR)
    assert pair is not None
    assert pair.difference == -10 * MILLISECOND


def test_new_offsets_forget_the_frames_of_the_old_ones() -> None:
    pairer: Pairer[Shot] = Pairer(TOLERANCE)
    give(pairer, shot_of("visible", 1000))

    pairer.set_offsets(0, 500 * MILLISECOND)
    give(pairer, shot_of("infrared", 500))

    assert pairer.take(START + HOUR) is None
    assert pairer.counts()[0].dropped_reset == 1
    give(pairer, shot_of("visible", 1000))
    pair = pairer.take(START + HOUR)
    assert pair is not None
    assert pair.difference == 0
