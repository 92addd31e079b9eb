"""Stamps that go back, repeat, jump or never match: what is dropped, and when pairing starts again."""

from __future__ import annotations

from numbered_frames import INFRARED, LATER, VISIBLE, Sent, feed, run, stamps_of, stream

from psfusion_core.cameras.pairing import Pairer


def test_stamps_out_of_order_are_late_and_those_that_stand_still_are_repeated() -> None:
    pairer: Pairer[Sent] = Pairer(50)

    run(pairer, stream(VISIBLE, [100, 200, 150, 200, 200, 300]))

    counts = pairer.counts()[0]
    assert (counts.dropped_late, counts.dropped_repeated) == (1, 2)
    assert pairer.resets == 0


def test_a_bag_that_loops_is_paired_again_from_its_start() -> None:
    loop = [
        frame
        for stamp in range(0, 3000, 100)
        for frame in (Sent(VISIBLE, 0, stamp), Sent(INFRARED, 0, stamp))
    ]
    pairer: Pairer[Sent] = Pairer(50, reset_after=1000)

    pairs = run(pairer, loop + loop)

    assert stamps_of(pairs) == 2 * [(stamp, stamp) for stamp in range(0, 3000, 100)]
    assert pairer.resets == 1


def test_a_loop_shorter_than_a_jump_is_found_after_as_many_frames_as_may_wait() -> None:
    loop = [
        frame for stamp in range(0, 500, 100) for frame in (Sent(VISIBLE, 0, stamp), Sent(INFRARED, 0, stamp))
    ]
    pairer: Pairer[Sent] = Pairer(50, capacity=3, reset_after=1000)

    pairs = run(pairer, 4 * loop)

    assert len(pairs) >= 10
    assert pairer.resets >= 3


def test_one_stamp_from_the_future_costs_no_more_than_the_frames_around_it() -> None:
    pairer: Pairer[Sent] = Pairer(50, reset_after=1000)
    frames = []
    for number, stamp in enumerate(range(0, 2000, 100)):
        if stamp == 1000:
            frames.append(Sent(VISIBLE, -1, 10**9))
        frames += [Sent(VISIBLE, number, stamp), Sent(INFRARED, number, stamp)]

    pairs = run(pairer, frames)

    assert stamps_of(pairs) == [(stamp, stamp) for stamp in range(0, 2000, 100)]
    assert pairer.resets == 1


def test_stamps_of_unsynchronised_clocks_pair_nothing_and_show_how_far_apart_they_are() -> None:
    pairer: Pairer[Sent] = Pairer(50, capacity=4)
    assert pairer.stream_difference is None

    pairs = run(
        pairer, [f for s in range(0, 5000, 100) for f in (Sent(VISIBLE, 0, s), Sent(INFRARED, 0, s + 1200))]
    )

    assert pairs == []
    assert pairer.stream_difference == 1200


def test_reset_forgets_frames_that_wait_and_counts_them() -> None:
    pairer: Pairer[Sent] = Pairer(50)
    feed(pairer, Sent(VISIBLE, 0, 100))
    feed(pairer, Sent(INFRARED, 0, 100))
    feed(pairer, Sent(VISIBLE, 1, 200))

    pairer.reset()

    assert pairer.take(LATER) is None
    assert [counts.dropped_reset for counts in pairer.counts()] == [2, 1]
    assert stamps_of(run(pairer, [Sent(VISIBLE, 2, 50), Sent(INFRARED, 2, 50)])) == [(50, 50)]
