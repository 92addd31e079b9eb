"""Listens to the cameras and to a running node for a few seconds."""

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
from psfusion_ros.doctor.observations import CameraObservations, Observations
from psfusion_ros.image_messages import AnyImage
from psfusion_ros.outputs import CAMERA_INFO_TOPIC, IMAGE_TOPICS
from psfusion_ros.qos import describe
from psfusion_ros.subscription import CameraSubscription, SubscriptionSettings

IMAGE_TYPES = ("sensor_msgs/msg/Image", "sensor_msgs/msg/CompressedImage")
CHECK_SECONDS = 0.5
"""Seconds between two checks of who publishes."""

DISCOVERY_SECONDS = 3.0
"""Seconds at most to wait for the first images: discovery takes that long on a busy machine."""


def listen(subject: Subject, progress: Callable[[float], object]) -> Observations:
    """Listen to the cameras and the node.

    Args:
        subject: The topics to listen to, and for how long.
        progress: Called now and then with the seconds since its last call.
    """
    observations = Observations({camera: CameraObservations(camera) for camera in CAMERAS})
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
        _listen(node, executor, subject, observations, progress)
        node.destroy_node()
    finally:
        context.try_shutdown()
    return observations


def _listen(
    node: Node,
    executor: SingleThreadedExecutor,
    subject: Subject,
    observations: Observations,
    progress: Callable[[float], object],
) -> None:
    settings = SubscriptionSettings("auto", subject.qos, depth=10)
    subscriptions = {
        camera: CameraSubscription(node, camera, settings, _recorder(node, observations.cameras[camera]))
        for camera in CAMERAS
    }
    node.create_subscription(DiagnosticArray, "/diagnostics", observations.record_statuses, 50)
    for subscription in subscriptions.values():
        subscription.open()

    def adapt(_: float) -> None:
        for subscription in subscriptions.values():
            subscription.adapt()

    def both_arrived() -> bool:
        return all(camera.arrivals for camera in observations.cameras.values())

    _spin(executor, DISCOVERY_SECONDS, [adapt], both_arrived)
    _spin(executor, subject.seconds, [adapt, progress])
    for camera, subscription in subscriptions.items():
        _record_publishers(node, subscription, observations.cameras[camera])
    observations.image_topics = [
        name
        for name, types in node.get_topic_names_and_types()
        if set(types) & set(IMAGE_TYPES) and node.count_publishers(name)
    ]
    observations.unserved = _unserved(node)


def _spin(
    executor: SingleThreadedExecutor,
    seconds: float,
    callbacks: Sequence[Callable[[float], object]],
    until: Callable[[], bool] = lambda: False,
) -> None:
    """Receive messages until a condition holds; call the callbacks with the seconds since their last call."""
    begin = called = time.monotonic()
    while (now := time.monotonic()) - begin < seconds and not until():
        executor.spin_once(timeout_sec=0.1)
        if now - called > CHECK_SECONDS:
            for callback in callbacks:
                callback(now - called)
            called = now


def _recorder(node: Node, camera: CameraObservations) -> Callable[[AnyImage], None]:
    return lambda message: camera.record(message, node.get_clock().now().nanoseconds)


def _record_publishers(node: Node, subscription: CameraSubscription, camera: CameraObservations) -> None:
    camera.topic, camera.topics, camera.lost = subscription.topic, subscription.topics, subscription.lost
    for info in node.get_publishers_info_by_topic(subscription.topic):
        offered = f"{_name(info)} ({_in_words(info.qos_profile)})"
        camera.publishers.append(offered)
        fits, reason = qos_check_compatible(info.qos_profile, subscription.qos)
        if fits == QoSCompatibility.ERROR:
            camera.mismatched.append(f"{offered}: {reason.strip()}")


def _in_words(profile: QoSProfile) -> str:
    """Describe the QoS of a remote publisher, whose depth is unknown."""
    return f"{describe(profile).partition(',')[0]}, {profile.durability.name.lower().replace('_', ' ')}"


def _unserved(node: Node) -> list[str]:
    """Return the subscribers of the outputs whose QoS does not match, by what both sides announce."""
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
