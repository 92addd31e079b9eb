"""Image files that say more than their pixels: orientation, lossy labels, infrared as a fourth channel."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from psfusion_core.cameras.image_files import ImageError, read_infrared, read_label, read_visible

ORIENTATIONS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_270, 7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}  # fmt: skip
"""What makes an image of each Exif orientation upright, by Pillow (the PIL.ImageOps table)."""


@pytest.mark.parametrize("orientation", ORIENTATIONS)
@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp", ".jpg"])
def test_images_are_turned_upright_as_their_exif_orientation_says(
    tmp_path: Path, suffix: str, orientation: int
) -> None:
    upright = Image.fromarray(np.random.default_rng(0).integers(0, 256, (8, 16, 3), np.uint8)).resize(
        (48, 24)
    )
    inverse = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}
    stored = upright.transpose(inverse.get(orientation, ORIENTATIONS[orientation]))
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {".jpg": {"quality": 98, "subsampling": 0}, ".webp": {"lossless": True}}.get(suffix, {})
    stored.save(tmp_path / f"a{suffix}", exif=exif, **options)

    image = read_visible(tmp_path / f"a{suffix}")

    assert image.shape == (24, 48, 3)
    difference = np.abs(image.astype(int) - np.asarray(upright))
    assert difference.max() <= (30 if suffix == ".jpg" else 0)
    heat = read_infrared(tmp_path / f"a{suffix}")
    assert heat.shape == (24, 48), "the infrared reader turns too"


def test_labels_are_turned_upright_and_lossy_ones_are_refused(tmp_path: Path) -> None:
    label = Image.fromarray(np.random.default_rng(0).integers(0, 9, (24, 48), np.uint8))
    exif = Image.Exif()
    exif[0x0112] = 6
    label.transpose(Image.Transpose.ROTATE_90).save(tmp_path / "a.png", exif=exif)
    label.save(tmp_path / "a.jpg", quality=100)

    np.testing.assert_array_equal(read_label(tmp_path / "a.png"), np.asarray(label))
    with pytest.raises(ImageError, match="is a JPEG, which changes the classes of pixels; expected PNG"):
        read_label(tmp_path / "a.jpg")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_infrared_of_a_four_channel_colour_file_is_its_fourth_channel(tmp_path: Path, dtype: type) -> None:
    four = np.random.default_rng(0).integers(0, np.iinfo(dtype).max, (40, 50, 4), dtype)
    cv2.imwrite(str(tmp_path / "rgbt.png"), four)
    np.testing.assert_array_equal(read_infrared(tmp_path / "rgbt.png"), four[..., 3])

    opaque = four.copy()
    opaque[..., 3] = np.iinfo(dtype).max
    cv2.imwrite(str(tmp_path / "opaque.png"), opaque)
    luma = cv2.cvtColor(opaque[..., :3], cv2.COLOR_BGR2GRAY)
    np.testing.assert_array_equal(read_infrared(tmp_path / "opaque.png"), luma)

    grey = np.dstack([four[..., :1]] * 3 + [four[..., 3:]])
    cv2.imwrite(str(tmp_path / "grey.png"), grey)
    np.testing.assert_array_equal(read_infrared(tmp_path / "grey.png"), four[..., 0])
