"""Data-parallel training: one process, or those that ``torchrun`` started on one or several machines."""

from __future__ import annotations

import os

import torch
from lightning_fabric import Fabric

from psfusion_core.engines.torch_engine import resolve_device
from psfusion_core.training.recipe import ConfigError


def create_fabric(device: str, precision: str) -> Fabric:
    """Join the other processes if ``torchrun`` started this one, and choose device and precision.

    Lightning Fabric moves tensors, casts, and synchronises gradients: over NCCL on GPUs, gloo on CPUs.

    Args:
        device: "auto", "cpu" or "cuda".
        precision: "32-true" or "bf16-mixed"; "auto" is bf16-mixed on GPUs and 32-true on CPUs.

    Raises:
        ValueError: The device does not exist.
    """
    world_size = int(os.environ.get("WORLD_SIZE", "1"))
    local_world_size = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    cuda = resolve_device(device).type == "cuda"
    automatic = "bf16-mixed" if cuda else "32-true"
    fabric = Fabric(
        accelerator="cuda" if cuda else "cpu",
        devices=local_world_size,
        num_nodes=world_size // local_world_size,
        strategy="ddp" if world_size > 1 else "auto",
        precision=automatic if precision == "auto" else precision,  # type: ignore[arg-type]
    )
    fabric.launch()
    return fabric


def check_same_step(fabric: Fabric, step: int) -> None:
    """Raise ConfigError unless all processes resume from the same step."""
    steps = torch.as_tensor(fabric.all_gather(torch.tensor(step))).flatten().tolist()
    if len(set(steps)) > 1:
        raise ConfigError(
            f"the processes found checkpoints of steps {steps}: output must be one shared folder"
        )
