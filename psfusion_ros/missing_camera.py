"""When one camera is missing: how that is found out, and whose images are passed through meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from psfusion_core.cameras.stamped import Camera

POLICIES = ("none", "visible", "infrared", "either")
"""Whose images may be passed through while the other camera is missing."""


class WatchedCamera(Protocol):
    """What is asked of a camera's input."""

    name: Camera

    def silence(self, now: float) -> float:
        """Return the seconds since the latest image that can be used, or since it was opened."""
        ...

    def trouble(self) -> str:
        """Return why there is none, in a few words."""
        ...


def passes(policy: str, camera: Camera) -> bool:
    """Tell whether a policy passes the images of this camera through."""
    return policy in ("either", camera)


class MissingWatch:
    """Knows which cameras are missing, and says so once when one goes and once when it is back.

    Attributes:
        missing: names of the cameras that are missing.
    """

    def __init__(
        self,
        visible: WatchedCamera,
        infrared: WatchedCamera,
        warn: Callable[[str], object],
        inform: Callable[[str], object],
    ) -> None:
        """Watch two inputs; `warn` and `inform` take a line for the log."""
        self._sources: tuple[WatchedCamera, WatchedCamera] = (visible, infrared)
        self._warn = warn
        self._inform = inform
        self.missing: frozenset[str] = frozenset()

    def look(self, now: float, policy: str, timeout: float) -> Camera | None:
        """Look at both inputs, and return the camera whose images are to be passed through now.

        Args:
            now: seconds of `time.monotonic`.
            policy: one of POLICIES.
            timeout: seconds of silence after which a camera is missing.
        """
        missing: set[str] = {s.name for s in self._sources if s.silence(now) > timeout}
        remedy = self._remedy(missing, policy)
        for source in self._sources:
            if source.name in missing - self.missing:
                self._warn(f"the {source.name} camera is missing ({source.trouble()}): {remedy}")
            elif source.name in self.missing - missing:
                self._inform(f"the {source.name} camera is back")
        self.missing = frozenset(missing)
        return self._present(missing, policy)

    def _present(self, missing: set[str], policy: str) -> Camera | None:
        if missing == {"infrared"} and passes(policy, "visible"):
            return "visible"
        if missing == {"visible"} and passes(policy, "infrared"):
            return "infrared"
        return None

    def _remedy(self, missing: set[str], policy: str) -> str:
        present = self._present(missing, policy)
        if present is not None:
            return f"{present} images are passed through"
        return f"nothing is published (missing.policy is {policy})"
