"""Metrics of a batch of images against those of one image at a time, on every device there is."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from psfusion_core.metrics import FUSION_METRICS, PROTOCOLS, entropy, evaluate_batch, evaluate_triple, qabf

Triple = tuple[np.ndarray, np.ndarray, np.ndarray]
DEVICES = ["cpu", *(["cuda"] if torch.cuda.is_available() else [])]
each_device = pytest.mark.parametrize("device", DEVICES)
each_protocol = pytest.mark.parametrize("protocol", PROTOCOLS)


def stack(triples: list[Triple], device: str = "cpu") -> list[torch.Tensor]:
    return [torch.from_numpy(np.stack(images)).to(device) for images in zip(*triples, strict=True)]


def assert_agree(triples: list[Triple], device: str, protocol: str = "standard", without: str = "") -> None:
    names = [name for name in PROTOCOLS[protocol] if name != without]
    values = evaluate_batch(*stack(triples, device), names, protocol)
    singly = [evaluate_triple(*triple, names, protocol) for triple in triples]
    assert list(values) == names
    for name, batch in values.items():
        assert batch.dtype == torch.float64
        assert batch.device.type == device
        expected = [one[name] for one in singly]
        assert batch.tolist() == pytest.approx(expected, rel=1e-9, abs=1e-9), name


@each_device
@each_protocol
def test_batches_agree_with_single_triples(triples: list[Triple], protocol: str, device: str) -> None:
    for shape in {triple[0].shape for triple in triples}:
        assert_agree([triple for triple in triples if triple[0].shape == shape], device, protocol)


@each_device
@pytest.mark.parametrize("side", [17, 24, 25, 33, 41])
def test_small_images_use_the_scales_that_fit(side: int, device: str) -> None:
    noise = np.random.default_rng(side).integers(0, 256, (2, 3, side, side + 2), dtype=np.uint8)
    assert_agree([tuple(triple) for triple in noise], device)
    assert_agree([tuple(triple) for triple in noise], device, "tang2022", without="MS-SSIM")


@each_device
def test_all_five_scales_agree(device: str) -> None:
    noise = np.random.default_rng(1).integers(0, 256, (2, 3, 165, 170), dtype=np.uint8)
    assert_agree([tuple(triple) for triple in noise], device)


@each_device
@each_protocol
@pytest.mark.parametrize(
    "levels", [(0, 0, 0), (9, 9, 9), (0, 100, 255), (7, None, 7), (None, 3, 4), (5, None, None)]
)
def test_flat_images_have_the_values_of_single_triples(
    levels: tuple[int | None, ...], protocol: str, device: str
) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (3, 45, 50), dtype=np.uint8)
    triple = tuple(
        image if level is None else np.full_like(image, level)
        for image, level in zip(noise, levels, strict=True)
    )
    # beside a triple that is not flat, so that one image must not spoil the next
    assert_agree([triple, tuple(noise)], device, protocol)


@each_device
@each_protocol
def test_the_same_batch_gives_the_same_values_to_the_last_digit(
    triples: list[Triple], protocol: str, device: str
) -> None:
    images = stack(triples[::4], device)
    first, second = (evaluate_batch(*images, PROTOCOLS[protocol], protocol) for _ in range(2))
    assert {name: value.tolist() for name, value in first.items()} == {
        name: value.tolist() for name, value in second.items()
    }


def test_functions_take_batches_too(triples: list[Triple]) -> None:
    fused, visible, infrared = stack(triples[::4])
    assert entropy(fused).tolist() == [entropy(image.numpy()) for image in fused]
    assert qabf(fused=fused, visible=visible, infrared=infrared).shape == (3,)


def test_chosen_metrics_come_alone_and_need_no_larger_images_than_they_do() -> None:
    images = torch.zeros(3, 2, 4, 5, dtype=torch.uint8)
    assert list(evaluate_batch(*images, metrics=["MSE", "EN"])) == ["EN", "MSE"]


def test_fast_metrics_are_computed_by_default() -> None:
    images = torch.zeros(3, 2, 20, 20, dtype=torch.uint8)
    assert list(evaluate_batch(*images)) == [
        name for name, metric in FUSION_METRICS.items() if metric.is_fast
    ]


@pytest.mark.parametrize(
    ("fused", "message"),
    [
        (torch.zeros(2, 3, 45, 50, dtype=torch.uint8), r"got \(2, 3, 45, 50\) torch.uint8: convert colour"),
        (
            torch.zeros(45, 50, dtype=torch.uint8),
            r"expected fused as a \(B, H, W\) .* got \(45, 50\) torch.uint8",
        ),
        (torch.zeros(2, 45, 50), r"uint8 luma tensor, got \(2, 45, 50\) torch.float32"),
        (np.zeros((45, 50), np.uint8), r"expected visible as an .* array, got \(2, 45, 50\) torch.uint8"),
        (torch.zeros(0, 45, 50, dtype=torch.uint8), "fused to be one or more images of at least 17 x 17"),
        (torch.zeros(2, 16, 50, dtype=torch.uint8), r"at least 17 x 17 pixels, got the shape \(2, 16, 50\)"),
        (torch.zeros(2, 45, 51, dtype=torch.uint8), r"visible .* of fused, \(2, 45, 51\), got \(2, 45, 50\)"),
        (torch.zeros(1, 45, 50, dtype=torch.uint8), r"visible .* of fused, \(1, 45, 50\), got \(2, 45, 50\)"),
        (torch.zeros(2, 45, 50, dtype=torch.uint8, device="meta"), "device of fused, meta, got cpu"),
    ],
)
def test_wrong_images_are_refused_in_one_line(fused: torch.Tensor, message: str) -> None:
    sources = torch.zeros(2, 2, 45, 50, dtype=torch.uint8)
    with pytest.raises(ValueError, match=message) as refused:
        evaluate_batch(fused, *sources, metrics=["VIF"])
    assert "\n" not in str(refused.value)


def test_an_unknown_metric_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r"metrics must be of EN, SD, .*, MSE in protocol .*, got FMI$"):
        evaluate_batch(*torch.zeros(3, 2, 45, 50, dtype=torch.uint8), ["FMI", "EN"], "tang2022")
