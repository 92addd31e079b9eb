"""The QoS of every topic of the node, and advice for a publisher or subscriber whose QoS does not match."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rclpy.qos import (
    DurabilityPolicy,
    HistoryPolicy,
    QoSProfile,
    ReliabilityPolicy,
    qos_policy_name_from_kind,
)

OUTPUT_QOS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=5,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.VOLATILE,
)
"""Outputs are reliable because a reliable publisher also serves best-effort subscribers."""

LATCHED_QOS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""Latched topics: the last message is kept for subscribers that join later."""


def input_qos(kind: str, depth: int, offered: Sequence[QoSProfile] = ()) -> QoSProfile:
    """Return the profile of an image subscription.

    Args:
        kind: `sensor_data` (best effort: matches every publisher, and loses images rather than delaying
            them), `reliable` (matches reliable publishers only), or `auto` (reliable if every publisher is).
        depth: Messages that the middleware queues for the node, >= 1.
        offered: Profiles of the current publishers, for `auto`.
    """
    all_reliable = bool(offered) and all(
        profile.reliability == ReliabilityPolicy.RELIABLE for profile in offered
    )
    is_reliable = kind == "reliable" or (kind == "auto" and all_reliable)
    return QoSProfile(
        history=HistoryPolicy.KEEP_LAST,
        depth=depth,
        reliability=ReliabilityPolicy.RELIABLE if is_reliable else ReliabilityPolicy.BEST_EFFORT,
        durability=DurabilityPolicy.VOLATILE,
    )


def describe(profile: QoSProfile) -> str:
    """Describe a profile in a few words, for a log line."""
    return f"{profile.reliability.name.lower().replace('_', ' ')}, keep last {profile.depth}"


def explain_publisher_mismatch(topic: str, event: Any) -> str:
    """Say what to do about a publisher whose images cannot arrive (an incompatible-QoS event)."""
    policy = qos_policy_name_from_kind(event.last_policy_kind)
    return (
        f"a publisher on {topic} offers less than this node asks for ({policy}), none of its images arrive: "
        "set qos.input to auto or sensor_data, or make the camera driver publish reliably"
    )


def explain_subscriber_mismatch(topic: str, event: Any) -> str:
    """Say what to do about a subscriber that cannot be served (an incompatible-QoS event)."""
    policy = qos_policy_name_from_kind(event.last_policy_kind)
    return (
        f"a subscriber of {topic} asks for more than this node offers ({policy}), it receives nothing: "
        f"subscribe with durability volatile and no deadline ({describe(OUTPUT_QOS)} is offered)"
    )
