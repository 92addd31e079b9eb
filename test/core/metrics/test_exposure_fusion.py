"""MEF-SSIM, at one scale and at three."""

from __future__ import annotations

import numpy as np
import pytest

from psfusion_core.metrics.exposure_fusion import mef_ssim, multi_scale_mef_ssim

Triple = tuple[np.ndarray, np.ndarray, np.ndarray]
OFFSETS = np.arange(11) - 5
GAUSSIAN = np.exp(-(OFFSETS[:, None] ** 2 + OFFSETS**2) / (2 * 1.5**2))
GAUSSIAN /= GAUSSIAN.sum()
C = 7.65**2


def patch_wanted(patches: list[np.ndarray]) -> np.ndarray:
    centred = [patch - patch.mean() for patch in patches]
    lengths = [np.linalg.norm(patch) for patch in centred]
    consistency = np.linalg.norm(sum(centred)) / sum(lengths) if any(lengths) else 1.0
    power = min(np.tan(np.pi / 2 * consistency), 10) if consistency < 1 else 10
    lengths = [length + 0.001 for length in lengths]
    weights = np.array([(length / 11) ** power for length in lengths])
    wanted = sum(w * x / n for w, x, n in zip(weights / weights.sum(), centred, lengths, strict=True))
    norm = np.linalg.norm(wanted)
    return wanted / norm * max(lengths) if norm > 0 else wanted


def mef_ssim_patch_by_patch(f: np.ndarray, v: np.ndarray, r: np.ndarray) -> float:
    images = [image.astype(float) for image in (f, v, r)]
    values = []
    for y in range(f.shape[0] - 10):
        for x in range(f.shape[1] - 10):
            patch, *sources = (image[y : y + 11, x : x + 11] for image in images)
            wanted = patch_wanted(sources)
            a, b = (image - (GAUSSIAN * image).sum() for image in (patch, wanted))
            cross = (GAUSSIAN * a * b).sum()
            values.append((2 * cross + C) / ((GAUSSIAN * (a * a + b * b)).sum() + C))
    return float(np.mean(values))


def test_mef_ssim_equals_its_patches_on_parts_of_twelve_triples(triples: list[Triple]) -> None:
    for triple in triples:
        part = [image[-24:-4, 30:50] for image in triple]  # with some of the flat strip
        assert mef_ssim(*part) == pytest.approx(mef_ssim_patch_by_patch(*part), abs=1e-6)


def test_three_scales_are_the_product_of_their_powers(triples: list[Triple]) -> None:
    product = 1.0
    images = [image[:48, :56].astype(float) for image in triples[2]]
    for weight in (0.0448, 0.2856, 0.3001):
        product *= mef_ssim_patch_by_patch(*images) ** (weight / (0.0448 + 0.2856 + 0.3001))
        images = [image.reshape(len(image) // 2, 2, -1, 2).mean(axis=(1, 3)) for image in images]
    value = multi_scale_mef_ssim(*(image[:48, :56] for image in triples[2]))
    assert value == pytest.approx(product, abs=1e-6)


def test_a_source_beside_a_flat_one_is_all_that_is_wanted() -> None:
    image = np.random.default_rng(1).integers(0, 200, (20, 24), dtype=np.uint8)
    flat = np.full_like(image, 90)
    assert mef_ssim(image, image, flat) == pytest.approx(1.0, abs=1e-4)
    assert mef_ssim(image + 50, flat, image) == pytest.approx(1.0, abs=1e-4)  # luminance does not count
    assert mef_ssim(flat, image, image) < 0.1


def test_flat_images_are_what_is_wanted_of_them() -> None:
    flat = np.full((44, 45), 9, np.uint8)
    assert mef_ssim(flat, flat + 3, flat) == pytest.approx(1.0, abs=1e-6)
    assert multi_scale_mef_ssim(flat, flat + 3, flat) == pytest.approx(1.0, abs=1e-6)


def test_a_negative_has_no_part_in_the_product_of_scales() -> None:
    image = np.kron(
        np.random.default_rng(2).integers(0, 256, (6, 6), dtype=np.uint8), np.ones((8, 8), np.uint8)
    )
    assert mef_ssim(255 - image, image, image) < 0
    assert multi_scale_mef_ssim(255 - image, image, image) == 0.0


@pytest.mark.parametrize(("metric", "side"), [(mef_ssim, 11), (multi_scale_mef_ssim, 44)])
def test_images_too_small_for_the_coarsest_window_are_refused(metric: type, side: int) -> None:
    images = np.zeros((3, side, side), np.uint8)
    assert np.isfinite(metric(*images))
    with pytest.raises(ValueError, match=f"expected fused to be at least {side} x {side} pixels"):
        metric(*images[:, 1:])
