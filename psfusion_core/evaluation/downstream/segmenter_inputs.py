"""What a segmenter is shown of a pair: one of its images, a fused image from disk, or one made here."""

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
from psfusion_core.models.checkpoint import read_metadata
from psfusion_core.models.luma import luma
from psfusion_core.models.networks import MODELS, class_names, create_model, find_weights
from psfusion_core.training.data.planes import IMAGE_PLANES, INFRARED_PLANE
from psfusion_core.training.data.sources import FolderSource
from psfusion_core.training.recipe import ConfigError

COLORS = 3
PLAIN = ("visible", "infrared", "average")
NAME = re.compile(r"[\w.+-]*\w")


@dataclass(frozen=True)
class InputChoice:
    """An entry of ``inputs``.

    Attributes:
        name: for tables and folders.
        path: a folder of fused images or a checkpoint; None for what has no file of its own.
    """

    name: str
    path: Path | None = None


def parse_input(entry: str) -> InputChoice:
    """Read ``visible``, ``infrared``, ``average``, a network's name, NAME=FOLDER or NAME=CHECKPOINT.

    Raises:
        ConfigError: none of these.
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
    """Look whether the file of an input is there, and whether a checkpoint fits its network; needs no pair.

    Raises:
        FileNotFoundError, ValueError: it is not; the message names the file.
    """
    if not is_plain(choice) and not fused_folder(choice):
        model, weights = find_network(choice)
        create_model(model, len(class_names(model, weights)), weights)


def is_plain(choice: InputChoice) -> bool:
    """Whether an input is made of the pair alone."""
    return choice.path is None and choice.name in PLAIN


def fused_folder(choice: InputChoice) -> Path | None:
    """The folder of fused images that an input is; None for any other input."""
    return choice.path if choice.path is not None and choice.path.is_dir() else None


def show(source: FolderSource, choice: InputChoice, cache: Path, device: str) -> FolderSource:
    """A copy of a source whose visible planes are what an input shows of each pair.

    Args:
        source: labelled pairs.
        cache: folder that receives images fused here, one folder a network and data set.
        device: to fuse on.

    Raises:
        FileNotFoundError, ImageError: a fused image is missing, or has another size than its pair.
    """
    shown = copy.copy(source)
    if is_plain(choice):
        images = [plain_image(scene, choice.name) for scene in source.scenes]
    else:
        images = read_fused(source, fused_folder(choice) or fuse_once(source, choice, cache, device))
    shown.scenes = [
        torch.cat([image, scene[COLORS:]]) for image, scene in zip(images, source.scenes, strict=True)
    ]
    return shown


def plain_image(scene: Tensor, name: str) -> Tensor:
    """The visible image, the infrared one in grey, or their average: planes (7, H, W) -> (3, H, W) uint8.

    The average is one of lumas under the visible chroma, as fusion methods treat colour.
    """
    visible, infrared = scene[:COLORS], scene[INFRARED_PLANE:IMAGE_PLANES]
    if name == "visible":
        return visible
    if name == "infrared":
        return infrared.expand(COLORS, -1, -1)
    color, heat = visible[None].float() / 255.0, infrared[None].float() / 255.0
    return (replace_luma(color, (luma(color) + heat) / 2.0) * 255.0).round().byte()[0]


def fuse_once(source: FolderSource, choice: InputChoice, cache: Path, device: str) -> Path:
    """Fuse every pair with a network into a folder of its own, or find that this was done before.

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
    """Name and checkpoint of the network that an input is fused with; a ``.pth`` is of PSFusion's authors.

    Raises:
        FileNotFoundError: the path is no checkpoint, or no weights ship for the name.
        ConfigError: the checkpoint does not say which network it is of.
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
        FileNotFoundError: one is missing.
        ImageError: pairs or images of one name.
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
    """Read the fused image of every pair, (3, H, W) uint8, scaled as the source scales its pairs."""
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
    """Mean and standard deviation of each colour over all pixels of a source, (3,) each, in [0, 1]."""
    count = sum(scene[0].numel() for scene in source.scenes)
    first = torch.stack([scene[:COLORS].double().sum((1, 2)) for scene in source.scenes]).sum(0) / count
    second = torch.stack([scene[:COLORS].double().square().sum((1, 2)) for scene in source.scenes]).sum(0)
    deviation = (second / count - first.square()).clamp(min=1.0).sqrt()
    return first / 255.0, deviation / 255.0
