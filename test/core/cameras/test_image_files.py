"""Reading, writing and pairing image files."""

from __future__ import annotations

import errno
import os
import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from psfusion_core.cameras.image_files import (
    IMAGE_SUFFIXES,
    ImageError,
    list_images,
    pair_folders,
    read_four_channels,
    read_infrared,
    read_label,
    read_visible,
    write_image,
)

RGB = np.dstack([np.full((40, 50), value, np.uint8) for value in (200, 100, 30)])


def write(folder: Path, *names: str) -> Path:
    folder.mkdir(exist_ok=True)
    for name in names:
        write_image(folder / name, RGB)
    return folder


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_visible_images_come_back_as_the_rgb_that_was_written(tmp_path: Path, suffix: str) -> None:
    write_image(tmp_path / f"a{suffix}", RGB)
    np.testing.assert_array_equal(read_visible(tmp_path / f"a{suffix}"), RGB)


def test_16_bit_infrared_keeps_its_counts(tmp_path: Path) -> None:
    counts = np.arange(40 * 50, dtype=np.uint16).reshape(40, 50) * 30
    write_image(tmp_path / "a.png", counts)
    np.testing.assert_array_equal(read_infrared(tmp_path / "a.png"), counts)


def test_grey_infrared_stored_as_colour_becomes_one_channel(tmp_path: Path) -> None:
    grey = np.arange(200, dtype=np.uint8).reshape(10, 20)
    write_image(tmp_path / "a.png", np.dstack([grey] * 3))
    np.testing.assert_array_equal(read_infrared(tmp_path / "a.png"), grey)


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 4)])
def test_grey_and_alpha_visible_images_become_rgb(tmp_path: Path, shape: tuple[int, ...]) -> None:
    image = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    cv2.imwrite(str(tmp_path / "a.png"), image)
    expected = np.dstack([image] * 3) if image.ndim == 2 else image[..., 2::-1]
    np.testing.assert_array_equal(read_visible(tmp_path / "a.png"), expected)


def test_16_bit_visible_images_are_refused_rather_than_darkened(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", RGB.astype(np.uint16))
    with pytest.raises(ImageError, match="expected 8 bit"):
        read_visible(tmp_path / "a.png")


def test_a_header_that_asks_for_too_much_is_an_image_error(tmp_path: Path) -> None:
    png = bytearray(cv2.imencode(".png", RGB)[1].tobytes())
    png[16:24] = (2**20).to_bytes(4, "big") * 2
    png[29:33] = zlib.crc32(png[12:29]).to_bytes(4, "big")
    (tmp_path / "huge.png").write_bytes(png)
    with pytest.raises(ImageError, match=r"huge\.png cannot be read"):
        read_visible(tmp_path / "huge.png")


def bitmap_png(side: int) -> bytes:
    """Make a true, small file of a large image: side x side pixels of 1 bit, all black."""
    rows = bytes(side * (1 + (side + 7) // 8))
    data = b"\x89PNG\r\n\x1a\n"
    for kind, content in (
        (b"IHDR", struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ):
        data += struct.pack(">I", len(content)) + kind + content
        data += struct.pack(">I", zlib.crc32(kind + content))
    return data


@pytest.mark.parametrize("read", [read_visible, read_infrared, read_four_channels, read_label])
def test_a_small_file_of_an_image_too_large_is_refused_before_it_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, read: Callable[[Path], object]
) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(bitmap_png(8193))
    assert path.stat().st_size < 10_000
    monkeypatch.setattr(cv2, "imdecode", lambda *_: pytest.fail("was decoded"))
    monkeypatch.setattr(Image.Image, "load", lambda *_: pytest.fail("was decoded"))

    with pytest.raises(ImageError, match=r"huge\.png cannot be read.* 67108864 pixels, got 8193 x 8193"):
        read(path)


@pytest.mark.parametrize("shape", [(20, 30), (20, 30, 3)])
@pytest.mark.parametrize(
    ("suffix", "dtype"),
    [
        *((suffix, np.uint8) for suffix in sorted(IMAGE_SUFFIXES)),
        *((suffix, np.uint16) for suffix in (".png", ".tif")),
    ],
)
def test_every_format_that_is_listed_is_read_in_every_depth_that_it_has(
    tmp_path: Path, suffix: str, dtype: type, shape: tuple[int, ...]
) -> None:
    image = np.full(shape, np.iinfo(dtype).max // 3, dtype)
    write_image(tmp_path / f"a{suffix}", image)

    read = read_infrared(tmp_path / f"a{suffix}")

    assert read.shape == (20, 30)
    assert read.dtype == dtype
    assert np.abs(read.astype(int) - int(np.iinfo(dtype).max // 3)).max() <= 2


def test_an_unknown_output_format_is_an_image_error(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"use \.png"):
        write_image(tmp_path / "a.xyz", RGB)


def test_paths_beyond_ascii_are_read_and_written(tmp_path: Path) -> None:
    write_image(tmp_path / "熱画像.png", RGB)
    np.testing.assert_array_equal(read_visible(tmp_path / "熱画像.png"), RGB)


@pytest.mark.parametrize("content", [b"", b"not an image", cv2.imencode(".png", RGB)[1].tobytes()[:60]])
def test_a_damaged_file_is_named_in_the_error(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "broken.png"
    path.write_bytes(content)
    for read in (read_visible, read_infrared):
        with pytest.raises(ImageError, match=r"broken\.png cannot be read"):
            read(path)
    grey = cv2.imencode(".png", RGB[..., 0])[1].tobytes()
    path.write_bytes(content if len(content) < 60 else grey[:60])
    with pytest.raises(ImageError, match=r"broken\.png cannot be read"):
        read_label(path)


def test_the_label_of_a_palette_image_is_its_indices(tmp_path: Path) -> None:
    indices = np.random.default_rng(0).integers(0, 9, (20, 30)).astype(np.uint8)
    image = Image.fromarray(indices, mode="P")
    image.putpalette([value % 256 for value in range(7, 7 + 3 * 256)])
    image.save(tmp_path / "palette.png")
    np.testing.assert_array_equal(read_label(tmp_path / "palette.png"), indices)


@pytest.mark.parametrize("shape", [(40, 50), (40, 50, 3), (40, 50, 4)])
def test_colour_is_only_refused_where_that_is_asked_for_and_each_file_decoded_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...]
) -> None:
    image = np.random.default_rng(0).integers(0, 255, shape, np.uint8)
    write_image(tmp_path / "a.png", image if image.ndim == 2 else image[..., :3])
    if shape[2:] == (4,):
        cv2.imwrite(str(tmp_path / "a.png"), image)
    decode, decoded = cv2.imdecode, []

    def counting(*arguments: object) -> object:
        decoded.append(arguments)
        return decode(*arguments)

    monkeypatch.setattr(cv2, "imdecode", counting)
    luma = read_infrared(tmp_path / "a.png")
    assert len(decoded) == 1
    if image.ndim == 2:
        np.testing.assert_array_equal(read_infrared(tmp_path / "a.png", refuse_color=True), luma)
    else:
        with pytest.raises(ImageError, match=r"a\.png is in colour; expected grey levels or counts of heat"):
            read_infrared(tmp_path / "a.png", refuse_color=True)
    assert len(decoded) == 2


def test_a_grey_image_in_a_lossy_format_is_not_in_colour(tmp_path: Path) -> None:
    grey = np.random.default_rng(0).integers(0, 255, (40, 50), np.uint8)
    write_image(tmp_path / "a.jpg", np.dstack([grey] * 3))
    assert read_infrared(tmp_path / "a.jpg", refuse_color=True).shape == (40, 50)


def test_four_channels_are_visible_and_infrared(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.dstack([RGB[..., ::-1], RGB[..., 1]]))
    visible, infrared = read_four_channels(tmp_path / "a.png")
    np.testing.assert_array_equal(visible, RGB)
    np.testing.assert_array_equal(infrared, RGB[..., 1])
    write_image(tmp_path / "b.png", RGB)
    with pytest.raises(ImageError, match="expected four channels"):
        read_four_channels(tmp_path / "b.png")


def test_float_infrared_and_colour_labels_are_refused(tmp_path: Path) -> None:
    write_image(tmp_path / "a.tif", np.zeros((8, 8), np.float32))
    write_image(tmp_path / "b.png", RGB)
    with pytest.raises(ImageError, match="8 or 16 bit"):
        read_infrared(tmp_path / "a.tif")
    with pytest.raises(ImageError, match="one channel"):
        read_label(tmp_path / "b.png")


def test_folders_are_paired_by_stem_and_what_is_left_over_is_listed(tmp_path: Path) -> None:
    visible = write(tmp_path / "vi", "b.png", "a.jpg", "only_visible.png")
    infrared = write(tmp_path / "ir", "a.png", "b.bmp", "only_infrared.png")
    (visible / "notes.txt").write_text("not an image")
    pairing = pair_folders(visible, infrared)
    assert [(p.name, p.visible.name, p.infrared.name) for p in pairing.pairs] == [
        ("a", "a.jpg", "a.png"),
        ("b", "b.png", "b.bmp"),
    ]
    assert [path.name for path in pairing.unpaired] == ["only_visible.png", "only_infrared.png"]


def test_uppercase_suffixes_count_and_hidden_files_do_not(tmp_path: Path) -> None:
    write_image(tmp_path / "a.png", RGB)
    (tmp_path / "a.png").rename(tmp_path / "A.PNG")
    (tmp_path / "._A.png").write_bytes(b"resource fork")
    assert [path.name for path in list_images(tmp_path).values()] == ["A.PNG"]


def test_one_file_beside_a_folder_is_one_pair_with_nothing_left_over(tmp_path: Path) -> None:
    visible, infrared = write(tmp_path / "vi", "a.png", "b.png"), write(tmp_path / "ir", "a.png", "b.png")
    assert [len(part) for part in pair_folders(visible / "a.png", infrared)] == [1, 0]
    assert [len(part) for part in pair_folders(visible, infrared / "b.png")] == [1, 0]


def test_two_files_are_a_pair_whatever_their_names(tmp_path: Path) -> None:
    write(tmp_path, "left.png", "right.png")
    pairing = pair_folders(tmp_path / "left.png", tmp_path / "right.png")
    assert [pair.name for pair in pairing.pairs] == ["left"]


def test_missing_empty_and_disjoint_folders_say_so(tmp_path: Path) -> None:
    visible, infrared = write(tmp_path / "vi", "a.png"), write(tmp_path / "ir", "b.png")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match="no such file or folder"):
        list_images(tmp_path / "nowhere")
    with pytest.raises(FileNotFoundError, match="no images in"):
        list_images(tmp_path / "empty")
    with pytest.raises(FileNotFoundError, match="pairs share a name"):
        pair_folders(visible, infrared)


def test_a_folder_whose_images_are_one_level_down_names_where(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    for name in ("fused", "mask"):
        write(tmp_path / "out" / name, "a.png")
    (tmp_path / "out/log").mkdir()
    folders = f"{tmp_path}/out/fused, {tmp_path}/out/mask"
    with pytest.raises(FileNotFoundError, match=f"no images in {tmp_path}/out, but in {folders}: name"):
        list_images(tmp_path / "out")


def test_a_folder_beside_that_cannot_be_read_does_not_hide_what_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "out").mkdir()
    write(tmp_path / "out" / "fused", "a.png")
    closed = tmp_path / "out" / "closed"
    closed.mkdir()
    entries = Path.iterdir

    def iterdir(folder: Path) -> Iterator[Path]:  # permissions would not stop root
        if folder == closed:
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(folder))
        return entries(folder)

    monkeypatch.setattr(Path, "iterdir", iterdir)
    with pytest.raises(FileNotFoundError, match=f"no images in {tmp_path}/out, but in {tmp_path}/out/fused:"):
        list_images(tmp_path / "out")


def test_two_images_of_one_name_are_refused_rather_than_guessed(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="same name"):
        list_images(write(tmp_path / "vi", "a.png", "a.jpg"))
