"""Protocol "tang2022" against 8-bit and double arithmetic written out, and against the standard."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from scipy import signal

from psfusion_core.metrics import PROTOCOLS, evaluate_triple
from psfusion_core.metrics.exposure_fusion import mef_ssim, multi_scale_mef_ssim

Triple = tuple[np.ndarray, np.ndarray, np.ndarray]
TANG2022 = PROTOCOLS["tang2022"]


def saturated(value: float) -> int:
    """What an 8-bit integer of MATLAB holds of a number: rounded half away from 0, kept in 0 to 255."""
    return int(min(max(math.floor(value + 0.5), 0), 255))


def sd(f: np.ndarray) -> float:
    mean = f.mean()
    deviations = [saturated(level - mean) for level in f.ravel().tolist()]
    return math.sqrt(sum(saturated(deviation * deviation) for deviation in deviations) / f.size)


def bits(counts: Counter[object]) -> float:
    total = sum(counts.values())
    return sum(-n / total * math.log2(n / total) for n in counts.values())


def mutual_information(f: np.ndarray, s: np.ndarray) -> float:
    first, second = f.ravel().tolist(), s.ravel().tolist()
    joint = Counter((saturated(a + 1), saturated(b + 1)) for a, b in zip(first, second, strict=True))
    return bits(Counter(first)) + bits(Counter(second)) - bits(joint)


def vif(source: np.ndarray, fused: np.ndarray) -> float:
    """With the scripts' guards: 1e-10 added to each variance divided by, and 1e-10 as least distortion."""
    s, f = source.astype(float), fused.astype(float)
    kept = available = 0.0
    for scale, size in enumerate((17, 9, 5, 3)):
        offsets = np.arange(size) - size // 2
        window = np.exp(-(offsets[:, None] ** 2 + offsets**2) / (2 * (size / 5) ** 2))
        window /= window.sum()

        def mean(image: np.ndarray, window: np.ndarray = window) -> np.ndarray:
            return signal.correlate(image, window, mode="valid", method="direct")

        if scale:
            s, f = mean(s)[::2, ::2], mean(f)[::2, ::2]
        most = np.inf if scale else 255
        power_s = (mean(np.minimum(s * s, most)) - mean(s) ** 2).clip(0)
        power_f = (mean(np.minimum(f * f, most)) - mean(f) ** 2).clip(0)
        cross = mean(np.minimum(s * f, most)) - mean(s) * mean(f)
        gain = cross / (power_s + 1e-10)
        distortion = power_f - gain * cross
        dead = (power_s < 1e-10) | (power_f < 1e-10) | (gain < 0)
        gain[dead], distortion[dead] = 0, power_f[dead]
        kept += np.log10(1 + gain**2 * power_s / (distortion.clip(1e-10) + 2)).sum()
        available += np.log10(1 + power_s / 2).sum()
    return kept / available


def edges(image: np.ndarray) -> list[tuple[float, float]]:
    """Strength and angle per pixel by convolution (kernels flipped), summed column after column."""
    rows, columns = image.shape
    unit = {(y, x): image[y, x] / 255 for y in range(rows) for x in range(columns)}
    down_kernel = [[1, 2, 1], [0, 0, 0], [-1, -2, -1]]
    across_kernel = [[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]
    found = []
    for y in range(rows):
        for x in range(columns):
            across = down = 0.0
            for j in range(3):
                for i in range(3):
                    level = unit.get((y + 1 - i, x + 1 - j), 0.0)
                    across += across_kernel[i][j] * level
                    down += down_kernel[i][j] * level
            angle = math.atan(down / across) if across else math.pi / 2
            found.append((math.sqrt(across**2 + down**2), angle))
    return found


def qabf(f: np.ndarray, v: np.ndarray, r: np.ndarray) -> float:
    kept = total = 0.0
    for source in (v, r):
        for (g, a), (g_f, a_f) in zip(edges(source), edges(f), strict=True):
            strength = g_f if g == g_f else min(g, g_f) / max(g, g_f)
            alignment = 1 - abs(a - a_f) / (math.pi / 2)
            q = 0.9994 / (1 + math.exp(-15 * (strength - 0.5)))
            kept += g * q * 0.9879 / (1 + math.exp(-22 * (alignment - 0.8)))
            total += g
    return kept / total


def nabf(f: np.ndarray, v: np.ndarray, r: np.ndarray) -> float:
    """Half the mean of both losses where the fused edge is the strongest."""

    def gradient(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        p = np.pad(image.astype(float), 1, mode="reflect")
        kernel = np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]])
        across, down = (signal.correlate(p, k, mode="valid", method="direct") for k in (kernel, kernel.T))
        return np.hypot(across, down), np.arctan2(down, across)

    g_f, a_f = gradient(f)
    losses, weaker = [], []
    for g, a in map(gradient, (v, r)):
        ratio = np.divide(np.minimum(g, g_f), np.maximum(g, g_f), out=np.zeros_like(g), where=g * g_f > 0)
        # |cos| of the angle between both edges' lines, as a share of the right angle
        alignment = 1 - np.arccos(np.abs(np.cos(a - a_f)).clip(0, 1)) / (np.pi / 2)
        q = 0.9999 / (1 + np.exp(-19 * (ratio - 0.5))) * 0.9995 / (1 + np.exp(-22 * (alignment - 0.5)))
        losses.append(1 - np.sqrt(q))
        weaker.append(g < g_f)
    return float(np.mean((losses[0] + losses[1]) * (weaker[0] & weaker[1])) / 2)


def unit_mse(f: np.ndarray, v: np.ndarray, r: np.ndarray) -> float:
    return float(np.mean([np.square(f / 255 - source / 255) for source in (v, r)]))


DERIVATIONS = {
    "SD": lambda f, v, r: sd(f),
    "SF": lambda f, v, r: math.sqrt(sum(np.mean(np.diff(f / 255, axis=axis) ** 2) for axis in (0, 1))),
    "MI": lambda f, v, r: mutual_information(f, v) + mutual_information(f, r),
    "VIF": lambda f, v, r: vif(v, f) + vif(r, f),
    "Qabf": qabf,
    "Nabf": nabf,
    "PSNR": lambda f, v, r: 20 * math.log10(255 / math.sqrt(unit_mse(f, v, r))),
    "MSE": unit_mse,
}


def test_every_measure_that_differs_from_the_standard_has_a_derivation() -> None:
    standard = PROTOCOLS["standard"]
    deviating = [name for name in TANG2022 if TANG2022[name] is not standard[name]]
    exposure_fusion = ["SSIM", "MS-SSIM"]  # derived in their own test
    assert [name for name in deviating if name not in exposure_fusion] == list(DERIVATIONS)


def test_its_ssim_and_ms_ssim_are_those_of_exposure_fusion() -> None:
    assert TANG2022["SSIM"].function is mef_ssim
    assert TANG2022["MS-SSIM"].function is multi_scale_mef_ssim


@pytest.mark.parametrize("name", [name for name in DERIVATIONS if name not in ("VIF", "Qabf")])
def test_measure_equals_its_arithmetic_written_out(name: str, triples: list[Triple]) -> None:
    for triple in triples:
        assert TANG2022[name](*triple) == pytest.approx(DERIVATIONS[name](*triple), rel=1e-9, abs=1e-9)


def test_vif_equals_the_scripts_up_to_their_guards_against_division_by_nothing(triples: list[Triple]) -> None:
    for triple in triples[:4]:  # one of each size, by night and day
        assert TANG2022["VIF"](*triple) == pytest.approx(DERIVATIONS["VIF"](*triple), abs=2e-5)


def test_qabf_equals_its_sum_pixel_by_pixel_to_the_last_rounding(triples: list[Triple]) -> None:
    for triple in triples:
        f, v, r = (image[-30:, :40] for image in triple)  # with the flat strip, where rounding decides
        assert TANG2022["Qabf"](f, v, r) == pytest.approx(qabf(f, v, r), abs=1e-12)


def test_saturated_deviation_of_four_pixels_by_hand() -> None:
    # mean 50: deviations -50, -40, -10, 100 become 0, 0, 0, 100, and 100^2 becomes 255
    assert TANG2022["SD"](*[np.array([[0, 10], [40, 150]], np.uint8)] * 3) == math.sqrt(255 / 4)


def test_merged_levels_inflate_mutual_information_only_where_254_and_255_both_occur() -> None:
    # all four levels apart: H = 2 each; 254 and 255 merged: joint entropy 1.5, so I = 2.5 in place of 2
    image = np.array([[0, 1], [254, 255]], np.uint8)
    dark = image // 2
    assert evaluate_triple(image, image, image, ["MI"])["MI"] == 4.0
    assert TANG2022["MI"](image, image, image) == 5.0
    assert TANG2022["MI"](dark, dark, dark) == evaluate_triple(dark, dark, dark, ["MI"])["MI"]


def test_vif_of_a_bright_image_ignores_the_finest_scale() -> None:
    # 17 to 40 pixels wide, only the finest scale fits: with levels over 16 there every product saturates
    source = np.random.default_rng(1).integers(60, 190, (24, 24), dtype=np.uint8)
    assert TANG2022["VIF"](source, source, source) == 0.0
    assert evaluate_triple(source, source, source, ["VIF"])["VIF"] == pytest.approx(2.0)


def test_psnr_is_the_standard_with_the_square_of_255_too_much(triples: list[Triple]) -> None:
    standard = evaluate_triple(*triples[0], ["PSNR"])["PSNR"]
    assert TANG2022["PSNR"](*triples[0]) - standard == pytest.approx(20 * math.log10(255), abs=1e-9)
