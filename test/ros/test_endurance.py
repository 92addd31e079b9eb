"""The node under load: bounded latency when the engine is too slow, and flat memory over many minutes."""

from __future__ import annotations

import os
import time

import numpy as np
import psutil
import pytest

pytest.importorskip("rclpy", reason="needs ROS 2, from apt or from the wheels (extra ros-wheels)")

from harness import FAST_DIAGNOSTICS, Cameras, Peer, counts_of, stamp_of
from node_process import STUB_NODE, NodeProcess

SOAK_SECONDS = float(os.environ.get("PSFUSION_SOAK_SECONDS", "900"))


@pytest.mark.parametrize("seconds", [15.0, pytest.param(60.0, marks=pytest.mark.slow)])
def test_at_sixty_hertz_a_five_hertz_engine_publishes_the_newest_with_bounded_latency_and_memory(
    session_environment: dict[str, str], seconds: float
) -> None:
    period = 0.2
    slow = {**session_environment, "STUB_SECONDS": str(period)}
    with (
        NodeProcess(STUB_NODE, slow, FAST_DIAGNOSTICS) as node,
        Peer(("fused/image",)) as peer,
    ):
        node.wait_until_started()
        peer.connect()
        process = psutil.Process(node.process.pid)
        latencies: list[float] = []
        memory: list[int] = []
        with Cameras(peer, rate=60.0) as cameras:
            begin = time.monotonic()
            seen = 0
            while time.monotonic() - begin < seconds:
                time.sleep(0.005)
                messages = peer.received["fused/image"]
                # stamps are the time of sending, by the same clock
                latencies += [time.time() - stamp_of(m) / 1e9 for m in messages[seen:]]
                seen = len(messages)
                memory.append(process.memory_info().rss)
        rate = seen / seconds
        print(f"{rate:.2f} Hz, latency median {np.median(latencies):.3f} s, max {max(latencies):.3f} s")
        assert rate > 0.7 / period
        assert max(latencies) < 3 * period
        settled = memory[len(memory) // 4 :]
        assert max(settled) < 1.02 * min(settled)
        assert all(cameras.is_right(message) for message in messages)
        peer.wait_until(lambda: counts_of(peer, "visible").get("waiting", 9) <= 1, "the queue to drain")
        counts = counts_of(peer, "visible")
        assert counts["superseded"] > counts["paired"]
        assert counts["received"] == sum(n for name, n in counts.items() if name != "received")


@pytest.mark.slow
def test_fifteen_minutes_at_ten_hertz_lose_nothing_uncounted_and_take_no_memory(
    session_environment: dict[str, str],
) -> None:
    parameters = ("qos.input:=reliable", "diagnostics.period:=1.0")
    with (
        NodeProcess(STUB_NODE, session_environment, *parameters) as node,
        Peer(("fused/image", "semantic/mask", "semantic/overlay")) as peer,
    ):
        node.wait_until_started()
        peer.connect()
        process = psutil.Process(node.process.pid)
        memory: list[int] = []
        received = 0
        with Cameras(peer, rate=10.0, height=480, width=640) as cameras:
            begin = time.monotonic()
            while time.monotonic() - begin < SOAK_SECONDS:
                time.sleep(1.0)
                if time.monotonic() - begin > min(60.0, SOAK_SECONDS / 5):
                    memory.append(process.memory_info().rss)
                for topic in ("fused/image", "semantic/mask", "semantic/overlay"):
                    messages, peer.received[topic] = peer.received[topic], []
                    received += len(messages) if topic == "fused/image" else 0
                    del peer.received["/diagnostics"][:-5]
        sent = cameras.sent["visible"]
        peer.wait_until(
            lambda: int(peer.status("visible input")["received"]) == sent, "every image to have come"
        )
        time.sleep(2.0)
        received += len(peer.received["fused/image"])
        counts, outputs = counts_of(peer, "visible"), peer.status("outputs")
        growth = memory[-1] / memory[0] - 1
        print(
            f"{sent} pairs sent, {received} fused images received, node: {counts}, {outputs['published']} "
            f"published; memory {memory[0] / 2**20:.1f} to {memory[-1] / 2**20:.1f} MiB ({growth:+.2%}), "
            f"max {max(memory) / 2**20:.1f}"
        )
        assert counts["received"] == sum(n for name, n in counts.items() if name != "received")
        assert int(outputs["published"]) == received
        assert max(memory) < 1.02 * memory[0]
