"""Renders simulated drives for a comparison once, with true labels, by night and by day."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Literal

from tqdm import tqdm

from psfusion_core.base.atomic_file import replacing
from psfusion_core.cameras.image_files import write_image
from psfusion_core.evaluation.downstream.downstream_config import DrivesConfig
from psfusion_core.simulation import RoadScene
from psfusion_core.training.training_config import SourceConfig

SECONDS_BETWEEN_FRAMES = 1.7


def render_drives(config: DrivesConfig, folder: Path) -> tuple[SourceConfig, SourceConfig]:
    """Render the training and the test streets into folders of pairs. Existing frames are kept.

    File names contain street and frame and are unique, so that fused images of all pairs fit in one folder.

    Args:
        config: The drives to render.
        folder: Receives a subfolder for these drives.

    Returns:
        The training and the test pairs.
    """
    folder /= "-".join(str(value) for value in asdict(config).values())
    streets = {"train": config.train_streets, "test": config.test_streets}
    total = sum(streets.values()) * config.frames
    first = 0
    with tqdm(total=total, desc="simulating", unit="frame", disable=None) as bar:
        for split, count in streets.items():
            for kind in ("vi", "ir", "label"):
                (folder / split / kind).mkdir(parents=True, exist_ok=True)
            for street in range(first, first + count):
                render_street(config, street, folder / split, bar)
            first += count
    train, test = (SourceConfig(str(folder / split), layout="pairs", split=split) for split in streets)
    return train, test


def render_street(config: DrivesConfig, street: int, folder: Path, bar: tqdm[object]) -> None:
    """Write the missing frames of one street. The label is written last, so it marks a complete frame."""
    time_of_day: Literal["night", "day"] = "night" if street % 2 else "day"
    scene: RoadScene | None = None
    for frame in range(config.frames):
        name = f"street{street:04d}_{frame:03d}.png"
        bar.update()
        if (folder / "label" / name).exists():
            continue
        if scene is None:
            scene = RoadScene(config.first_street + street, time_of_day, config.height, config.width)
        rendered = scene.render(frame * SECONDS_BETWEEN_FRAMES)
        pictures = {"vi": rendered.visible, "ir": rendered.infrared, "label": rendered.label}
        for kind, picture in pictures.items():
            with replacing(folder / kind / name) as temporary:
                write_image(temporary, picture)
