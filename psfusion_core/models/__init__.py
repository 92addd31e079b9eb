"""The networks, by name."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from psfusion_core.models.checkpoint import load_weights
from psfusion_core.models.output import FusionOutput
from psfusion_core.models.psfusion import PSFusion
from psfusion_core.models.psfusion_lite import PSFusionLite

__all__ = ["MODELS", "FusionOutput", "PSFusion", "PSFusionLite", "create_model", "default_weights"]

MODELS: dict[str, type[PSFusion] | type[PSFusionLite]] = {"psfusion": PSFusion, "psfusion_lite": PSFusionLite}


def default_weights(name: str) -> Path:
    """Path of the weights that ship with the package.

    Raises:
        FileNotFoundError: none ship for this network; the message says what to do.
    """
    path = Path(str(resources.files("psfusion_core.models"))) / "weights" / f"{name}.safetensors"
    if not path.exists():
        raise FileNotFoundError(
            f"no weights ship for {name!r}: pass weights=PATH (safetensors, or the authors' .pth), "
            "or use psfusion_lite"
        )
    return path


def create_model(
    name: str = "psfusion_lite", num_classes: int = 9, weights: str | Path | None = "default"
) -> PSFusion | PSFusionLite:
    """Build a network in evaluation mode.

    Args:
        name: ``"psfusion"`` (the published network) or ``"psfusion_lite"`` (ours).
        num_classes: classes of the semantic head.
        weights: ``"default"`` for the weights that ship, a path, or None for random ones.

    Returns:
        A module: ``model(visible, infrared)`` on (B, 3, H, W) and (B, 1, H, W) in [0, 1] returns a
        :class:`FusionOutput`.

    Raises:
        ValueError: unknown name, or a checkpoint that is missing or does not fit (a
            :class:`CheckpointError`).
        FileNotFoundError: ``weights`` is "default" and none ship for this network.
    """
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}: choose one of {', '.join(MODELS)}")
    model = MODELS[name](num_classes)
    if weights is not None:
        load_weights(model, default_weights(name) if weights == "default" else weights)
    return model.eval()
