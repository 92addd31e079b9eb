"""The images for a segmenter: images of the pairs, fused images from disk, or images fused here."""

from __future__ import annotations

import copy
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
from torch import Tensor
from tqdm import tqdm

from psfusion_core.base.atomic_file import replacing
from psfusion_core.cameras.image_files import ImageError, list_images, read_visible, write_image
from psfusion_core.fusion.compose import replace_luma
from psfusion_core.fusion.fuser import Fuser
from psfusion_core.models.luma import luma
from psfusion_core.models.networks import MODELS, class_names, create_model, find_weights
from psfusion_core.models.weight_files import read_metadata
from psfusion_core.training.data.scene_planes import IMAGE_PLANES, INFRARED_PLANE
from psfusion_core.training.data.sources import FolderSource
from psfusion_core.training.recipe import ConfigError

COLORS = 3
PLAIN = ("visible", "infrared", "average")
NAME = re.compile(r"[\w.+-]*\w")


@dataclass(frozen=True)
class InputChoice:
    """An entry of ``inputs``.

    Attributes:
        name: The name in tables and folders.
        path: A folder of fused images, or a checkpoint; None for an input without a file.
    """

    name: str
    path: Path | None = None


def parse_input(entry: str) -> InputChoice:
    """Parse ``visible``, ``infrared``, ``average``, a network's name, NAME=FOLDER or NAME=CHECKPOINT.

    Raises:
        ConfigError: The entry is none of these.
    """
    name, equals, path = entry.partition("=")
    if not NAME.fullmatch(name):
        raise ConfigError(f"inputs has {entry!r}: expected a name of letters, digits, '.', '_', '+', '-'")
    if not equals and name not in (*PLAIN, *MODELS):
        known = ", ".join((*PLAIN, *MODELS))
        raise ConfigError(f"inputs has {entry!r}: expected {known}, NAME=FOLDER or NAME=CHECKPOINT")
    if equals and not path:
        raise ConfigError(f"inputs has {entry!r}: expected NAME=FOLDER, such as other=out/fused")
    return InputChoice(name, Path(path) if equals else None)


def check_input(choice: InputChoice) -> None:
    """Check that the file of an input exists, and that a checkpoint fits its network. Pairs are not needed.

    Raises:
        FileNotFoundError, ValueError: The check failed. The message names the file.
    """
    if not is_plain(choice) and not fused_folder(choice):
        model, weights = find_network(choice)
        create_model(model, len(class_names(model, weights)), weights)


def is_plain(choice: InputChoice) -> bool:
    """Whether an input is computed from the pair without a network."""
    return choice.path is None and choice.name in PLAIN


def fused_folder(choice: InputChoice) -> Path | None:
    """The folder of an input that is a folder of fused images; None for any other input."""
    return choice.path if choice.path is not None and choice.path.is_dir() else None


def with_input_images(source: FolderSource, choice: InputChoice, cache: Path, device: str) -> FolderSource:
    """Copy a source, with the images of an input in the visible planes.

    Args:
        source: The labelled pairs.
        choice: The input.
        cache: Folder for images that are fused here, with a subfolder for each network and data set.
        device: The device to fuse on.

    Raises:
        FileNotFoundError, ImageError: A fused image is missing, or its size differs from its pair.
    """
    copied = copy.copy(source)
    if is_plain(choice):
        images = [plain_image(scene, choice.name) for scene in source.scenes]
    else:
        images = read_fused(source, fused_folder(choice) or fuse_once(source, choice, cache, device))
    copied.scenes = [
        torch.cat([image, scene[COLORS:]]) for image, scene in zip(images, source.scenes, strict=True)
    ]
    return copied


def plain_image(scene: Tensor, name: str) -> Tensor:
    """Return the visible image, the infrared one in grey, or their average: (7, H, W) -> (3, H, W) uint8.

    The average is the mean of luma and infrared with the visible chroma, because fusion methods treat colour
    in this way.
    """
    visible, infrared = scene[:COLORS], scene[INFRARED_PLANE:IMAGE_PLANES]
    if name == "visible":
        return visible
    if name == "infrared":
        return infrared.expand(COLORS, -1, -1)
    color, heat = visible[None].float() / 255.0, infrared[None].float() / 255.0
    return (replace_luma(color, (luma(color) + heat) / 2.0) * 255.0).round().byte()[0]


def fuse_once(source: FolderSource, choice: InputChoice, cache: Path, device: str) -> Path:
    """Fuse every pair with a network into its own folder, except pairs that were fused before.

    Returns:
        The folder, named after the input, the weights and the data.
    """
    model, weights = find_network(choice)
    digest = hashlib.sha256(weights.read_bytes() + str(source.summary()["sha256"]).encode()).hexdigest()
    folder = cache / f"{choice.name}-{digest[:12]}"
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{record.name}.png" for record in source.records]
    missing = [index for index, file in enumerate(files) if not file.exists()]
    if not missing:
        return folder
    fuser = Fuser(model, weights, device)
    for index in tqdm(missing, desc=f"fusing with {choice.name}", unit="pair", disable=None):
        scene = source.scenes[index].numpy()
        image = fuser(np.ascontiguousarray(scene[:COLORS].transpose(1, 2, 0)), scene[INFRARED_PLANE]).image
        with replacing(files[index]) as temporary:
            write_image(temporary, image)
    return folder


def find_network(choice: InputChoice) -> tuple[str, Path]:
    """Return the name and the checkpoint of an input's network. A ``.pth`` file is one of PSFusion's authors.

    Raises:
        FileNotFoundError: The path is no checkpoint, or no weights are shipped for the name.
        ConfigError: The checkpoint does not name a known network.
    """
    if choice.path is None:
        return choice.name, find_weights(choice.name, "default")
    if not choice.path.is_file() or choice.path.suffix not in (".safetensors", ".pth"):
        raise FileNotFoundError(f"{choice.path} is neither a folder of fused images nor a checkpoint")
    if choice.path.suffix == ".pth":
        return "psfusion", choice.path
    model = read_metadata(choice.path).get("model", "")
    if model not in MODELS:
        raise ConfigError(f"{choice.path} is of {model or 'no named network'}; expected {', '.join(MODELS)}")
    return model, choice.path


def find_fused(source: FolderSource, folder: Path) -> list[Path]:
    """Find the fused image of every pair.

    Raises:
        FileNotFoundError: A fused image is missing.
        ImageError: Several pairs or images have the same name.
    """
    fused = list_images(folder)
    names = [record.name for record in source.records]
    missing = [name for name in names if name not in fused]
    if missing:
        raise FileNotFoundError(f"{folder} has no image for {len(missing)} pairs, such as {missing[0]}")
    if len(set(names)) < len(names):
        raise ImageError(f"{source.config.path} has pairs of one name: fused images cannot be told apart")
    return [fused[name] for name in names]


def read_fused(source: FolderSource, folder: Path) -> list[Tensor]:
    """Read the fused image of every pair, (3, H, W) uint8, with the scaling of the source."""
    images = []
    for file, scene in zip(find_fused(source, folder), source.scenes, strict=True):
        image, (height, width) = read_visible(file), scene.shape[1:]
        resize = source.config.resize
        if resize != 1.0 and image.shape[:2] != (height, width):
            smooth = cv2.INTER_AREA if resize < 1.0 else cv2.INTER_LINEAR
            image = np.asarray(cv2.resize(image, None, fx=resize, fy=resize, interpolation=smooth), np.uint8)
        if image.shape[:2] != (height, width):
            raise ImageError(f"{file} is {image.shape[1]} x {image.shape[0]}, its pair {width} x {height}")
        images.append(torch.from_numpy(np.ascontiguousarray(image.transpose(2, 0, 1))))
    return images


def color_statistics(source: FolderSource) -> tuple[Tensor, Tensor]:
    """Return mean and standard deviation of each colour over all pixels of a source, (3,) in [0, 1]."""
    count = sum(scene[0].numel() for scene in source.scenes)
    first = torch.stack([scene[:COLORS].double().sum((1, 2)) for scene in source.scenes]).sum(0) / count
    second = torch.stack([scene[:COLORS].double().square().sum((1, 2)) for scene in source.scenes]).sum(0)
    deviation = (second / count - first.square()).clamp(min=1.0).sqrt()
    return first / 255.0, deviation / 255.0
