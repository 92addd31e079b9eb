"""Checks of one camera: its publishers, its images and their stamps."""

from __future__ import annotations

from statistics import median

from psfusion_core.doctor.check import Finding, Subject
from psfusion_ros.doctor.observations import CameraObservations, Observations

PROFILE_FIX = "give both sides config/fastdds.xml, and see the shared memory segment below"


def check_publishers(observations: Observations, camera: CameraObservations, subject: Subject) -> Finding:
    """Check who publishes, and whether their QoS matches."""
    if not camera.publishers:
        others = [topic for topic in observations.image_topics if topic not in camera.topics]
        found = f"images are on {', '.join(others)}" if others else "no topic has images"
        return Finding(
            "error", f"nobody publishes on {' or '.join(camera.topics)}; {found}",
            "start the camera, name its topic with --visible or --infrared, and compare ROS_DOMAIN_ID",
        )  # fmt: skip
    if camera.mismatched:
        return Finding(
            "error", f"the QoS does not match ({subject.qos} is asked for): {'; '.join(camera.mismatched)}",
            "set the node's qos.input to auto or sensor_data, or make the camera driver publish reliably",
        )  # fmt: skip
    found = f"{camera.topic} by {', '.join(camera.publishers)}"
    if len(camera.publishers) > 1:
        return Finding("warning", f"several publishers: {found}", "let one publisher use the topic")
    return Finding("ok", found)


def check_images(camera: CameraObservations, _: Subject) -> Finding:
    """Check whether usable images arrive, and how often."""
    if not camera.publishers:
        return Finding("skipped", "nobody publishes")
    if not camera.arrivals:
        reason = "the QoS does not match" if camera.mismatched else "check the camera driver"
        return Finding("error", f"no image arrived on {camera.topic}", f"{reason}; else {PROFILE_FIX}")
    found = f"{camera.description}, {_rate(camera.arrivals)}"
    if camera.rejected:
        count = f"{camera.rejected} of {len(camera.arrivals)} images cannot be used"
        status = "error" if camera.rejected == len(camera.arrivals) else "warning"
        return Finding(status, f"{found}: {count}: {camera.reason}")  # type: ignore[arg-type]
    if camera.lost:
        return Finding("warning", f"{found}: {camera.lost} were lost on the way", PROFILE_FIX)
    return Finding("ok", found)


def check_stamps(camera: CameraObservations, _: Subject) -> Finding:
    """Check the stamps: their age by this machine's clock, jitter, zeros, jumps and order."""
    if not camera.stamps:
        return Finding("skipped", "no image arrived")
    if camera.check.clock.zero_stamps:
        count = f"{camera.check.clock.zero_stamps} of {len(camera.stamps)} images have stamp zero"
        return Finding("error", f"{count}: the node drops them", "set header.stamp in the camera driver")
    verdict = camera.check.clock.verdict()
    if verdict is not None:
        return Finding("warning", *verdict.split(": ", 1))
    jitter = camera.check.clock.jitter_ns
    words = "unknown" if jitter is None else f"{jitter / 1e6:.1f} ms"
    return Finding("ok", f"age {age(camera) / 1e6:.1f} ms (median), intervals vary by {words}")


def age(camera: CameraObservations) -> float:
    """Return the median of arrival minus stamp, nanoseconds."""
    return median(now - stamp for now, stamp in zip(camera.arrivals, camera.stamps, strict=True) if stamp)


def _rate(arrivals: list[int]) -> str:
    if len(arrivals) < 2:
        return "one image"
    return f"{(len(arrivals) - 1) * 1e9 / max(1, arrivals[-1] - arrivals[0]):.1f} Hz"
