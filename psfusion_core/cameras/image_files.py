"""Reads and writes image files, and pairs the files of two folders by name."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageOps

from psfusion_core.base.wording import one_line
from psfusion_core.cameras.frame import FrameError
from psfusion_core.cameras.image_limits import check_size, size_in_header

IMAGE_SUFFIXES = frozenset({".png", ".jpg", ".jpeg", ".bmp", ".tif", ".tiff", ".webp"})

FORMATS = ("PNG", "JPEG", "BMP", "TIFF", "WEBP")
"""The formats of files with these suffixes, by Pillow's names."""

COLOR_SPREAD = 8.0
"""Mean difference of the channels, grey levels, from which an image counts as coloured. A grey image in a
lossy format is far below it, an image in a heat palette far above."""


class ImageError(ValueError):
    """A file cannot be used as an image; the message names the file and the reason."""


class FilePair(NamedTuple):
    """The two files of one scene; ``name`` is their common stem."""

    name: str
    visible: Path
    infrared: Path


class FolderPairing(NamedTuple):
    """The pairs in order of name, and the files without a partner."""

    pairs: list[FilePair]
    unpaired: list[Path]


def list_images(path: Path) -> dict[str, Path]:
    """Map stem to file for the images of a folder, or for one file.

    Raises:
        FileNotFoundError: The path does not exist or contains no image.
        ImageError: Two images of the folder have the same stem.
    """
    if not path.exists():
        raise FileNotFoundError(f"no such file or folder: {path}")
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    images: dict[str, Path] = {}
    for file in files:
        if not _is_image(file):
            continue
        if file.stem in images:
            raise ImageError(f"{file} and {images[file.stem].name} have the same name: keep one of them")
        images[file.stem] = file
    if not images:
        found = _folders_with_images(path)
        if found:
            raise FileNotFoundError(f"no images in {path}, but in {', '.join(found)}: name that folder")
        raise FileNotFoundError(f"no images in {path} (looked for {', '.join(sorted(IMAGE_SUFFIXES))})")
    return images


def _folders_with_images(path: Path) -> list[str]:
    """Return the readable folders with images directly below a folder."""
    folders = sorted(folder for folder in path.iterdir() if folder.is_dir()) if path.is_dir() else []
    return [str(folder) for folder in folders if _holds_images(folder)]


def _holds_images(folder: Path) -> bool:
    try:
        return any(map(_is_image, folder.iterdir()))
    except OSError:  # an error about this folder would hide the error about the folder that was named
        return False


def _is_image(file: Path) -> bool:
    is_hidden = file.name.startswith(".")
    return not is_hidden and file.suffix.lower() in IMAGE_SUFFIXES and file.is_file()


def pair_folders(visible: Path, infrared: Path) -> FolderPairing:
    """Pair images by name without suffix; two single files are a pair whatever their names are.

    Raises:
        FileNotFoundError: A path is missing or empty, or no name is common to both.
    """
    visible_files, infrared_files = list_images(visible), list_images(infrared)
    if visible.is_file() and infrared.is_file():
        return FolderPairing([FilePair(visible.stem, visible, infrared)], [])
    # A single file and a folder are one pair; the rest of the folder does not count as unpaired.
    if visible.is_file():
        infrared_files = {name: file for name, file in infrared_files.items() if name in visible_files}
    if infrared.is_file():
        visible_files = {name: file for name, file in visible_files.items() if name in infrared_files}
    common = sorted(visible_files.keys() & infrared_files.keys())
    if not common:
        raise FileNotFoundError(
            f"no image of {visible} has the name of one in {infrared}: pairs share a name"
        )
    unpaired = [visible_files[n] for n in sorted(visible_files.keys() - infrared_files.keys())]
    unpaired += [infrared_files[n] for n in sorted(infrared_files.keys() - visible_files.keys())]
    return FolderPairing(
        [FilePair(name, visible_files[name], infrared_files[name]) for name in common], unpaired
    )


ORIENTATION = 0x0112
"""Exif tag of the orientation (Exif 2.32, 4.6.4 A): 1 is upright."""

UPRIGHT: dict[int, Callable[[npt.NDArray[Any]], npt.NDArray[Any]]] = {
    2: np.fliplr,
    3: partial(np.rot90, k=2),
    4: np.flipud,
    5: partial(np.swapaxes, axis1=0, axis2=1),
    6: partial(np.rot90, k=-1),
    7: lambda image: np.rot90(np.swapaxes(image, 0, 1), k=2),
    8: partial(np.rot90, k=1),
}
"""How an image of each orientation becomes upright."""


def _read(path: Path) -> npt.NDArray[Any]:
    # Not cv2.imread: it prints warnings of its own and, on Windows, fails on paths beyond ASCII.
    try:
        data = np.fromfile(path, np.uint8)
        size_in_header(data, FORMATS)
        image = cv2.imdecode(data, cv2.IMREAD_UNCHANGED)
    except (OSError, FrameError, cv2.error) as error:
        raise ImageError(f"{path} cannot be read: {one_line(error)}") from error
    if image is None:
        raise ImageError(f"{path} cannot be read as an image: it is damaged")
    return np.ascontiguousarray(_upright(image, data))


def _upright(image: npt.NDArray[Any], data: Any) -> npt.NDArray[Any]:
    """Turn an image as its Exif orientation says; OpenCV does so for TIFF only."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as file:
            orientation = 1 if file.format == "TIFF" else file.getexif().get(ORIENTATION, 1)
    except Exception:  # Exif data that Pillow cannot read say nothing about the pixels
        return image
    return UPRIGHT[orientation](image) if orientation in UPRIGHT else image


def read_visible(path: Path) -> npt.NDArray[np.uint8]:
    """Read a visible image as (H, W, 3) uint8 RGB; grey is repeated over the channels, alpha is dropped.

    Raises:
        ImageError: The file is not a readable image, or has another depth.
    """
    image = _read(path)
    if image.dtype != np.uint8:
        raise ImageError(f"{path} has {image.dtype} pixels; expected 8 bit: convert it first")
    if image.ndim == 2 or image.shape[2] == 2:  # grey, perhaps with alpha
        return np.dstack([image if image.ndim == 2 else image[..., 0]] * 3)
    return np.ascontiguousarray(image[..., 2::-1])


def read_infrared(path: Path, refuse_color: bool = False) -> npt.NDArray[np.uint8] | npt.NDArray[np.uint16]:
    """Read an infrared image as (H, W) uint8 or uint16; colour becomes its luma.

    Of a colour image whose fourth channel varies, that channel is the infrared image, as in MFNet's files.

    Args:
        path: The file.
        refuse_color: If True, an 8-bit image that is really in colour, such as heat in a palette, is an
            error; a grey image that is stored as colour is not.

    Raises:
        ImageError: The file is not a readable image, has another depth, or is refused because of its colour.
    """
    image = _read(path)
    if image.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"{path} has {image.dtype} pixels; expected 8 or 16 bit unsigned: convert it first")
    if image.ndim == 3 and image.shape[2] >= 3:
        is_colored = _is_colored(image[..., :3])
        if refuse_color and image.dtype == np.uint8 and is_colored:
            raise ImageError(f"{path} is in colour; expected grey levels or counts of heat")
        if is_colored and image.shape[2] == 4 and np.ptp(image[..., 3]) > 0:
            return np.ascontiguousarray(image[..., 3])
        image = np.asarray(cv2.cvtColor(image[..., :3], cv2.COLOR_BGR2GRAY))
    return image if image.ndim == 2 else np.ascontiguousarray(image[..., 0])


def _is_colored(image: npt.NDArray[Any]) -> bool:
    depth = 1 if image.dtype == np.uint8 else 257  # levels of 16 bits in one of 8
    return float(np.mean(image.max(axis=2) - image.min(axis=2))) > COLOR_SPREAD * depth


def read_four_channels(path: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Read a PNG whose fourth channel is the infrared image (as MFNet's): (H, W, 3) RGB and (H, W), uint8.

    Raises:
        ImageError: The file is not a readable image, or does not have four 8-bit channels.
    """
    image = _read(path)
    if image.dtype != np.uint8 or image.ndim != 3 or image.shape[2] != 4:
        raise ImageError(
            f"{path} reads as {image.shape} {image.dtype}; expected four channels of 8 bit, the last infrared"
        )
    return np.ascontiguousarray(image[..., 2::-1]), np.ascontiguousarray(image[..., 3])


def read_label(path: Path) -> npt.NDArray[np.uint8]:
    """Read a label map as (H, W) uint8 class indices; a palette image gives its indices, not its colours.

    Raises:
        ImageError: The file is not a readable image, is in colour, or is a JPEG, whose compression changes
            the classes along every edge.
    """
    try:
        with Image.open(path) as file:  # OpenCV would replace the indices of a palette by its colours
            check_size(file.height, file.width)
            mode, is_lossy = file.mode, file.format == "JPEG"
            if mode in ("L", "P") and not is_lossy:
                return np.array(ImageOps.exif_transpose(file), np.uint8)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        raise ImageError(f"{path} cannot be read as a label map: {one_line(error)}") from error
    if is_lossy:
        raise ImageError(
            f"{path} is a JPEG, which changes the classes of pixels; expected PNG: export it again"
        )
    raise ImageError(
        f"{path} has mode {mode}; expected one channel of 8 bit class indices, or a palette: "
        "save a colour image as its indices"
    )


def write_image(path: Path, image: npt.NDArray[Any]) -> None:
    """Write (H, W) or (H, W, 3) RGB in the format of the suffix.

    Raises:
        OSError: The file cannot be written.
        ImageError: No format with this suffix can be written.
    """
    if image.ndim == 3:
        image = np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2BGR))
    try:
        _, data = cv2.imencode(path.suffix, image)
    except cv2.error as error:
        raise ImageError(f"cannot write {path}: no encoder for {path.suffix!r}, use .png") from error
    data.tofile(path)
