"""Memory and temperature of the device that runs the network, as far as they can be read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    import torch

CPU_SENSORS = ("coretemp", "k10temp", "zenpower", "cpu_thermal", "cpu-thermal", "x86_pkg_temp")
GPU_SENSORS = ("gpu_thermal", "gpu-thermal", "gpu-therm")
"""Names of Linux temperature sensors: of PC processors and single-board computers, and of Jetson's GPU."""


@dataclass(frozen=True)
class DeviceHealth:
    """What can be read; None where it cannot.

    Attributes:
        memory_used, memory_total: bytes of the device, of all its users.
        process_memory: bytes of this process that are in the machine's memory.
        temperature: degrees Celsius.
    """

    memory_used: int | None
    memory_total: int | None
    process_memory: int
    temperature: float | None

    def values(self) -> dict[str, str]:
        """Return the figures as text, by name."""
        memory = "unknown"
        if self.memory_used is not None and self.memory_total is not None:
            memory = f"{self.memory_used / 2**20:.0f} of {self.memory_total / 2**20:.0f} MiB"
        return {
            "device_memory": memory,
            "process_memory": f"{self.process_memory / 2**20:.0f} MiB",
            "device_temperature": "unknown" if self.temperature is None else f"{self.temperature:.0f} C",
        }


def read_health(device: torch.device) -> DeviceHealth:
    """Read the health of a CPU or CUDA device; what cannot be read is None, nothing is raised."""
    process_memory = psutil.Process().memory_info().rss
    if device.type == "cuda":
        import torch  # late: takes seconds to import

        try:
            free, total = torch.cuda.mem_get_info(device)
        except RuntimeError:  # a device in trouble
            return DeviceHealth(None, None, process_memory, None)
        return DeviceHealth(total - free, total, process_memory, _gpu_temperature(device))
    memory = psutil.virtual_memory()
    return DeviceHealth(memory.total - memory.available, memory.total, process_memory, _sensor(CPU_SENSORS))


def _gpu_temperature(device: torch.device) -> float | None:
    import torch

    try:
        return float(torch.cuda.temperature(device))
    except Exception:  # without pynvml, or where NVML does not know the device (Jetson)
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
