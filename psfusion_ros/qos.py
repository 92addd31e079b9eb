"""Quality of service of every topic of the node."""

from __future__ import annotations

from rclpy.qos import DurabilityPolicy, HistoryPolicy, QoSProfile, ReliabilityPolicy

INPUT_KINDS = ("sensor_data", "reliable")

OUTPUT_QOS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=5,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.VOLATILE,
)
"""Outputs: reliable, because a reliable publisher serves best-effort subscribers as well."""

LATCHED_QOS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""What is said once and kept for subscribers that come later."""


def input_qos(kind: str, depth: int) -> QoSProfile:
    """Return the profile of an image subscription.

    Args:
        kind: `sensor_data` (best effort: matches every publisher, loses frames rather than delay them) or
            `reliable` (matches reliable publishers only).
        depth: frames that the middleware keeps for the node, >= 1.
    """
    reliability = ReliabilityPolicy.RELIABLE if kind == "reliable" else ReliabilityPolicy.BEST_EFFORT
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=reliability,
        durability=DurabilityPolicy.VOLATILE,
    )


def describe(profile: QoSProfile) -> str:
    """Return a profile in a few words, for a log line."""
    return f"{profile.reliability.name.lower().replace('_', ' ')}, keep last {profile.depth}"
