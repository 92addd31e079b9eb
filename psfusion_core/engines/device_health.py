"""Memory and temperature of the device that runs the network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    import torch

CPU_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal", "x86_pkg_temp")
GPU_SENSORS = ("gpu_thermal", "gpu-thermal", "gpu-therm")
"""Linux temperature sensors of PC and single-board processors, and of the GPU of Jetson."""


@dataclass(frozen=True)
class DeviceHealth:
    """Memory and temperature; a value that cannot be read is None.

    Attributes:
        memory_used, memory_total: Memory of the device, used by all processes and in total, bytes.
        process_memory: Resident memory of this process, bytes.
        temperature: Temperature of the device, degrees Celsius.
    """

    memory_used: int | None
    memory_total: int | None
    process_memory: int
    temperature: float | None

    def values(self) -> dict[str, str]:
        """Return the values as text, by name."""
        memory = "unknown"
        if self.memory_used is not None and self.memory_total is not None:
            memory = f"{self.memory_used / 2**20:.0f} of {self.memory_total / 2**20:.0f} MiB"
        return {
            "device_memory": memory,
            "process_memory": f"{self.process_memory / 2**20:.0f} MiB",
            "device_temperature": "unknown" if self.temperature is None else f"{self.temperature:.0f} C",
        }


def read_health(device: torch.device) -> DeviceHealth:
    """Read the health of a CPU or CUDA device; nothing is raised if a value cannot be read."""
    process_memory = psutil.Process().memory_info().rss
    if device.type == "cuda":
        import torch  # imported late, because it takes seconds

        try:
            free, total = torch.cuda.mem_get_info(device)
        except RuntimeError:  # the device has failed
            return DeviceHealth(None, None, process_memory, None)
        return DeviceHealth(total - free, total, process_memory, _gpu_temperature(device))
    memory = psutil.virtual_memory()
    return DeviceHealth(memory.total - memory.available, memory.total, process_memory, _sensor(CPU_SENSORS))


def _gpu_temperature(device: torch.device) -> float | None:
    import torch

    try:
        return float(torch.cuda.temperature(device))
    except Exception:  # no pynvml, or NVML does not support the device (Jetson)
        return _sensor(GPU_SENSORS)


def _sensor(names: tuple[str, ...]) -> float | None:
    """Return the highest temperature of the sensors with these names."""
    sensors: dict[str, Any] = getattr(psutil, "sensors_temperatures", dict)()  # Linux and FreeBSD only
    found = [
        entry.current
        for name, entries in sensors.items()
        if name.lower() in names
        for entry in entries
        if entry.current is not None
    ]
    return max(found, default=None)
