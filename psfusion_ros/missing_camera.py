"""Notices when a camera falls silent, and decides whose images are passed through meanwhile."""

from __future__ import annotations

from typing import Any, Protocol

from psfusion_core.cameras.stamped import Camera


class WatchedCamera(Protocol):
    """What the watch asks of a camera's input."""

    name: Camera

    def silence(self, now: float) -> float:
        """Return the seconds since the latest usable image, or since the input was opened."""
        ...

    def problem(self) -> str:
        """Return in a few words why no usable image arrives."""
        ...


def passes(policy: str, camera: Camera) -> bool:
    """Tell whether a policy passes the images of this camera through."""
    return policy in ("either", camera)


class MissingCameraWatch:
    """Knows which cameras are missing, and logs once when one goes missing and once when it is back.

    Attributes:
        missing: Names of the missing cameras.
    """

    def __init__(self, visible: WatchedCamera, infrared: WatchedCamera, logger: Any) -> None:
        self._cameras = visible, infrared
        self._logger = logger
        self.missing: frozenset[Camera] = frozenset()

    def update(self, now: float, policy: str, timeout: float) -> Camera | None:
        """Check both cameras, and return the one whose images are to be passed through now.

        Args:
            now: Seconds of `time.monotonic`.
            policy: Value of the parameter missing.policy.
            timeout: Seconds of silence after which a camera is missing.
        """
        missing = frozenset(camera.name for camera in self._cameras if camera.silence(now) > timeout)
        passed = _passed_camera(missing, policy)
        if passed is not None:
            consequence = f"{passed} images are passed through"
        else:
            consequence = f"nothing is published (missing.policy is {policy})"
        for camera in self._cameras:
            if camera.name in missing - self.missing:
                self._logger.warning(
                    f"the {camera.name} camera is missing ({camera.problem()}): {consequence}"
                )
            elif camera.name in self.missing - missing:
                self._logger.info(f"the {camera.name} camera is back")
        self.missing = missing
        return passed


def _passed_camera(missing: frozenset[Camera], policy: str) -> Camera | None:
    if missing == {"infrared"} and passes(policy, "visible"):
        return "visible"
    if missing == {"visible"} and passes(policy, "infrared"):
        return "infrared"
    return None
