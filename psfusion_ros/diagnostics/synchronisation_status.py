"""Status of the pairing of both cameras."""

from __future__ import annotations

from psfusion_core.fusion.node_parameters import NodeParameters
from psfusion_ros.diagnostics.status import Status, milliseconds
from psfusion_ros.item_counts import ItemCounts
from psfusion_ros.synchroniser import SyncReport


def synchronisation_status(
    report: SyncReport, counts: ItemCounts, both_arrive: bool, parameters: NodeParameters, now: float
) -> Status:
    """Return the status of the pairing.

    Args:
        report: The synchroniser's report.
        counts: What the worker did.
        both_arrive: Whether both cameras send usable images.
        parameters: The node's parameters, with the tolerance and the timeout.
        now: Seconds of `time.monotonic`.
    """
    difference = report.stream_difference
    status = Status(f"{report.visible.paired} pairs")
    lacks_pairs = counts.last_pair is None or now - counts.last_pair > max(2.0, parameters.missing_timeout)
    if both_arrive and lacks_pairs:
        problem = f"no pair within {parameters.tolerance_ms:g} ms"
        if difference is not None:
            problem += (
                f": the newest stamps are {abs(difference) / 1e9:.3f} s apart: "
                f"{_advice(difference, parameters)}"
            )
        status.warn(problem)
    status.values = {
        "pairs": report.visible.paired,
        "alone": report.visible.alone + report.infrared.alone,
        "superseded": report.visible.superseded,
        "stamp_jumps": report.resets,
        "pair_difference_ms": milliseconds(counts.last_difference),
        "stream_difference_ms": milliseconds(difference),
        "tolerance_ms": f"{parameters.tolerance_ms:g}",
        "visible": report.visible.in_words(),
        "infrared": report.infrared.in_words(),
    }
    return status


def _advice(difference: int, parameters: NodeParameters) -> str:
    if abs(difference) > 1_000_000_000:
        return "are the clocks synchronised?"
    return (
        "are the cameras triggered together? A steady difference can be given as sync.infrared_offset_ms, "
        f"a varying one needs a larger sync.tolerance_ms than {parameters.tolerance_ms:g}"
    )
