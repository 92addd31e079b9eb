"""Numbered frames of two cameras for the pairing tests, and a reference that pairs complete streams."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from psfusion_core.cameras.pairing import Pairer
from psfusion_core.cameras.stamped import StampedPair

LATER = 10**15
VISIBLE, INFRARED = "visible", "infrared"


@dataclass(frozen=True)
class Sent:
    """One frame of a test: its camera, its number among that camera's frames, its stamp."""

    camera: str
    number: int
    stamp: int


def feed(pairer: Pairer[Sent], frame: Sent, arrival: int = 0) -> None:
    add = pairer.add_visible if frame.camera == VISIBLE else pairer.add_infrared
    add(frame.stamp, frame, arrival)


def run(pairer: Pairer[Sent], frames: Iterable[Sent]) -> list[StampedPair[Sent]]:
    """Feed frames that all arrive at time 0, and take after each, as a fast engine would."""
    pairs = []
    for frame in frames:
        feed(pairer, frame)
        if pair := pairer.take(0):
            pairs.append(pair)
    return pairs


def stream(camera: str, stamps: Iterable[int]) -> list[Sent]:
    return [Sent(camera, number, stamp) for number, stamp in enumerate(stamps)]


def stamps_of(pairs: Iterable[StampedPair[Sent]]) -> list[tuple[int, int]]:
    return [(pair.visible.payload.stamp, pair.infrared.payload.stamp) for pair in pairs]


def walk(visible: list[int], infrared: list[int], tolerance: int) -> list[tuple[int, int]]:
    """Pair two complete streams: of the two oldest frames, the earlier gives way to a nearer successor."""
    rest = {VISIBLE: list(visible), INFRARED: list(infrared)}
    pairs = []
    while rest[VISIBLE] and rest[INFRARED]:
        earlier, later = sorted(rest.values(), key=lambda stamps: stamps[0])
        distance = later[0] - earlier[0]
        if distance > tolerance or any(abs(later[0] - successor) < distance for successor in earlier[1:]):
            del earlier[0]
        else:
            pairs.append((rest[VISIBLE].pop(0), rest[INFRARED].pop(0)))
    return pairs
