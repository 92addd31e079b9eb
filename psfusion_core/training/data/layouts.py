"""Where public data sets keep their files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path, PureWindowsPath
from typing import Protocol

from psfusion_core.cameras.image_files import list_images, pair_folders
from psfusion_core.training.data.scene_files import Dataset, Record

SPLITS = ("train", "val", "test")


class DatasetLayout(Protocol):
    """The way one data set arranges its files."""

    @property
    def expected(self) -> str:
        """Folders and files to look for, for people."""

    def recognises(self, root: Path) -> bool:
        """Whether a folder looks like this data set."""

    def find(self, root: Path, split: str) -> Dataset:
        """List the scenes of a split."""


def subfolders(folder: Path) -> set[str]:
    # Not Path.is_dir on a guessed name: where case does not count, Visible would pass for visible.
    return {entry.name for entry in folder.iterdir() if entry.is_dir()} if folder.is_dir() else set()


def first_of(names: tuple[str, ...], folder: Path) -> Path | None:
    present = subfolders(folder)
    return next((folder / name for name in names if name in present), None)


def contents(folder: Path) -> str:
    names = sorted(subfolders(folder)) + sorted(file.name for file in folder.glob("*.txt"))
    return ", ".join(names[:10]) + (", ..." if len(names) > 10 else "") or "no folders"


def listed_names(file: Path) -> list[str]:
    """Read names of scenes from a text file, one a line.

    Raises:
        ValueError: a line is a path, which might lead out of the data set.
    """
    names = [line.strip() for line in file.read_text(encoding="utf-8").splitlines() if line.strip()]
    for name in names:
        if PureWindowsPath(name).name != name or name == "..":  # it knows drives and both kinds of slashes
            raise ValueError(
                f"{file}: expected names of files, one a line, got {name[:60]!r}: leave folders out"
            )
    return names


@dataclass(frozen=True)
class FolderLayout:
    """A folder for each camera and for each kind of annotation, files named alike, below one for each split.

    Where several names of a folder are given, the first that exists is taken. ``annotations`` has them by
    field of Record. With ``splits=False`` the split is not looked at.
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
            # Two folders of images are just pairs; with this data set's labels they are one split of it.
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
        kinds = Record._fields[3:]  # what may lie beside the images
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
        """Map stem to file; a scene may lack an annotation, but not all scenes one that has a folder."""
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
    """MFNet (Ha et al. 2017): one PNG of four channels a scene, and a list of names for each split.

    The list of the train split names mirrored copies too (NAME_flip), which its authors' script writes. They
    are left out: training mirrors at random.
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


# As MSRS is published, and as the authors of PSFusion prepare it (their bi and bd follow from the label).
_MSRS = {
    "label": ("Segmentation_labels", "label"),
    "predicted_label": ("label_pseudo",),
    "boxes": ("boxes",),
    "salient": ("mask",),
}
LAYOUTS: dict[str, DatasetLayout] = {
    "msrs": FolderLayout("msrs", ("vi",), ("ir",), _MSRS),
    "mfnet": MfnetLayout(),
    # Its thermal_raw has 16 bit; thermal is the same image after the camera's own gain control.
    "pst900": FolderLayout("pst900", ("rgb",), ("thermal",), {"label": ("labels",)}),
    "fmb": FolderLayout("fmb", ("Visible",), ("Infrared",), {"label": ("Label",)}),
    "pairs": FolderLayout(
        "msrs", ("vi", "visible"), ("ir", "infrared"), {**_MSRS, "label": ("label",)}, splits=False
    ),
}
"""Layouts by name, in the order in which they are tried."""


def find_dataset(root: Path, layout: str = "auto", split: str = "train") -> Dataset:
    """List the scenes of a data set, in order of name (MFNet: in order of its list).

    Args:
        root: folder of the data set, or straight of one split of it where a split is a folder.
        layout: a key of ``LAYOUTS``, or "auto" to tell it from the folders.
        split: "train", "test" or another that the data set has.

    Raises:
        FileNotFoundError: the folder, the split or any pair in it is missing, or no layout is recognised.
        ValueError: the layout is not known, ``root`` is another split than asked for, or a list of names has
            one that is a path.
        ImageError: two images of a folder have the same stem.
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
