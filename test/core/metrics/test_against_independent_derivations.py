"""Every standard metric equals a library's, or a second derivation from its definition, on twelve triples."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import scipy.stats
from scipy import ndimage, signal
from skimage.measure import shannon_entropy
from skimage.metrics import mean_squared_error, peak_signal_noise_ratio, structural_similarity

from psfusion_core.metrics import FUSION_METRICS

Triple = tuple[np.ndarray, np.ndarray, np.ndarray]


def spatial_frequency(f: np.ndarray) -> float:
    steps = [ndimage.correlate1d(f.astype(float), [-1, 1, 0], axis=axis) for axis in (0, 1)]
    return math.hypot(*(np.sqrt(np.mean(step)) for step in (steps[0][1:] ** 2, steps[1][:, 1:] ** 2)))


def average_gradient(f: np.ndarray) -> float:
    # a border twice as far out by extrapolation makes the central difference the one-sided one
    padded = np.pad(f.astype(float), 1, mode="reflect", reflect_type="odd")
    slopes = [ndimage.correlate1d(padded, [-0.5, 0, 0.5], axis=axis)[1:-1, 1:-1] for axis in (0, 1)]
    total = np.sqrt((slopes[0] ** 2 + slopes[1] ** 2) / 2).sum()
    return total / np.prod(np.array(f.shape) - 1)


def mutual_information(f: np.ndarray, s: np.ndarray) -> float:
    joint = scipy.stats.contingency.crosstab(f.ravel(), s.ravel()).count / f.size
    independent = np.outer(joint.sum(axis=1), joint.sum(axis=0))
    return scipy.stats.entropy(joint.ravel(), independent.ravel(), base=2)


def pearson(a: np.ndarray, b: np.ndarray) -> float:
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return 0.0
    return scipy.stats.pearsonr(a.ravel(), b.ravel()).statistic


def windowed(image: np.ndarray, size: int, sigma: float) -> np.ndarray:
    window = np.outer(*[signal.windows.gaussian(size, sigma)] * 2)
    return signal.correlate(image, window / window.sum(), mode="valid", method="direct")


def moments(a: np.ndarray, b: np.ndarray, size: int, sigma: float) -> tuple[np.ndarray, ...]:
    mean_a, mean_b = windowed(a, size, sigma), windowed(b, size, sigma)
    return (
        mean_a,
        mean_b,
        windowed(a * a, size, sigma) - mean_a**2,
        windowed(b * b, size, sigma) - mean_b**2,
        windowed(a * b, size, sigma) - mean_a * mean_b,
    )


def vif(s: np.ndarray, f: np.ndarray) -> float:
    s, f = s.astype(float), f.astype(float)
    kept = available = 0.0
    for size in (17, 9, 5, 3):
        if size < 17:
            s, f = (windowed(image, size, size / 5)[::2, ::2] for image in (s, f))
        _, _, power_s, power_f, cross = moments(s, f, size, size / 5)
        lit = power_s > 1e-9
        gain = np.zeros_like(cross)
        gain[lit] = cross[lit].clip(0) / power_s[lit]
        kept += np.log2(1 + gain**2 * power_s / ((power_f - gain * cross).clip(0) + 2)).sum()
        available += np.log2(1 + power_s.clip(0) / 2).sum()
    return kept / available


def sobel(image: np.ndarray, mode: str) -> tuple[np.ndarray, np.ndarray]:
    across, down = (ndimage.sobel(image.astype(float), axis=axis, mode=mode) for axis in (1, 0))
    return np.hypot(across, down), np.arctan2(down, across)


def logistic(ceiling: float, slope: float, midpoint: float, value: np.ndarray) -> np.ndarray:
    return ceiling / (1 + np.exp(-slope * (value - midpoint)))


def angle_between(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Difference of two directions taken as angles in (-pi/2, pi/2], not as directions."""
    a, b = (np.where(x > np.pi / 2, x - np.pi, np.where(x <= -np.pi / 2, x + np.pi, x)) for x in (a, b))
    return np.abs(a - b)


def qabf(f: np.ndarray, v: np.ndarray, r: np.ndarray) -> float:
    strength_f, angle_f = sobel(f, "constant")
    # where both derivatives are 0 the definition's angle is pi/2, arctan2's is 0
    angle_f = np.where(strength_f == 0, np.pi / 2, angle_f)
    weighted, weights = [], []
    for source in (v, r):
        strength, angle = sobel(source, "constant")
        edge = strength > 0
        g, g_f = strength[edge], strength_f[edge]
        alignment = 1 - 2 / np.pi * angle_between(angle[edge], angle_f[edge])
        kept = logistic(0.9994, 15, 0.5, np.minimum(g / np.maximum(g_f, 1e-300), g_f / g))
        weighted.append(np.sum(g * kept * logistic(0.9879, 22, 0.8, alignment)))
        weights.append(np.sum(g))
    return sum(weighted) / sum(weights)


def nabf(f: np.ndarray, v: np.ndarray, r: np.ndarray) -> float:
    (g_f, a_f), *sources = (sobel(image, "mirror") for image in (f, v, r))
    new = np.logical_and(*(g_f > g for g, _ in sources))
    lost = weights = 0.0
    for g, a in sources:
        weight = np.where(g / 8 < 2, 0.001, (g / 8) ** 1.5)
        strength = np.divide(np.minimum(g, g_f), np.maximum(g, g_f), out=np.zeros_like(g), where=g * g_f > 0)
        # the deviation of two lines, 0 to pi/2, from the cosine of twice the angle between them
        deviation = np.arccos(np.clip(np.cos(2 * (a - a_f)), -1, 1)) / 2
        kept = logistic(0.9999, 19, 0.5, strength) * logistic(0.9995, 22, 0.5, 1 - deviation / (np.pi / 2))
        lost += np.sum((1 - np.sqrt(kept[new])) * weight[new])
        weights += np.sum(weight)
    return lost / weights


def ssim(f: np.ndarray, s: np.ndarray) -> float:
    return structural_similarity(
        f, s, gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=255
    )


def ms_ssim(f: np.ndarray, s: np.ndarray) -> float:
    exponents = [0.0448, 0.2856, 0.3001, 0.2363, 0.1333]
    number = 1
    while number < 5 and math.ceil(min(f.shape) / 2**number) >= 11:
        number += 1
    logarithm = 0.0
    a, b = f.astype(float), s.astype(float)
    for scale in range(number):
        if scale:
            corner = np.array(
                [[0.25, 0.25], [0.25, 0.25]]
            )  # of each pixel, its right and its lower neighbour
            a, b = (ndimage.correlate(x, corner, mode="nearest", origin=-1)[::2, ::2] for x in (a, b))
        mean_a, mean_b, power_a, power_b, cross = moments(a, b, 11, 1.5)
        factor = (2 * cross + 7.65**2) / (power_a + power_b + 7.65**2)
        if scale == number - 1:
            factor = factor * (2 * mean_a * mean_b + 2.55**2) / (mean_a**2 + mean_b**2 + 2.55**2)
        if factor.mean() <= 0:
            return 0.0
        logarithm += exponents[scale] * math.log(factor.mean())
    return math.exp(logarithm / sum(exponents[:number]))


def fmi_of_windows(f: list[float], s: list[float]) -> float:
    """The definition on nine samples each, with cumulated sums and tables written out."""
    if f == s:
        return 1.0

    def distribution(x: list[float]) -> list[float]:
        total = sum(value - min(x) for value in x)
        return [(value - min(x)) / total if total else 1 / 9 for value in x]

    def entropy(p: list[float]) -> float:
        return -sum(value * math.log2(abs(value)) for value in p if value)

    def deviation(p: list[float]) -> float:
        mean = sum(i * value for i, value in enumerate(p))
        return math.sqrt(sum(i * i * value for i, value in enumerate(p)) - mean**2)

    p, q = distribution(f), distribution(s)
    cumulated_p, cumulated_q = ([sum(x[: i + 1]) for i in range(9)] for x in (p, q))
    flat = len(set(f)) == 1 or len(set(s)) == 1
    c = 0.0 if flat else float(np.corrcoef(p, q)[0, 1])
    bound = (lambda a, b: min(a, b)) if c > 0 else (lambda a, b: max(a + b - 1, 0.0))
    table = [[bound(a, b) for b in cumulated_q] for a in cumulated_p]
    covariance = sum(table[i][j] - cumulated_p[i] * cumulated_q[j] for i in range(9) for j in range(9))
    spread = deviation(p) * deviation(q) if max(p) < 1 and max(q) < 1 else 0.0
    weight = c * spread / covariance if spread and covariance else 0.0
    joint = []
    for i in range(9):
        for j in range(9):
            cell = table[i][j]
            if i:
                cell -= table[i - 1][j]
            if j:
                cell -= table[i][j - 1]
            if i and j:
                cell += table[i - 1][j - 1]
            joint.append(weight * cell + (1 - weight) * p[i] * q[j])
    separate = entropy(p) + entropy(q)
    return 2 * (separate - entropy(joint)) / separate if separate else 0.0


def fmi(f: np.ndarray, s: np.ndarray) -> float:
    values = [
        fmi_of_windows(*(x[y : y + 3, z : z + 3].T.ravel().astype(float).tolist() for x in (f, s)))
        for y in range(f.shape[0] - 2)
        for z in range(f.shape[1] - 2)
    ]
    return float(np.mean(values))


def mean_of_both(measure: Callable[[np.ndarray, np.ndarray], float]) -> Callable[..., float]:
    return lambda f, v, r: (measure(f, v) + measure(f, r)) / 2


DERIVATIONS: dict[str, Callable[[np.ndarray, np.ndarray, np.ndarray], float]] = {
    "EN": lambda f, v, r: shannon_entropy(f),
    "SD": lambda f, v, r: ndimage.standard_deviation(f.astype(float)),
    "SF": lambda f, v, r: spatial_frequency(f),
    "AG": lambda f, v, r: average_gradient(f),
    "MI": lambda f, v, r: mutual_information(f, v) + mutual_information(f, r),
    "SCD": lambda f, v, r: pearson(f - 1.0 * r, v) + pearson(f - 1.0 * v, r),
    "CC": mean_of_both(pearson),
    "VIF": lambda f, v, r: vif(v, f) + vif(r, f),
    "Qabf": qabf,
    "SSIM": mean_of_both(ssim),
    "MS-SSIM": mean_of_both(ms_ssim),
    "Nabf": nabf,
    "PSNR": lambda f, v, r: peak_signal_noise_ratio(
        np.stack([v, r]).astype(float), np.stack([f, f]).astype(float), data_range=255
    ),
    "MSE": mean_of_both(mean_squared_error),
}


def test_every_metric_has_a_derivation() -> None:
    assert [*DERIVATIONS, "FMI"] == list(FUSION_METRICS)


@pytest.mark.parametrize("name", DERIVATIONS)
def test_metric_equals_an_independent_derivation_on_twelve_triples(name: str, triples: list[Triple]) -> None:
    for triple in triples:
        expected = DERIVATIONS[name](*triple)
        assert FUSION_METRICS[name](*triple) == pytest.approx(expected, rel=1e-6, abs=1e-6)


def test_fmi_equals_its_definition_window_by_window_on_parts_of_twelve_triples(triples: list[Triple]) -> None:
    for triple in triples:
        f, v, r = (image[-20:-5, 30:43] for image in triple)  # with some of the flat strip
        assert FUSION_METRICS["FMI"](f, v, r) == pytest.approx((fmi(f, v) + fmi(f, r)) / 2, abs=1e-6)


def test_ms_ssim_of_all_five_scales_equals_its_derivation() -> None:
    random = np.random.default_rng(3)
    visible, infrared = random.integers(0, 256, (2, 161, 170), dtype=np.uint8)
    fused = np.maximum(visible, infrared)
    expected = (ms_ssim(fused, visible) + ms_ssim(fused, infrared)) / 2
    assert FUSION_METRICS["MS-SSIM"](fused, visible, infrared) == pytest.approx(expected, abs=1e-6)
