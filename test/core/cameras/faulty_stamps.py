"""Two cameras of different rates whose stamps are wrong for a while, for the pairing tests."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

from hypothesis import strategies as st

from psfusion_core.cameras.pairing import Pairer
from psfusion_core.cameras.stamped import Camera

MILLISECOND, SECOND, HOUR = 10**6, 10**9, 3600 * 10**9
START = 1_700_000_000 * SECOND
PERIODS: dict[Camera, int] = {"visible": SECOND // 30, "infrared": SECOND // 9}
CAMERAS: tuple[Camera, ...] = ("visible", "infrared")
JITTER = 3 * MILLISECOND
TOLERANCE = 30 * MILLISECOND
DURATION = 5 * SECOND
LAST_FAULT = 2 * SECOND
"""When the last fault may end, from the start."""


@dataclass(frozen=True)
class Shot:
    """One frame of a test: when it was exposed and came (true time), and the stamp that it carries."""

    camera: Camera
    number: int
    exposed: int
    arrival: int
    stamp: int
    faulty: bool = False


@dataclass(frozen=True)
class Fault:
    """Wrong stamps of one camera, or of both, during a span of true time."""

    kind: str
    cameras: tuple[Camera, ...]
    begin: int
    end: int

    def stamps(self, shots: list[Shot]) -> list[Shot]:
        """Return the frames of one camera with this fault in them."""
        hit = [shot for shot in shots if self.begin <= shot.exposed - START < self.end]
        if self.kind == "one future":
            hit = hit[:1]
        wrong = {shot.number: self._wrong(shot.stamp, hit[0].stamp) for shot in hit}
        return [
            Shot(s.camera, s.number, s.exposed, s.arrival, wrong[s.number], True) if s.number in wrong else s
            for s in shots
        ]

    def _wrong(self, stamp: int, first: int) -> int:
        shift = {
            "one future": HOUR,
            "hour ahead": HOUR,
            "hour back": -HOUR,
            "a little ahead": SECOND * 9 // 10,
            "a little back": -SECOND * 9 // 10,
        }
        return {"zero": 0, "frozen": first}.get(self.kind, stamp + shift.get(self.kind, 0))


faults = st.builds(
    lambda kind, cameras, begin, length: Fault(kind, cameras, begin, min(begin + length, LAST_FAULT)),
    st.sampled_from(
        ["one future", "hour ahead", "hour back", "a little ahead", "a little back", "zero", "frozen"]
    ),
    st.sampled_from([("visible",), ("infrared",), CAMERAS]),
    st.integers(0, LAST_FAULT - 1),
    st.integers(1, LAST_FAULT),
)


@dataclass(frozen=True)
class Drive:
    """Two cameras of 30 and 9 Hz: how late their frames come, where they start, and their faults."""

    seed: int
    delays: tuple[int, int]
    phases: tuple[int, int]
    faults: list[Fault]

    def shots(self) -> list[Shot]:
        """Return the frames with jitter, in order of arrival."""
        random = Random(self.seed)
        everything: list[Shot] = []
        for camera, delay, phase in zip(CAMERAS, self.delays, self.phases, strict=True):
            shots = []
            for number in range((DURATION - phase) // PERIODS[camera]):
                exposed = START + phase + number * PERIODS[camera] + random.randint(-JITTER, JITTER)
                came = exposed + delay + random.randint(0, JITTER)
                shots.append(Shot(camera, number, exposed, came, exposed))
            for fault in self.faults:
                if camera in fault.cameras:
                    shots = fault.stamps(shots)
            everything += shots
        return sorted(everything, key=lambda shot: shot.arrival)


def drives(max_faults: int = 3) -> st.SearchStrategy[Drive]:
    delays, phases = st.integers(0, 60 * MILLISECOND), st.integers(0, SECOND // 30)
    return st.builds(
        Drive,
        st.integers(0, 2**32),
        st.tuples(delays, delays),
        st.tuples(phases, phases),
        st.lists(faults, max_size=max_faults),
    )


def give(pairer: Pairer[Shot], shot: Shot) -> None:
    add = pairer.add_visible if shot.camera == "visible" else pairer.add_infrared
    add(shot.stamp, shot, shot.arrival)
