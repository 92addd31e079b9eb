"""Layouts of data sets on disk: which files form a scene, and which splits there are."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from psfusion_core.cameras.image_files import read_infrared, read_label, read_visible, write_image
from psfusion_core.training.data.layouts import LAYOUTS, find_dataset

SPLIT_FOLDERS = {
    "msrs": ("vi", "ir", "Segmentation_labels"),
    "pst900": ("rgb", "thermal", "labels"),
    "fmb": ("Visible", "Infrared", "Label"),
}


def write(folder: Path, *names: str, channels: int = 1) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    shape = (8, 8) if channels == 1 else (8, 8, channels)
    for name in names:
        write_image(folder / f"{name}.png", np.ones(shape, np.uint8))


def write_pairs(folder: Path, visible: str, infrared: str, *names: str) -> None:
    write(folder / visible, *names, channels=3)
    write(folder / infrared, *names)


def write_split(root: Path, layout: str, split: str, *names: str) -> Path:
    visible, infrared, label = SPLIT_FOLDERS[layout]
    write_pairs(root / split, visible, infrared, *names)
    write(root / split / label, *names)
    return root


def write_mfnet(root: Path, **lists: list[str]) -> Path:
    for split, names in lists.items():
        for name in names:
            for folder, shape in (("images", (8, 8, 4)), ("labels", (8, 8))):
                (root / folder).mkdir(parents=True, exist_ok=True)
                write_image(root / folder / f"{name}.png", np.ones(shape, np.uint8))
        (root / f"{split}.txt").write_text("\n".join(names) + "\n")
    return root


@pytest.mark.parametrize("layout", SPLIT_FOLDERS)
@pytest.mark.parametrize("named", [True, False], ids=["named", "auto"])
@pytest.mark.parametrize("straight", [True, False], ids=["at the split", "above the splits"])
def test_a_split_is_found_from_above_and_from_itself(
    tmp_path: Path, layout: str, named: bool, straight: bool
) -> None:
    write_split(tmp_path, layout, "train", "b", "a")
    write_split(tmp_path, layout, "test", "c")
    for split, names in (("train", ["a", "b"]), ("test", ["c"])):
        root = tmp_path / split if straight else tmp_path
        records, label_set, unpaired = find_dataset(root, layout if named else "auto", split)
        assert [record.name for record in records] == names
        assert (label_set, unpaired) == (layout, [])
        for record in records:
            assert record.infrared is not None
            assert record.label is not None
            assert read_visible(record.visible).shape == (8, 8, 3)
            assert read_infrared(record.infrared).shape == read_label(record.label).shape == (8, 8)
            files = (record.visible, record.infrared, record.label)
            assert tuple(file.parent.name for file in files) == SPLIT_FOLDERS[layout]


def test_msrs_as_prepared_for_psfusion_brings_its_label_and_its_salient_mask(tmp_path: Path) -> None:
    write_pairs(tmp_path / "train", "vi", "ir", "a")
    for folder in ("label", "bi", "bd", "mask"):
        write(tmp_path / "train" / folder, "a")
    write_pairs(tmp_path / "test", "vi", "ir", "b")
    (train,) = find_dataset(tmp_path).records
    assert train.label == tmp_path / "train/label/a.png"
    assert train.salient == tmp_path / "train/mask/a.png"
    (test,) = find_dataset(tmp_path, split="test").records
    assert (test.label, test.salient) == (None, None)


def test_pst900_takes_the_8_bit_thermal_image_not_the_raw_one(tmp_path: Path) -> None:
    write_split(tmp_path, "pst900", "train", "a")
    write(tmp_path / "train/thermal_raw", "a")
    assert find_dataset(tmp_path).records[0].infrared == tmp_path / "train/thermal/a.png"


@pytest.mark.parametrize(("visible", "infrared"), [("vi", "ir"), ("visible", "infrared")])
@pytest.mark.parametrize("layout", ["pairs", "auto"])
def test_plain_pairs_bring_what_lies_beside_them_whatever_the_split(
    tmp_path: Path, visible: str, infrared: str, layout: str
) -> None:
    write_pairs(tmp_path, visible, infrared, "a", "b")
    write(tmp_path / "label_pseudo", "a")
    write(tmp_path / "mask", "a", "b")
    (tmp_path / "boxes").mkdir()
    (tmp_path / "boxes/b.txt").write_text("0 0.5 0.5 0.1 0.1\n")
    first, second = find_dataset(tmp_path, layout, split="val").records
    assert first.predicted_label == tmp_path / "label_pseudo/a.png"
    assert first.salient == tmp_path / "mask/a.png"
    assert (first.label, first.boxes) == (None, None)
    assert (second.predicted_label, second.boxes) == (None, tmp_path / "boxes/b.txt")


def test_mfnet_follows_its_lists_and_has_infrared_in_the_visible_file(tmp_path: Path) -> None:
    write_mfnet(tmp_path, train=["00002N", "00001D"], val=["00003N"], test_day=["00004D"])
    for split, names in (("train", ["00002N", "00001D"]), ("val", ["00003N"]), ("test_day", ["00004D"])):
        records, label_set, unpaired = find_dataset(tmp_path, split=split)
        assert [record.name for record in records] == names
        assert (label_set, unpaired) == ("msrs", [])
        assert all(record.infrared is None for record in records)
        assert records[0].label == tmp_path / f"labels/{names[0]}.png"


@pytest.mark.parametrize("made", [True, False])
def test_mirrored_copies_of_mfnet_are_left_out_whether_they_were_made_or_not(
    tmp_path: Path, made: bool
) -> None:
    write_mfnet(tmp_path, train=["a", "a_flip"] if made else ["a"])
    (tmp_path / "train.txt").write_text("a\na_flip\n")
    records, _, unpaired = find_dataset(tmp_path)
    assert [record.name for record in records] == ["a"]
    assert unpaired == []


def test_files_without_a_partner_are_left_out_and_named(tmp_path: Path) -> None:
    write_split(tmp_path / "msrs", "msrs", "train", "a", "b", "c")
    (tmp_path / "msrs/train/ir/b.png").unlink()
    (tmp_path / "msrs/train/vi/c.png").unlink()
    records, _, unpaired = find_dataset(tmp_path / "msrs")
    assert [record.name for record in records] == ["a"]
    assert unpaired == [tmp_path / "msrs/train/vi/b.png", tmp_path / "msrs/train/ir/c.png"]

    write_mfnet(tmp_path / "mfnet", train=["a", "b"])
    (tmp_path / "mfnet/images/a.png").unlink()
    records, _, unpaired = find_dataset(tmp_path / "mfnet")
    assert [record.name for record in records] == ["b"]
    assert unpaired == [tmp_path / "mfnet/images/a.png"]


def test_a_scene_may_lack_its_label_but_labels_that_fit_no_scene_are_an_error(tmp_path: Path) -> None:
    write_split(tmp_path, "fmb", "train", "a", "b")
    label = tmp_path / "train/Label/b.png"
    label.unlink()
    assert [record.label is None for record in find_dataset(tmp_path).records] == [False, True]
    (tmp_path / "train/Label/a.png").rename(tmp_path / "train/Label/a_label.png")
    with pytest.raises(FileNotFoundError, match=r"Label has the name of a pair"):
        find_dataset(tmp_path)


def test_one_split_is_never_passed_off_as_another(tmp_path: Path) -> None:
    write_split(tmp_path, "msrs", "test", "a")
    for layout in ("msrs", "auto"):
        with pytest.raises(ValueError, match="is the split 'test', not 'train'"):
            find_dataset(tmp_path / "test", layout, split="train")


@pytest.mark.parametrize("layout", [*SPLIT_FOLDERS, "auto"])
def test_a_split_that_is_missing_is_named_with_those_there(tmp_path: Path, layout: str) -> None:
    write_split(tmp_path, "msrs" if layout == "auto" else layout, "train", "a")
    with pytest.raises(FileNotFoundError, match=r"split 'val'; there are train$"):
        find_dataset(tmp_path, layout, split="val")


def test_a_list_that_is_missing_or_names_nothing_is_an_error(tmp_path: Path) -> None:
    write_mfnet(tmp_path, train=["a"])
    (tmp_path / "val.txt").write_text("\n")
    with pytest.raises(FileNotFoundError, match=r"test\.txt: expected .* there are .*train\.txt, val\.txt"):
        find_dataset(tmp_path, split="test")
    with pytest.raises(FileNotFoundError, match=r"val\.txt names no image"):
        find_dataset(tmp_path, split="val")


def test_an_empty_split_is_an_error(tmp_path: Path) -> None:
    for folder in ("vi", "ir"):
        (tmp_path / "train" / folder).mkdir(parents=True)
    with pytest.raises(FileNotFoundError, match=r"no images in .*train"):
        find_dataset(tmp_path)


def test_unknown_layouts_and_folders_are_errors_that_say_what_was_looked_for(tmp_path: Path) -> None:
    write(tmp_path / "left", "a")
    with pytest.raises(ValueError, match="unknown layout 'kitti': expected auto, msrs, mfnet"):
        find_dataset(tmp_path, "kitti")
    with pytest.raises(FileNotFoundError, match=r"no such folder: .*nowhere"):
        find_dataset(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError) as caught:
        find_dataset(tmp_path)
    assert str(caught.value).endswith("there are left")
    for name, layout in LAYOUTS.items():
        assert f"{name}: {layout.expected}" in str(caught.value)
        with pytest.raises(FileNotFoundError, match=r"there are left$"):
            find_dataset(tmp_path, name)


@pytest.mark.parametrize(
    "name",
    ["../secret", "..", "/etc/passwd", "a/../../b", "sub/a", "..\\secret", "sub\\a", "C:secret", "C:\\a"],
)
def test_a_listed_name_that_is_a_path_is_refused_with_the_name_of_its_file(tmp_path: Path, name: str) -> None:
    write_mfnet(tmp_path, train=["a"])
    with (tmp_path / "train.txt").open("a") as file:
        file.write(f"{name}\n")

    with pytest.raises(
        ValueError, match=r"\A[^\n]+train\.txt: expected names [^\n]+, got [^\n]+\Z"
    ) as raised:
        find_dataset(tmp_path)
    assert repr(name) in str(raised.value)


def test_a_listed_image_may_be_a_link_to_another_place(tmp_path: Path) -> None:
    write_mfnet(tmp_path / "data", train=["a"])
    image = tmp_path / "data/images/a.png"
    image.rename(tmp_path / "elsewhere.png")
    image.symlink_to(tmp_path / "elsewhere.png")

    assert [record.name for record in find_dataset(tmp_path / "data").records] == ["a"]
