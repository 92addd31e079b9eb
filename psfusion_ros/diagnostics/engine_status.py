"""Status of the fuser: its failures and fallbacks, and the health of its device."""

from __future__ import annotations

from psfusion_core.engines.device_health import DeviceHealth
from psfusion_core.fusion.node_parameters import NodeParameters
from psfusion_core.fusion.recovery import RecoveringFuser
from psfusion_ros.diagnostics.status import CounterChanges, Status
from psfusion_ros.item_counts import ItemCounts, summary


class EngineTask:
    """Reports failures, fallbacks, inference times, memory and temperature."""

    def __init__(self) -> None:
        self._changes = CounterChanges()

    def status(
        self,
        fuser: RecoveringFuser,
        health: DeviceHealth,
        counts: ItemCounts,
        state: str,
        worker_is_alive: bool,
        parameters: NodeParameters,
    ) -> Status:
        """Return the status since the last call.

        Args:
            fuser: The node's fuser.
            health: The health of its device.
            counts: What the worker did.
            state: The state of the node's life cycle.
            worker_is_alive: Whether the worker's thread runs.
            parameters: The node's parameters, with the temperature limit.
        """
        status = Status(fuser.description)
        if self._changes.since_last("failed", counts.failed):
            status.error(f"failed: {counts.last_failure}")
        if self._changes.since_last("rejected", counts.rejected):
            status.error(f"pairs dropped: {counts.last_rejection}")
        if self._changes.since_last("worker_faults", counts.worker_faults):
            status.error(f"the worker went on after a fault: {counts.last_worker_fault}")
        if not worker_is_alive:
            status.error("the worker has ended, nothing is fused: restart the node")
        if fuser.degraded:
            status.warn(f"out of memory, going on with {fuser.description}")
        if health.temperature is not None and health.temperature >= parameters.temperature_warning:
            status.warn(f"the device has {health.temperature:.0f} degrees Celsius: improve the cooling")
        status.values = {
            "state": state,
            "engine": fuser.description,
            "inference": summary(counts.inference),
            "failed": counts.failed,
            "last_failure": counts.last_failure,
            "rejected": counts.rejected,
            "last_rejection": counts.last_rejection,
            "worker": "alive" if worker_is_alive else "ended",
            "worker_faults": counts.worker_faults,
            "out_of_memory_retries": fuser.retries,
            "out_of_memory_fallbacks": fuser.fallbacks,
            **health.values(),
        }
        return status
