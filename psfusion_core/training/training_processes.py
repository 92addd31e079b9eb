"""One process, or those that ``torchrun`` started on one or several machines."""

from __future__ import annotations

import os

from lightning_fabric import Fabric

from psfusion_core.engines.torch_engine import resolve_device


def connect(device: str, precision: str) -> Fabric:
    """Join the other processes, if ``torchrun`` started this one, and choose device and precision.

    Lightning Fabric moves tensors, casts and synchronises gradients: over NCCL on GPUs, gloo on CPUs.

    Args:
        device: "auto", "cpu" or "cuda".
        precision: "32-true" or "bf16-mixed"; "auto" is the second on GPUs and the first on CPUs.

    Raises:
        ValueError: the device is not there.
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
