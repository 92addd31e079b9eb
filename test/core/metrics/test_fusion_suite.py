"""What all fusion metrics promise alike."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from psfusion_core import metrics
from psfusion_core.metrics import FUSION_METRICS, PROTOCOLS, evaluate_triple

NAMES = [
    *(
        "EN",
        "SD",
        "SF",
        "AG",
        "MI",
        "SCD",
        "CC",
        "VIF",
        "Qabf",
        "SSIM",
        "MS-SSIM",
        "Nabf",
        "PSNR",
        "MSE",
        "FMI",
    )
]
each_metric = pytest.mark.parametrize("name", NAMES)


def random_triple(height: int = 45, width: int = 50) -> np.ndarray:
    return np.random.default_rng(7).integers(0, 256, (3, height, width), dtype=np.uint8)


def test_registry_names_every_metric_of_the_published_tables() -> None:
    assert list(FUSION_METRICS) == NAMES


def test_smaller_is_better_for_errors_and_artefacts_alone() -> None:
    assert [name for name in NAMES if not FUSION_METRICS[name].larger_is_better] == ["Nabf", "MSE"]


def test_metrics_carry_the_names_they_are_listed_under_and_a_title_of_one_line() -> None:
    for metrics_by_name in PROTOCOLS.values():
        for name, metric in metrics_by_name.items():
            assert metric.name == name
            assert metric.title
            assert "\n" not in metric.title


def test_every_protocol_keeps_the_order_of_the_standard() -> None:
    for metrics_by_name in PROTOCOLS.values():
        assert list(metrics_by_name) == [name for name in NAMES if name in metrics_by_name]


def test_metrics_by_name_come_in_the_order_of_tables_and_alone() -> None:
    values = evaluate_triple(*random_triple(), metrics=["MSE", "FMI", "EN"])
    assert list(values) == ["EN", "MSE", "FMI"]


def test_a_metric_that_the_protocol_lacks_is_refused_with_those_it_has() -> None:
    with pytest.raises(ValueError, match=r"metrics must be of EN, SD.* in protocol 'tang2022', got FMI, XX$"):
        evaluate_triple(*random_triple(), metrics=["EN", "XX", "FMI"], protocol="tang2022")


def test_an_unknown_protocol_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match="protocol must be one of standard, tang2022, tang2023, got 'best'"):
        evaluate_triple(*random_triple(), protocol="best")


def test_evaluate_triple_returns_every_fast_metric_under_its_name() -> None:
    fused, visible, infrared = random_triple()
    pair = (visible, infrared)
    assert evaluate_triple(fused, visible, infrared) == {
        "EN": metrics.entropy(fused),
        "SD": metrics.standard_deviation(fused),
        "SF": metrics.spatial_frequency(fused),
        "AG": metrics.average_gradient(fused),
        "MI": metrics.mutual_information(fused, *pair),
        "SCD": metrics.scd(fused, *pair),
        "CC": metrics.correlation(fused, *pair),
        "VIF": metrics.vif(fused, *pair),
        "Qabf": metrics.qabf(fused, *pair),
        "SSIM": metrics.ssim(fused, *pair),
        "MS-SSIM": metrics.ms_ssim(fused, *pair),
        "Nabf": metrics.nabf(fused, *pair),
        "PSNR": metrics.psnr(fused, *pair),
        "MSE": metrics.mse(fused, *pair),
    }


@settings(max_examples=25, deadline=None)
@given(st.tuples(*[st.one_of(st.none(), st.sampled_from([0, 1, 100, 255]))] * 3), st.integers(17, 48))
def test_every_metric_is_finite_when_any_image_is_flat(levels: tuple[int | None, ...], side: int) -> None:
    triple = [
        image if level is None else np.full_like(image, level)
        for image, level in zip(random_triple(side, side), levels, strict=True)
    ]
    for protocol, known in PROTOCOLS.items():
        names = [name for name in known if name != "MS-SSIM" or protocol == "standard" or side >= 44]
        values = evaluate_triple(*triple, metrics=names, protocol=protocol)
        assert all(type(value) is float and np.isfinite(value) for value in values.values()), values


RANGES = {
    **{
        "EN": (0, 8),
        "SD": (0, 127.5),
        "SF": (0, 255 * 2**0.5),
        "AG": (0, 300),
        "MI": (0, 16),
        "SCD": (-2, 2),
    },
    **{"CC": (-1, 1), "VIF": (0, np.inf), "Qabf": (0, 1), "SSIM": (-1, 1), "MS-SSIM": (0, 1), "Nabf": (0, 1)},
    **{"PSNR": (0, np.inf), "MSE": (0, 255**2), "FMI": (-1, 1)},
}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([2, 20, 256]), st.integers(17, 30), st.integers(17, 30))
def test_every_metric_keeps_to_its_range(seed: int, levels: int, height: int, width: int) -> None:
    noise = np.random.default_rng(seed).integers(0, levels, (3, height, width), dtype=np.uint8)
    for triple in (noise, noise * (255 // (levels - 1)), noise[[0, 0, 1]], noise[[0, 0, 0]]):
        for name, value in evaluate_triple(*triple, metrics=NAMES).items():
            least, most = RANGES[name]
            assert least - 1e-9 <= value <= most + 1e-9, name


@each_metric
def test_turning_all_images_by_half_a_turn_changes_little(name: str) -> None:
    triple = random_triple(176, 176)
    # VIF's coarser scales take every other pixel from the first on; FMI's positions come in another order
    tolerance = {"VIF": 0.01, "FMI": 0.01}.get(name, 1e-9)
    value = FUSION_METRICS[name](*triple)
    assert FUSION_METRICS[name](*triple[:, ::-1, ::-1]) == pytest.approx(value, abs=tolerance)


@each_metric
def test_swapping_the_sources_changes_nothing(name: str) -> None:
    fused, visible, infrared = random_triple()
    metric = FUSION_METRICS[name]
    assert metric(fused, visible, infrared) == pytest.approx(metric(fused, infrared, visible), abs=1e-12)


@each_metric
def test_views_that_are_not_contiguous_give_the_same_value(name: str) -> None:
    fused, visible, infrared = random_triple(90, 100)[:, ::2, ::2]
    metric = FUSION_METRICS[name]
    copies = (np.ascontiguousarray(image) for image in (fused, visible, infrared))
    assert metric(fused, visible, infrared) == metric(*copies)


@each_metric
@pytest.mark.parametrize(
    ("fused", "message"),
    [
        (
            np.zeros((45, 50, 3), np.uint8),
            r"expected fused as an \(H, W\) uint8 luma array, got \(45, 50, 3\) uint8",
        ),
        (
            np.zeros((45, 50), np.float32),
            r"expected fused as an \(H, W\) uint8 luma array, got \(45, 50\) float32",
        ),
        (np.zeros((45, 50), np.uint16), "uint8 luma array, got .* uint16: convert"),
        (np.zeros((0, 50), np.uint8), r"fused to be at least \d+ x \d+ pixels, got the shape \(0, 50\)"),
        ([[0, 1], [2, 3]], "expected fused as an .* got list"),
    ],
)
def test_a_wrong_fused_image_is_refused_in_one_line(name: str, fused: np.ndarray, message: str) -> None:
    sources = np.zeros((2, 45, 50), np.uint8)
    with pytest.raises(ValueError, match=message) as refused:
        FUSION_METRICS[name](fused, *sources)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("name", NAMES[4:])
def test_sources_of_another_size_or_type_are_refused_by_name(name: str) -> None:
    fused, visible, infrared = random_triple()
    with pytest.raises(ValueError, match=r"infrared .* of fused, \(45, 50\), got \(45, 49\): resize"):
        FUSION_METRICS[name](fused, visible, infrared[:, :-1])
    with pytest.raises(ValueError, match=r"visible as an \(H, W\) uint8 .* got \(45, 50\) int64"):
        FUSION_METRICS[name](fused, visible.astype(np.int64), infrared)


@pytest.mark.parametrize(
    ("name", "side"),
    [("SF", 2), ("AG", 2), ("SSIM", 11), ("MS-SSIM", 11), ("VIF", 17), ("Nabf", 2), ("FMI", 3)],
)
def test_windowed_metrics_say_the_smallest_image_they_can_measure(name: str, side: int) -> None:
    metric = FUSION_METRICS[name]
    assert np.isfinite(metric(*random_triple(side, side)))
    with pytest.raises(ValueError, match=f"expected fused to be at least {side} x {side} pixels"):
        metric(*random_triple(side, side - 1))
