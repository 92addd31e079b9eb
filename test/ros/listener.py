"""Run by tests as a process of its own: keep the serialised messages of some topics, in order of arrival.

usage: listener.py OUTPUT COUNT TOPIC=TYPE [TOPIC=TYPE ...]

Prints "ready" once its subscriptions exist, ends after COUNT messages, or 60 s without one. OUTPUT becomes a
pickled list of (topic, bytes).
"""

from __future__ import annotations

import pickle
import sys
import time
from functools import partial

import rclpy
from rclpy.qos import QoSProfile
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image

KINDS = {kind.__name__: kind for kind in (CameraInfo, Clock, Image)}


def main() -> None:
    output, count, *topics = sys.argv[1:]
    received: list[tuple[str, bytes]] = []

    def keep(topic: str, data: bytes) -> None:
        received.append((topic, data))

    rclpy.init()
    node = rclpy.create_node("listener")
    for topic, kind in (pair.split("=") for pair in topics):
        node.create_subscription(KINDS[kind], topic, partial(keep, topic), QoSProfile(depth=100), raw=True)
    print("ready", flush=True)
    seen, last = 0, time.monotonic()
    while len(received) < int(count) and time.monotonic() - last < 60:
        rclpy.spin_once(node, timeout_sec=0.1)
        if len(received) > seen:
            seen, last = len(received), time.monotonic()
    with open(output, "wb") as file:
        pickle.dump(received, file)


if __name__ == "__main__":
    main()
