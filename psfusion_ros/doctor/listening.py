"""Listens for a few seconds to the cameras and to a node that runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

import rclpy
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.context import Context
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.qos import QoSCompatibility, QoSProfile, qos_check_compatible
from rclpy.topic_endpoint_info import TopicEndpointInfo

from psfusion_core.doctor.check import Subject
from psfusion_core.registration.camera_registration import CAMERAS
from psfusion_ros import image_messages
from psfusion_ros.doctor.hearing import Heard, Hearing
from psfusion_ros.outputs import CAMERA_INFO_TOPIC, IMAGE_TOPICS
from psfusion_ros.qos import describe
from psfusion_ros.subscription import CameraSubscription, SubscriptionSettings

IMAGE_TYPES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
LOOK_SECONDS = 0.5
"""Between two looks at who publishes."""

DISCOVERY_SECONDS = 3.0
"""At most until listening counts from the beginning: others take that long to be found on a busy machine."""


def listen(subject: Subject, progress: Callable[[float], object]) -> Hearing:
    """Listen to the topics of a subject.

    Args:
        subject: with the topics, and for how long.
        progress: told the seconds since it was called last.
    """
    hearing = Hearing({camera: Heard(camera) for camera in CAMERAS})
    context = Context()
    rclpy.init(args=[], context=context)
    try:
        remaps = [f"{camera}/image:={getattr(subject, camera)}" for camera in CAMERAS]
        node = rclpy.create_node(
            "psfusion_doctor",
            namespace=subject.namespace,
            context=context,
            cli_args=["--ros-args", *(word for remap in remaps for word in ("-r", remap))],
            use_global_arguments=False,
            start_parameter_services=False,
        )
        executor = SingleThreadedExecutor(context=context)
        executor.add_node(node)
        _listen(node, executor, subject, hearing, progress)
        node.destroy_node()
    finally:
        context.try_shutdown()
    return hearing


def _listen(
    node: Node,
    executor: SingleThreadedExecutor,
    subject: Subject,
    hearing: Hearing,
    progress: Callable[[float], object],
) -> None:
    settings = SubscriptionSettings("auto", subject.qos, depth=10)
    subscriptions = {
        camera: CameraSubscription(node, camera, settings, _taker(node, hearing.cameras[camera]))
        for camera in CAMERAS
    }
    node.create_subscription(DiagnosticArray, "/diagnostics", hearing.keep, 50)
    for subscription in subscriptions.values():
        subscription.open()

    def adapt(_: float) -> None:
        for subscription in subscriptions.values():
            subscription.adapt()

    def both_came() -> bool:
        return all(heard.arrivals for heard in hearing.cameras.values())

    _spin(executor, DISCOVERY_SECONDS, [adapt], both_came)
    _spin(executor, subject.seconds, [adapt, progress])
    for camera, subscription in subscriptions.items():
        _look_at_publishers(node, subscription, hearing.cameras[camera])
    hearing.image_topics = [
        name
        for name, types in node.get_topic_names_and_types()
        if set(types) & set(IMAGE_TYPES) and node.count_publishers(name)
    ]
    hearing.unserved = _unserved(node)


def _spin(
    executor: SingleThreadedExecutor,
    seconds: float,
    tell: Sequence[Callable[[float], object]],
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Let messages come in for so long, or until something holds; `tell` now and then how long it was."""
    begin = told = time.monotonic()
    while (now := time.monotonic()) - begin < seconds and not until():
        executor.spin_once(timeout_sec=0.1)
        if now - told > LOOK_SECONDS:
            for function in tell:
                function(now - told)
            told = now


def _taker(node: Node, heard: Heard) -> Callable[[image_messages.AnyImage], None]:
    return lambda message: heard.take(message, node.get_clock().now().nanoseconds)


def _look_at_publishers(node: Node, subscription: CameraSubscription, heard: Heard) -> None:
    heard.topic, heard.topics, heard.lost = subscription.topic, subscription.topics, subscription.lost
    for info in node.get_publishers_info_by_topic(subscription.topic):
        offered = f"{_name(info)} ({_in_words(info.qos_profile)})"
        heard.publishers.append(offered)
        fits, reason = qos_check_compatible(info.qos_profile, subscription.qos)
        if fits == QoSCompatibility.ERROR:
            heard.mismatched.append(f"{offered}: {reason.strip()}")


def _in_words(profile: QoSProfile) -> str:
    """Return what is known of a publisher elsewhere: its depth is not."""
    return f"{describe(profile).partition(',')[0]}, {profile.durability.name.lower().replace('_', ' ')}"


def _unserved(node: Node) -> list[str]:
    """Compare what is known of both sides: of a profile of ours, more than that is set."""
    return [
        f"{node.resolve_topic_name(topic)} by {_name(reader)}: {reason.strip()}"
        for topic in (*IMAGE_TOPICS, CAMERA_INFO_TOPIC)
        for writer in node.get_publishers_info_by_topic(topic)
        for reader in node.get_subscriptions_info_by_topic(topic)
        for fits, reason in [qos_check_compatible(writer.qos_profile, reader.qos_profile)]
        if fits == QoSCompatibility.ERROR
    ]


def _name(endpoint: TopicEndpointInfo) -> str:
    return f"{endpoint.node_namespace.rstrip('/')}/{endpoint.node_name}"
