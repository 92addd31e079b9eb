"""Check of cv_bridge, which the node uses for encodings that it does not read itself."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

from psfusion_core.cameras.encodings import PIXEL_FORMATS
from psfusion_core.doctor.check import Finding, Subject
from psfusion_core.doctor.child import ChildError, ask_child
from psfusion_core.doctor.python_packages import installed


def cv_bridge_facts() -> dict[str, Any]:
    """Convert an image with cv_bridge, in a child process: built for another NumPy, cv_bridge may crash."""
    from cv_bridge import CvBridge
    from sensor_msgs.msg import Image

    message = Image(height=1, width=1, encoding="rgb8", step=3, data=[255, 255, 255])
    return {"grey": int(CvBridge().imgmsg_to_cv2(message, "mono8")[0, 0])}


def check_cv_bridge(_: Subject) -> Finding:
    """Check whether cv_bridge works with this NumPy."""
    known = f"the node reads {len(PIXEL_FORMATS)} encodings itself"
    if find_spec("cv_bridge") is None:
        return Finding("ok", f"not installed; it is optional, {known}")
    try:
        ask_child(cv_bridge_facts)
    except ChildError as error:
        return Finding(
            "warning",
            f"it does not work with NumPy {installed('numpy')}: {error}; {known}, others are refused",
            "pip install 'numpy<2': cv_bridge of Humble and Jazzy is built for NumPy 1",
        )
    return Finding("ok", f"it works with NumPy {installed('numpy')}")
