"""Layouts of public data sets: where each keeps its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Protocol

from psfusion_core.cameras.image_files import list_images, pair_folders
from psfusion_core.training.data.scene_files import Dataset, Record

SPLITS = ("train", "val", "test")


class DatasetLayout(Protocol):
    """The arrangement of one data set's files."""

    @property
    def expected(self) -> str:
        """The expected folders and files, for messages."""

    def recognises(self, root: Path) -> bool:
        """Whether a folder has this layout."""

    def find(self, root: Path, split: str) -> Dataset:
        """List the scenes of a split."""


def subfolders(folder: Path) -> set[str]:
    # Path.is_dir would accept Visible for visible on file systems that ignore case.
    return {entry.name for entry in folder.iterdir() if entry.is_dir()} if folder.is_dir() else set()


def first_of(names: tuple[str, ...], folder: Path) -> Path | None:
    present = subfolders(folder)
    return next((folder / name for name in names if name in present), None)


def contents(folder: Path) -> str:
    names = sorted(subfolders(folder)) + sorted(file.name for file in folder.glob("*.txt"))
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "") or "no folders"


def listed_names(file: Path) -> list[str]:
    """Read names of scenes from a text file, one per line.

    Raises:
        ValueError: A line is a path, which could point outside the data set.
    """
    names = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    for name in names:
        if PureWindowsPath(name).name != name or name == "..":  # knows drives and both slashes
            raise ValueError(
                f"{file}: expected names of files, one a line, got {name[:60]!r}: leave folders out"
            )
    return names


@dataclass(frozen=True)
class FolderLayout:
    """One folder per camera and kind of annotation, with equal file names, in one folder per split.

    If a folder has several possible names, the first that exists is used. ``annotations`` has the names by
    field of Record. With ``splits=False`` there are no splits.
    """

    label_set: str
    visible: tuple[str, ...]
    infrared: tuple[str, ...]
    annotations: Mapping[str, tuple[str, ...]]
    splits: bool = True

    @property
    def expected(self) -> str:
        folders = ", ".join(" or ".join(names) for names in (self.visible, self.infrared))
        return ("train|test/" if self.splits else "") + f"{{{folders}}}"

    def recognises(self, root: Path) -> bool:
        if self._cameras(root):
            # Two folders of images are only pairs; with labels of this data set they are one of its splits.
            return not self.splits or first_of(self.annotations["label"], root) is not None
        return self.splits and any(self._cameras(root / name) for name in subfolders(root))

    def find(self, root: Path, split: str) -> Dataset:
        below = self.splits and self._cameras(root / split) is not None
        folder = root / split if below else root
        cameras = self._cameras(folder)
        if cameras is None:
            wanted = f"{self.expected} with split {split!r}" if self.splits else self.expected
            raise FileNotFoundError(f"{root} has no pairs: expected {wanted}; there are {contents(root)}")
        own_name = root.absolute().name
        if self.splits and not below and own_name in SPLITS and own_name != split:
            raise ValueError(f"{root} is the split {own_name!r}, not {split!r}: name the folder above it")
        pairs, unpaired = pair_folders(*cameras)
        names = {pair.name for pair in pairs}
        kinds = Record._fields[3:]  # the annotations
        annotations = [self._annotations(kind, folder, names) for kind in kinds]
        records = [
            Record(pair.name, pair.visible, pair.infrared, *(files.get(pair.name) for files in annotations))
            for pair in pairs
        ]
        return Dataset(records, self.label_set, unpaired)

    def _cameras(self, folder: Path) -> tuple[Path, Path] | None:
        visible, infrared = first_of(self.visible, folder), first_of(self.infrared, folder)
        return (visible, infrared) if visible and infrared else None

    def _annotations(self, kind: str, folder: Path, names: set[str]) -> dict[str, Path]:
        """Files by stem; some scenes may lack the annotation, but not all of them if its folder exists."""
        annotated = first_of(self.annotations.get(kind, ()), folder)
        if annotated is None:
            return {}
        texts = {file.stem: file for file in sorted(annotated.glob("*.txt"))}
        files = texts if kind == "boxes" else list_images(annotated)
        if not files.keys() & names:
            raise FileNotFoundError(
                f"no file of {annotated} has the name of a pair: rename its files, or move the folder"
            )
        return files


class MfnetLayout:
    """MFNet (Ha et al. 2017): one PNG of four channels per scene, and a list of names per split.

    The list of the train split also names the mirrored copies (NAME_flip) that the authors' script writes.
    They are left out, because training mirrors at random.
    """

    @property
    def expected(self) -> str:
        return "images, labels and train.txt, val.txt or test.txt"

    def recognises(self, root: Path) -> bool:
        has_list = any((root / f"{split}.txt").is_file() for split in SPLITS)
        return has_list and {"images", "labels"} <= subfolders(root)

    def find(self, root: Path, split: str) -> Dataset:
        names_file = root / f"{split}.txt"
        if not names_file.is_file():
            raise FileNotFoundError(f"no {names_file}: expected {self.expected}; there are {contents(root)}")
        listed = dict.fromkeys(listed_names(names_file))
        names = [name for name in listed if not (name.endswith("_flip") and name[:-5] in listed)]
        images, labels = list_images(root / "images"), list_images(root / "labels")
        records = [Record(name, images[name], None, labels.get(name)) for name in names if name in images]
        if not records:
            raise FileNotFoundError(f"{names_file} names no image of {root / 'images'}")
        missing = [root / "images" / f"{name}.png" for name in names if name not in images]
        return Dataset(records, "msrs", missing)


# MSRS as published, and as the authors of PSFusion prepare it (bi and bd are computed from the label).
_MSRS = {
    "label": ("Segmentation_labels", "label"),
    "predicted_label": ("label_pseudo",),
    "boxes": ("boxes",),
    "salient": ("mask",),
}
LAYOUTS: dict[str, DatasetLayout] = {
    "msrs": FolderLayout("msrs", ("vi",), ("ir",), _MSRS),
    "mfnet": MfnetLayout(),
    # Its thermal_raw is 16-bit; thermal is the same image after the gain control of the camera.
    "pst900": FolderLayout("pst900", ("rgb",), ("thermal",), {"label": ("labels",)}),
    "fmb": FolderLayout("fmb", ("Visible",), ("Infrared",), {"label": ("Label",)}),
    "pairs": FolderLayout(
        "msrs", ("vi", "visible"), ("ir", "infrared"), {**_MSRS, "label": ("label",)}, splits=False
    ),
}
"""Layouts by name, in the order in which "auto" tries them."""


def find_dataset(root: Path, layout: str = "auto", split: str = "train") -> Dataset:
    """List the scenes of a data set by name (MFNet: in the order of its list).

    Args:
        root: Folder of the data set, or of the split itself if splits are folders.
        layout: A key of ``LAYOUTS``, or "auto" to recognise the layout by its folders.
        split: "train", "test" or another split of the data set.

    Raises:
        FileNotFoundError: The folder or the split is missing or has no pair, or no layout is recognised.
        ValueError: The layout is unknown, ``root`` is another split, or a list of names has a path.
        ImageError: Two images of a folder have the same stem.
    """
    if layout not in ("auto", *LAYOUTS):
        raise ValueError(f"unknown layout {layout!r}: expected auto, {', '.join(LAYOUTS)}")
    if not root.is_dir():
        raise FileNotFoundError(f"no such folder: {root}")
    if layout != "auto":
        return LAYOUTS[layout].find(root, split)
    for candidate in LAYOUTS.values():
        if candidate.recognises(root):
            return candidate.find(root, split)
    looked_for = "; ".join(f"{name}: {known.expected}" for name, known in LAYOUTS.items())
    raise FileNotFoundError(f"{root} has no known layout ({looked_for}); there are {contents(root)}")
