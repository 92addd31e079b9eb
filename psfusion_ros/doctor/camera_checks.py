"""Checks of one camera: who publishes, what comes, and when it was taken."""

from __future__ import annotations

from statistics import median

from psfusion_core.doctor.check import Finding, Subject
from psfusion_ros.doctor.hearing import Heard, Hearing

PROFILE_FIX = "give both sides config/fastdds.xml, and see the shared memory segment below"


def check_publishers(hearing: Hearing, heard: Heard, subject: Subject) -> Finding:
    """Look who publishes, and whether the node could hear it."""
    if not heard.publishers:
        others = [topic for topic in hearing.image_topics if topic not in heard.topics]
        found = f"images are on {', '.join(others)}" if others else "no topic has images"
        return Finding(
            "error", f"nobody publishes on {' or '.join(heard.topics)}; {found}",
            "start the camera, name its topic with --visible or --infrared, and compare ROS_DOMAIN_ID",
        )  # fmt: skip
    if heard.mismatched:
        return Finding(
            "error", f"the QoS does not match ({subject.qos} is asked for): {'; '.join(heard.mismatched)}",
            "set the node's qos.input to auto or sensor_data, or make the camera driver publish reliably",
        )  # fmt: skip
    found = f"{heard.topic} by {', '.join(heard.publishers)}"
    if len(heard.publishers) > 1:
        return Finding("warning", f"several publishers: {found}", "let one publisher use the topic")
    return Finding("ok", found)


def check_images(heard: Heard, _: Subject) -> Finding:
    """Look what comes, and how often."""
    if not heard.publishers:
        return Finding("skipped", "nobody publishes")
    if not heard.arrivals:
        reason = "the QoS does not match" if heard.mismatched else "look at the camera driver"
        return Finding("error", f"no image came on {heard.topic}", f"{reason}; else {PROFILE_FIX}")
    found = f"{heard.description}, {_rate(heard.arrivals)}"
    if heard.rejected:
        count = f"{heard.rejected} of {len(heard.arrivals)} images cannot be used"
        status = "error" if heard.rejected == len(heard.arrivals) else "warning"
        return Finding(status, f"{found}: {count}: {heard.reason}")  # type: ignore[arg-type]
    if heard.lost:
        return Finding("warning", f"{found}: {heard.lost} were lost on the way", PROFILE_FIX)
    return Finding("ok", found)


def check_stamps(heard: Heard, _: Subject) -> Finding:
    """Look at the stamps: age by this machine's clock, jitter, zeros, jumps, order."""
    if not heard.stamps:
        return Finding("skipped", "no image came")
    if heard.check.clock.zero_stamps:
        count = f"{heard.check.clock.zero_stamps} of {len(heard.stamps)} images have stamp zero"
        return Finding("error", f"{count}: the node drops them", "set header.stamp in the camera driver")
    verdict = heard.check.clock.verdict()
    if verdict is not None:
        return Finding("warning", *verdict.split(": ", 1))
    jitter = heard.check.clock.jitter_ns
    words = "unknown" if jitter is None else f"{jitter / 1e6:.1f} ms"
    return Finding("ok", f"age {age(heard) / 1e6:.1f} ms (median), intervals vary by {words}")


def age(heard: Heard) -> float:
    """Return the median of arrival minus stamp, nanoseconds."""
    return median(now - stamp for now, stamp in zip(heard.arrivals, heard.stamps, strict=True) if stamp)


def _rate(arrivals: list[int]) -> str:
    if len(arrivals) < 2:
        return "one image"
    return f"{(len(arrivals) - 1) * 1e9 / max(1, arrivals[-1] - arrivals[0]):.1f} Hz"
