"""Quality of service of every topic of the node, and what to do where two sides do not match."""

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
"""Outputs: reliable, because a reliable publisher serves best-effort subscribers as well."""

LATCHED_QOS = QoSProfile(
    history=HistoryPolicy.KEEP_LAST,
    depth=1,
    reliability=ReliabilityPolicy.RELIABLE,
    durability=DurabilityPolicy.TRANSIENT_LOCAL,
)
"""What is said once and kept for subscribers that come later."""


def input_qos(kind: str, depth: int, offered: Sequence[QoSProfile] = ()) -> QoSProfile:
    """Return the profile of an image subscription.

    Args:
        kind: `sensor_data` (best effort: matches every publisher, loses frames rather than delay them),
            `reliable` (matches reliable publishers only), or `auto` (reliable where every publisher is).
        depth: frames that the middleware keeps for the node, >= 1.
        offered: profiles of the publishers that are there, for `auto`.
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
    """Return a profile in a few words, for a log line."""
    return f"{profile.reliability.name.lower().replace('_', ' ')}, keep last {profile.depth}"


def explain_publisher_mismatch(topic: str, event: Any) -> str:
    """Say what to do about a publisher whose images cannot come (an incompatible-QoS event)."""
    policy = qos_policy_name_from_kind(event.last_policy_kind)
    return (
        f"a publisher on {topic} offers less than this node asks for ({policy}), none of its images come: "
        "set qos.input to auto or sensor_data, or make the camera driver publish reliably"
    )


def explain_subscriber_mismatch(topic: str, event: Any) -> str:
    """Say what to do about a subscriber that cannot be served (an incompatible-QoS event)."""
    policy = qos_policy_name_from_kind(event.last_policy_kind)
    return (
        f"a subscriber of {topic} asks for more than this node offers ({policy}), it gets nothing: "
        f"subscribe with durability volatile and no deadline ({describe(OUTPUT_QOS)} is offered)"
    )
