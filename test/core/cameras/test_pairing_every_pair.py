"""Pairing that keeps every pair, as a recording needs, instead of the newest one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from numbered_frames import INFRARED, LATER, VISIBLE, Sent, feed, stamps_of, stream, walk

from psfusion_core.cameras.pairing import Pairer
from psfusion_core.cameras.stamped import StreamCounts


def test_two_pairs_that_one_frame_makes_ready_are_both_handed_out_where_all_are_kept() -> None:
    frames = [Sent(VISIBLE, 0, 0), Sent(INFRARED, 0, 40), Sent(INFRARED, 1, 100), Sent(VISIBLE, 1, 100)]
    newest: Pairer[Sent] = Pairer(tolerance=50)
    every: Pairer[Sent] = Pairer(tolerance=50, keeps_all=True)
    for frame in frames:
        feed(newest, frame)
        feed(every, frame)

    assert stamps_of(filter(None, [newest.take(0), newest.take(0)])) == [(100, 100)]
    assert newest.counts()[0].superseded == 1
    assert every.counts()[0].waiting == 2
    assert stamps_of(filter(None, [every.take(0), every.take(0), every.take(0)])) == [(0, 40), (100, 100)]
    assert every.counts()[0] == StreamCounts(received=2, paired=2)


REGULAR = st.builds(
    lambda start, period, count: list(range(start, start + count * period, period)),
    st.integers(0, 60), st.integers(5, 60), st.integers(0, 12),
)  # fmt: skip


@given(visible=REGULAR, infrared=REGULAR, turns=st.lists(st.booleans(), min_size=24, max_size=24))
def test_where_all_are_kept_every_pair_of_two_regular_streams_comes_in_any_interleaving(
    visible: list[int], infrared: list[int], turns: list[bool]
) -> None:
    streams = [stream(VISIBLE, visible), stream(INFRARED, infrared)]
    pairer: Pairer[Sent] = Pairer(tolerance=40, capacity=20, keeps_all=True)
    pairs = []
    for turn in turns:
        source = streams[turn] or streams[not turn]
        if source:
            feed(pairer, source.pop(0))
        while pair := pairer.take(0):
            pairs.append(pair)
    while pair := pairer.take(LATER):
        pairs.append(pair)

    assert stamps_of(pairs) == walk(visible, infrared, 40)
    assert pairer.counts()[0].superseded == 0
