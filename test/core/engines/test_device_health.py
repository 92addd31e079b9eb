"""Health of the device: values that cannot be read are None, and nothing is raised."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import psutil
import pytest
import torch

from psfusion_core.engines import device_health
from psfusion_core.engines.device_health import read_health

CPU = torch.device("cpu")


def test_of_the_cpu_memory_is_that_of_the_machine_and_of_this_process() -> None:
    health = read_health(CPU)

    assert health.memory_total == psutil.virtual_memory().total
    assert health.memory_used is not None
    assert 0 < health.process_memory < health.memory_used < health.memory_total
    assert set(health.values()) == {"device_memory", "process_memory", "device_temperature"}


def test_the_hottest_sensor_of_the_processor_counts_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    sensors = {
        "coretemp": [SimpleNamespace(current=61.0), SimpleNamespace(current=67.5)],
        "nvme": [SimpleNamespace(current=99.0)],
    }
    monkeypatch.setattr(psutil, "sensors_temperatures", lambda: sensors, raising=False)

    health = read_health(CPU)

    assert health.temperature == 67.5
    assert health.values()["device_temperature"] == "68 C"


def test_without_sensors_the_temperature_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(psutil, "sensors_temperatures", raising=False)

    assert read_health(CPU).temperature is None
    assert read_health(CPU).values()["device_temperature"] == "unknown"


def test_a_gpu_in_trouble_gives_no_figures_and_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> Any:
        raise RuntimeError("CUDA error: the GPU has fallen off the bus")

    monkeypatch.setattr(torch.cuda, "mem_get_info", fail)

    health = read_health(torch.device("cuda"))

    assert (health.memory_used, health.memory_total, health.temperature) == (None, None, None)


def test_of_a_gpu_without_nvml_memory_is_read_and_jetsons_sensor(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object) -> Any:
        raise ModuleNotFoundError("pynvml")

    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _: (3 * 2**30, 8 * 2**30))
    monkeypatch.setattr(torch.cuda, "temperature", missing)
    monkeypatch.setattr(device_health, "_sensor", lambda names: 55.0 if "gpu-thermal" in names else None)

    health = read_health(torch.device("cuda"))

    assert health.values()["device_memory"] == "5120 of 8192 MiB"
    assert health.temperature == 55.0
