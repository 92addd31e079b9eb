"""Checks of both cameras together: whether their clocks agree, and whether their images can be paired."""

from __future__ import annotations

from bisect import bisect_left

from psfusion_core.base.wording import duration_in_words
from psfusion_core.doctor.check import Finding, Subject
from psfusion_core.fusion.node_parameters import NodeParameters
from psfusion_ros.doctor.camera_checks import age
from psfusion_ros.doctor.observations import CameraObservations, Observations

TOLERANCE_MS = NodeParameters().tolerance_ms
LARGEST_OFFSET_MS = 10_000.0
"""Above this difference one camera's clock is wrong, and an offset should not hide that."""


def check_clocks(observations: Observations, _: Subject) -> Finding:
    """Compare the ages of both cameras' images, which differ by clock offset and delay."""
    visible, infrared = observations.cameras["visible"], observations.cameras["infrared"]
    if not (any(visible.stamps) and any(infrared.stamps)):
        return Finding("skipped", "needs images with stamps from both cameras")
    offset = (age(infrared) - age(visible)) / 1e6
    if abs(offset) <= TOLERANCE_MS:
        return Finding("ok", f"infrared stamps are {abs(offset):.1f} ms {_side(offset)} the visible ones")
    distance = f"{duration_in_words(offset * 1e6)} {_side(offset)}"
    found = f"by their arrival, infrared stamps are {distance} the visible ones"
    if abs(offset) > LARGEST_OFFSET_MS:
        return Finding(
            "warning", f"{found}: one of the clocks is wrong, or counts since boot",
            "see the stamps of both cameras above, and let both drivers stamp with synchronised clocks",
        )  # fmt: skip
    return Finding(
        "warning",
        f"{found}: the clocks differ, or one camera's images take longer",
        "synchronise the clocks (chrony, PTP) and stamp at exposure; a steady offset can be given as "
        f"sync.infrared_offset_ms, here {offset:.0f}",
    )


def check_pairing(observations: Observations, _: Subject) -> Finding:
    """Check how many images of the slower camera have a partner within the tolerance, by stamp."""
    visible, infrared = (_stamps(observations.cameras[camera]) for camera in ("visible", "infrared"))
    if not (visible and infrared):
        return Finding("skipped", "needs images with stamps from both cameras")
    few, many = sorted((visible, infrared), key=len)
    edge = round(
        TOLERANCE_MS * 1e6
    )  # images outside this range have partners from before or after the listening
    few = [stamp for stamp in few if many[0] - edge <= stamp <= many[-1] + edge] or few
    distances = [_distance(stamp, many) / 1e6 for stamp in few]
    paired = sum(distance <= TOLERANCE_MS for distance in distances)
    found = f"{paired} of {len(few)} frames have a partner within {TOLERANCE_MS:g} ms"
    if paired == 0:
        return Finding(
            "error", f"{found}; the nearest is {duration_in_words(min(distances) * 1e6)} away",
            "synchronise the clocks, or set sync.infrared_offset_ms or sync.tolerance_ms",
        )  # fmt: skip
    if paired < 0.8 * len(few):
        return Finding("warning", found, "trigger the cameras together, or set a larger sync.tolerance_ms")
    return Finding("ok", found)


def _side(offset: float) -> str:
    return "behind" if offset > 0 else "ahead of"


def _stamps(camera: CameraObservations) -> list[int]:
    return sorted(stamp for stamp in camera.stamps if stamp)


def _distance(stamp: int, others: list[int]) -> int:
    """Return the nanoseconds to the nearest of some other stamps, which are sorted."""
    place = bisect_left(others, stamp)
    return min(abs(stamp - other) for other in others[max(0, place - 1) : place + 1])
