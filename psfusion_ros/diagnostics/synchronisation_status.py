"""Status of the pairing of both cameras."""

from __future__ import annotations

from psfusion_ros.diagnostics.status import Status, milliseconds
from psfusion_ros.item_counts import ItemStatistics
from psfusion_ros.node_parameters import Parameters
from psfusion_ros.synchroniser import SyncReport


def look_at_synchronisation(
    report: SyncReport, items: ItemStatistics, both_arrive: bool, parameters: Parameters, now: float
) -> Status:
    """Look at the pairing.

    Args:
        report: of the synchroniser.
        items: what the worker took.
        both_arrive: both cameras send usable images.
        parameters: with the tolerance and the time after which pairs are missed.
        now: seconds of `time.monotonic`.
    """
    apart = report.stream_difference
    status = Status(f"{report.visible.paired} pairs")
    is_silent = items.last_pair is None or now - items.last_pair > max(2.0, parameters.missing_timeout)
    if both_arrive and is_silent:
        found = f"no pair within {parameters.tolerance_ms:g} ms"
        if apart is not None:
            found += f": the newest stamps are {abs(apart) / 1e9:.3f} s apart: {_advice(apart, parameters)}"
        status.warn(found)
    status.values = {
        "pairs": report.visible.paired,
        "alone": report.visible.alone + report.infrared.alone,
        "superseded": report.visible.superseded,
        "stamp_jumps": report.resets,
        "pair_difference_ms": milliseconds(items.last_difference),
        "stream_difference_ms": milliseconds(apart),
        "tolerance_ms": f"{parameters.tolerance_ms:g}",
        "visible": report.visible.in_words(),
        "infrared": report.infrared.in_words(),
    }
    return status


def _advice(apart: int, parameters: Parameters) -> str:
    if abs(apart) > 1_000_000_000:
        return "are the clocks synchronised?"
    return (
        "are the cameras triggered together? A steady difference can be given as sync.infrared_offset_ms, "
        f"a varying one needs a larger sync.tolerance_ms than {parameters.tolerance_ms:g}"
    )
