"""The networks by name, and the weights that ship with them."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

from psfusion_core.models.classes import CLASS_NAMES
from psfusion_core.models.psfusion import PSFusion
from psfusion_core.models.psfusion_lite import PSFusionLite
from psfusion_core.models.weight_files import load_weights, read_metadata

MODELS: dict[str, type[PSFusion] | type[PSFusionLite]] = {"psfusion": PSFusion, "psfusion_lite": PSFusionLite}


def check_name(name: str) -> None:
    """Raise ValueError, which lists the networks, if a name is unknown."""
    if name not in MODELS:
        raise ValueError(f"unknown model {name!r}: choose one of {', '.join(MODELS)}")


def default_weights(name: str) -> Path:
    """Return the path of the weights that ship with the package.

    Raises:
        FileNotFoundError: No weights ship for this network; the message says what to do.
    """
    path = Path(str(resources.files("psfusion_core.models"))) / "weights" / f"{name}.safetensors"
    if not path.exists():
        raise FileNotFoundError(
            f"no weights ship for {name!r}: give the path of a checkpoint (safetensors, or the authors' "
            ".pth) as weights, or NAME=CHECKPOINT where inputs are listed, or use psfusion_lite"
        )
    return path


def find_weights(name: str, weights: str | Path) -> Path:
    """Return the path of a checkpoint; "default" stands for the weights that ship."""
    return default_weights(name) if weights == "default" else Path(weights)


def class_names(name: str, weights: str | Path) -> tuple[str, ...]:
    """Return the classes of a checkpoint in order of their index, or those of MSRS if it does not name any.

    Raises:
        ValueError: The name is unknown, or the checkpoint cannot be read.
        FileNotFoundError: ``weights`` is "default" and no weights ship for this network.
    """
    check_name(name)
    path = find_weights(name, weights)
    stored = read_metadata(path).get("classes", "") if path.suffix == ".safetensors" else ""
    return tuple(stored.split(",")) if stored else CLASS_NAMES


def create_model(
    name: str = "psfusion_lite", num_classes: int = 9, weights: str | Path | None = "default"
) -> PSFusion | PSFusionLite:
    """Build a network in evaluation mode.

    Args:
        name: ``"psfusion"`` (the published network) or ``"psfusion_lite"`` (ours).
        num_classes: Number of classes of the semantic head.
        weights: ``"default"`` for the weights that ship, a path, or None for random weights.

    Returns:
        A module: ``model(visible, infrared)`` on (B, 3, H, W) and (B, 1, H, W) in [0, 1] returns a
        :class:`psfusion_core.models.fusion_output.FusionOutput`.

    Raises:
        ValueError: The name is unknown, or the checkpoint is missing or does not fit (a
            :class:`CheckpointError`).
        FileNotFoundError: ``weights`` is "default" and no weights ship for this network.
    """
    check_name(name)
    model = MODELS[name](num_classes)
    if weights is not None:
        load_weights(model, find_weights(name, weights))
    return model.eval()
