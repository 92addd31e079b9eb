"""The SROS 2 policy allows what a running node really uses, and nothing beyond it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from harness import FAST_DIAGNOSTICS, Peer
from node_process import STUB_NODE, NodeProcess

POLICY = Path(__file__).parents[2] / "config" / "sros2_policy.xml"
NAME = "guarded_node"
"""Of the node: one that another test killed may still be in the graph under the usual name."""

ELSEWHERE = {
    "/semantic/label_info",  # where vision_msgs is installed
    f"/{NAME}/get_type_description",  # since Iron
    "/clock",  # with use_sim_time
    "/parameter_events",  # rclpy subscribes on some distributions
}
"""Allowed, though not every node uses it."""


KINDS = {"publish": "topic", "subscribe": "topic", "reply": "service"}
"""What a rule of the policy is about."""


def allowed(kind: str, rule: str) -> set[str]:
    """Return the full names that the policy allows."""
    root = ElementTree.parse(POLICY).getroot()
    names = {
        expression.text or ""
        for group in root.iterfind(f".//profile[@node='psfusion_node']/{kind}s[@{rule}='ALLOW']")
        for expression in group.iterfind(kind)
    }
    return {f"/{name.replace('~', NAME).lstrip('/')}" for name in names}


def unused(rule: str, used: dict[str, set[str]]) -> set[str]:
    """Return the full names that the policy allows without need."""
    return allowed(KINDS[rule], rule) - used[rule] - ELSEWHERE


@pytest.mark.parametrize("transport", ["raw", "compressed"])
def test_the_policy_allows_what_a_running_node_uses_and_little_else(
    session_environment: dict[str, str], transport: str
) -> None:
    with (
        NodeProcess(
            STUB_NODE,
            session_environment,
            FAST_DIAGNOSTICS,
            f"transport:={transport}",
            arguments=["-r", f"__node:={NAME}"],
        ) as node,
        Peer() as peer,
    ):
        node.wait_until_started()
        watcher = peer.node

        def names(find: Callable[[str, str], list[tuple[str, list[str]]]]) -> set[str]:
            known = (NAME, "/") in watcher.get_node_names_and_namespaces()
            return {name for name, _ in find(NAME, "/")} if known else set()

        def used() -> dict[str, set[str]]:
            return {
                "publish": names(watcher.get_publisher_names_and_types_by_node),
                "subscribe": names(watcher.get_subscriber_names_and_types_by_node),
                "reply": names(watcher.get_service_names_and_types_by_node),
            }

        other = "" if transport == "compressed" else "/compressed"
        unheard = {f"/{camera}/image{other}" for camera in ("visible", "infrared")}
        expected = {"publish": set(), "subscribe": unheard, "reply": set()}
        peer.wait_until(
            lambda: all(unused(rule, used()) <= expected[rule] for rule in KINDS), "the whole graph"
        )
        asked = names(watcher.get_client_names_and_types_by_node)
        found = used()

    assert not asked, "the node calls no services"
    for rule, kind in KINDS.items():
        assert found[rule] <= allowed(kind, rule)
        assert unused(rule, found) == expected[rule]
