"""``psfusion doctor``: checks this machine, its ROS, its cameras and a running node."""

from __future__ import annotations

import argparse
import importlib
import os
from collections.abc import Generator, Iterator
from dataclasses import replace

from psfusion_core.cli.errors import CommandError
from psfusion_core.cli.sizes import METAVAR, parse_size
from psfusion_core.doctor.check import Finding, Subject, failed, run_check
from psfusion_core.doctor.check_list import MACHINE_CHECKS, TRANSPORT_CHECKS, has_ros, run_checks, skip
from psfusion_core.doctor.doctor_report import DoctorReport
from psfusion_core.doctor.ros_installation import check_start

ROS_CHECKS = "psfusion_ros.doctor"
"""Module with the checks that need ROS. It is imported by name, if rclpy is installed."""

EPILOG = """examples:
  psfusion doctor
  psfusion doctor --visible /front/image_raw --infrared /thermal/image_raw --listen 10
  psfusion doctor --listen 0 --size 1280x1024 --json

Every line is ok, a warning or an error with what to do about it, or skipped with the reason. Run this command
in the environment in which the node and the camera drivers are started, because it checks the same variables.
The exit status is 1 if there is an error, and 2 if the options are wrong."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    subject = Subject({})
    parser.add_argument(
        "--visible", default=subject.visible, metavar="TOPIC", help="raw images (default: %(default)s)"
    )
    parser.add_argument(
        "--infrared", default=subject.infrared, metavar="TOPIC", help="raw images (default: %(default)s)"
    )
    parser.add_argument(
        "--namespace", default=subject.namespace,
        help="namespace of the node, for relative topics (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--listen", type=float, default=subject.seconds, metavar="SECONDS",
        help="how long to listen to the cameras and the node; 0 does not listen (default: %(default)g)",
    )  # fmt: skip
    parser.add_argument(
        "--qos", choices=("sensor_data", "reliable", "auto"), default=subject.qos,
        help="value of the node's parameter qos.input (default: %(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--size", type=parse_size, metavar=METAVAR,
        help="size of the rgb8 images that shared memory must hold (default: that of the received images)",
    )  # fmt: skip
    parser.add_argument("--model", default=subject.model, help="network to load (default: %(default)s)")
    parser.add_argument("--weights", default=subject.weights, help="checkpoint (default: the shipped one)")
    parser.add_argument("--json", action="store_true", help="print the findings as JSON")


def run(options: argparse.Namespace) -> int:
    subject = make_subject(options)
    report = DoctorReport(options.json)
    for name, finding in examine(subject):
        report.add(name, finding)
    return report.end()


def make_subject(options: argparse.Namespace) -> Subject:
    """Return the subject that the options describe.

    Raises:
        CommandError: --listen is out of range.
    """
    if not 0 <= options.listen <= 3600:
        raise CommandError(f"--listen is {options.listen:g}; expected 0 to 3600 seconds")
    subject = Subject(
        environment=dict(os.environ),
        visible=options.visible,
        infrared=options.infrared,
        namespace=options.namespace,
        seconds=options.listen,
        qos=options.qos,
        model=options.model,
        weights=options.weights,
    )
    if options.size is None:
        return subject
    return replace(subject, frame_bytes=3 * options.size.width * options.size.height, frame_origin="asked")


def examine(subject: Subject) -> Iterator[tuple[str, Finding]]:
    """Run the checks one by one, and yield the name and the finding of each."""
    yield from run_checks(MACHINE_CHECKS, subject)
    if has_ros():
        subject = yield from examine_ros(subject)
        yield from run_checks(TRANSPORT_CHECKS, subject)
    else:
        reason = "needs ROS 2"
        yield "topics", Finding("skipped", f"{reason}: cameras, stamps, clocks, QoS, the node and cv_bridge")
        yield from skip(TRANSPORT_CHECKS, reason)


def examine_ros(subject: Subject) -> Generator[tuple[str, Finding], None, Subject]:
    """Yield the findings of the checks that need ROS, and return the subject with the received image size."""
    start = run_check(check_start, subject)
    yield "ros start", start
    if start.status != "ok":
        return subject
    try:
        from tqdm import tqdm

        ros = importlib.import_module(ROS_CHECKS)
        yield from run_checks(ros.INSTALLATION_CHECKS, subject)
        if not subject.seconds:
            yield "topics", Finding("skipped", "--listen is 0")
            return subject
        with tqdm(total=subject.seconds, desc="listening", unit="s", disable=None, leave=False) as bar:
            observations = ros.listen(subject, bar.update)
    except Exception as error:  # such as a wrong topic name; ROS raises several types
        yield "topics", failed(error)
        return subject
    yield from run_checks(ros.live_checks(observations), subject)
    if not observations.frame_bytes or subject.frame_origin == "asked":
        return subject
    return replace(subject, frame_bytes=observations.frame_bytes, frame_origin="seen")
