"""The methods that an evaluation compares: folders of results, pixel rules, and networks of this package."""

from __future__ import annotations

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Protocol

import torch

from psfusion_core.cameras.image_files import list_images
from psfusion_core.evaluation.method_results import (
    BASELINES,
    BaselineRule,
    ComputedResult,
    MethodResult,
    ResultFiles,
    ResultLoader,
    SourceImages,
)
from psfusion_core.fusion.fuser import Fuser
from psfusion_core.models.networks import check_name, find_weights


class MethodError(ValueError):
    """A method cannot be used. The message is one line that says what to do."""


class Method(Protocol):
    """One of the methods that are compared.

    Attributes:
        name: The name in tables and figures.
        fuses: Whether it has fused images.
        labels: Whether it has label maps.
        fuses_here: Whether it fuses during the evaluation. If not, its results already exist, so disturbed
            images cannot be fused.
        needs_sources: Whether `result_loader` needs the source images, because it fuses in the main process.
    """

    @property
    def name(self) -> str: ...
    @property
    def fuses(self) -> bool: ...
    @property
    def labels(self) -> bool: ...
    @property
    def fuses_here(self) -> bool: ...
    @property
    def needs_sources(self) -> bool: ...

    def identity(self, pair: str) -> bytes:
        """Return a hash of everything that the result depends on, except the sources.

        Raises:
            MethodError: The method has no result for this pair.
            OSError: A file cannot be read.
        """
        ...

    def result_loader(self, pair: str, sources: SourceImages | None) -> ResultLoader:
        """Return the loader of the result for a pair. `sources` is None unless `needs_sources`.

        Raises:
            ValueError: The network cannot fuse the images.
        """
        ...


class FolderMethod:
    """Fused images, label maps or both, in files that are named like the pairs.

    Args:
        name: The name of the method.
        images: The folder of fused images.
        masks: The folder of label maps.

    Raises:
        FileNotFoundError: A folder does not exist or holds no image.
    """

    fuses_here, needs_sources = False, False

    def __init__(self, name: str, images: Path | None = None, masks: Path | None = None) -> None:
        self.name = name
        self.fuses, self.labels = images is not None, masks is not None
        self._folders = [folder for folder in (images, masks) if folder is not None]
        self._images = list_images(images) if images is not None else {}
        self._masks = list_images(masks) if masks is not None else {}

    def identity(self, pair: str) -> bytes:
        listed = [files for files in (self._images, self._masks) if files]
        for folder, files in zip(self._folders, listed, strict=True):
            if pair not in files:
                raise MethodError(f"{folder} has no image of that name")
        return b"".join(digest(files[pair]) for files in listed)

    def result_loader(self, pair: str, sources: SourceImages | None) -> ResultLoader:
        return ResultFiles(self._images.get(pair), self._masks.get(pair))


class BaselineMethod:
    """A rule that fuses pixel by pixel.

    Args:
        name: One of `BASELINES`.

    Raises:
        MethodError: The name is unknown.
    """

    fuses, labels = True, False
    fuses_here, needs_sources = True, False

    def __init__(self, name: str) -> None:
        if name not in BASELINES:
            raise MethodError(f"unknown baseline {name!r}: choose one of {', '.join(BASELINES)}")
        self.name = name

    def identity(self, pair: str) -> bytes:
        return self.name.encode()

    def result_loader(self, pair: str, sources: SourceImages | None) -> ResultLoader:
        return BaselineRule(self.name)


class ModelMethod:
    """A network of this package, which is loaded when it fuses its first pair.

    Args:
        name: The name of the method.
        model: The name of the network.
        weights: "default" (shipped), a checkpoint, or an ONNX file.
        device: The device that runs the network.

    Attributes:
        class_names: The class names of its label maps.

    Raises:
        ValueError: The network is unknown, or the checkpoint cannot be read.
        FileNotFoundError: No weights are shipped for this network.
    """

    fuses, labels = True, True
    fuses_here, needs_sources = True, True

    def __init__(self, name: str, model: str, weights: str = "default", device: str = "cpu") -> None:
        check_name(model)
        self.name = name
        self._settings = (model, weights, device)
        path = find_weights(model, weights)
        if not path.is_file():
            raise MethodError(f"no weights at {path}: check the path")
        precision = device.partition(":")[0].encode()  # GPU and CPU compute in different precisions
        self._identity = b" ".join([model.encode(), precision, digest(path)])

    @cached_property
    def fuser(self) -> Fuser:
        return Fuser(*self._settings)

    @property
    def class_names(self) -> tuple[str, ...]:
        return self.fuser.class_names

    def identity(self, pair: str) -> bytes:
        return self._identity

    def result_loader(self, pair: str, sources: SourceImages | None) -> ResultLoader:
        assert sources is not None
        try:
            return ComputedResult(MethodResult(*self.fuser(*sources)))
        except torch.OutOfMemoryError as error:
            raise MethodError(f"{self._settings[-1]} has too little memory for it: {error}") from error


def digest(path: Path) -> bytes:
    """Return a short hash of a file's content."""
    return hashlib.blake2b(path.read_bytes(), digest_size=16).digest()
