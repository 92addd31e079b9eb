"""Status of the engine: what it failed on, and the health of its device."""

from __future__ import annotations

from typing import Any

from psfusion_core.engines.device_health import DeviceHealth
from psfusion_ros.diagnostics.status import Since, Status
from psfusion_ros.item_counts import ItemStatistics, summary
from psfusion_ros.node_parameters import Parameters


class EngineTask:
    """Failures, fallbacks, inference times, memory and temperature."""

    def __init__(self) -> None:
        self._since = Since()

    def look(
        self, fuser: Any, health: DeviceHealth, items: ItemStatistics, state: str, parameters: Parameters
    ) -> Status:
        """Look at the engine.

        Args:
            fuser: a `RecoveringFuser`.
            health: of its device.
            items: what the worker did.
            state: of the node's life cycle.
            parameters: with the thresholds.
        """
        status = Status(fuser.description)
        if self._since("failed", items.failed):
            status.error(f"failed: {items.last_failure}")
        if self._since("rejected", items.rejected):
            status.error(f"pairs dropped: {items.last_rejection}")
        if fuser.degraded:
            status.warn(f"out of memory, going on with {fuser.description}")
        if health.temperature is not None and health.temperature >= parameters.temperature_warning:
            status.warn(f"the device has {health.temperature:.0f} degrees Celsius: improve the cooling")
        status.values = {
            "state": state,
            "engine": fuser.description,
            "inference": summary(items.inference),
            "failed": items.failed,
            "last_failure": items.last_failure,
            "rejected": items.rejected,
            "last_rejection": items.last_rejection,
            "out_of_memory_retries": fuser.retries,
            "out_of_memory_fallbacks": fuser.fallbacks,
            **health.values(),
        }
        return status
