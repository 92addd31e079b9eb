"""Metrics of batches in PyTorch against those of one triple at a time."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from psfusion_core.metrics import FUSION_METRICS, evaluate_triple
from psfusion_core.metrics.batched import BATCHED_METRICS, evaluate_batch

Triple = tuple[np.ndarray, np.ndarray, np.ndarray]


def stack(triples: list[Triple]) -> list[torch.Tensor]:
    return [torch.from_numpy(np.stack(images)) for images in zip(*triples, strict=True)]


def assert_agree(values: dict[str, torch.Tensor], triples: list[Triple]) -> None:
    singly = [evaluate_triple(*triple) for triple in triples]
    assert list(values) == list(singly[0])
    for name, batch in values.items():
        assert batch.dtype == torch.float64
        expected = [one[name] for one in singly]
        assert batch.tolist() == pytest.approx(expected, rel=1e-9, abs=1e-9), name


def test_every_fast_metric_is_there_in_the_order_of_tables() -> None:
    assert list(BATCHED_METRICS) == [name for name, metric in FUSION_METRICS.items() if metric.is_fast]


def test_batches_agree_with_single_triples(triples: list[Triple]) -> None:
    for shape in {triple[0].shape for triple in triples}:
        same = [triple for triple in triples if triple[0].shape == shape]
        assert_agree(evaluate_batch(*stack(same)), same)


@pytest.mark.parametrize("side", [17, 24, 25, 33, 41])
def test_small_images_use_the_scales_that_fit(side: int) -> None:
    noise = np.random.default_rng(side).integers(0, 256, (2, 3, side, side + 2), dtype=np.uint8)
    triples = [tuple(triple) for triple in noise]
    assert_agree(evaluate_batch(*stack(triples)), triples)


def test_all_five_scales_agree() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (3, 165, 170), dtype=np.uint8)
    triples = [tuple(noise)]
    assert_agree(evaluate_batch(*stack(triples)), triples)


@pytest.mark.parametrize(
    "levels", [(0, 0, 0), (9, 9, 9), (0, 100, 255), (7, None, 7), (None, 3, 4), (5, None, None)]
)
def test_flat_images_have_the_values_of_single_triples(levels: tuple[int | None, ...]) -> None:
    noise = np.random.default_rng(2).integers(0, 256, (3, 45, 50), dtype=np.uint8)
    triple = tuple(
        image if level is None else np.full_like(image, level)
        for image, level in zip(noise, levels, strict=True)
    )
    # beside a triple that is not flat, so that one image must not spoil the next
    assert_agree(evaluate_batch(*stack([triple, tuple(noise)])), [triple, tuple(noise)])


def test_a_channel_of_one_changes_nothing(triples: list[Triple]) -> None:
    images = stack(triples[:1])
    with_channel = evaluate_batch(*(image.unsqueeze(1) for image in images))
    assert {name: value.tolist() for name, value in with_channel.items()} == {
        name: value.tolist() for name, value in evaluate_batch(*images).items()
    }


def test_chosen_metrics_come_alone_and_need_no_larger_images_than_they_do() -> None:
    images = torch.zeros(3, 2, 4, 5, dtype=torch.uint8)
    assert list(evaluate_batch(*images, metrics=["MSE", "EN"])) == ["EN", "MSE"]


@pytest.mark.parametrize(
    ("fused", "message"),
    [
        (torch.zeros(2, 3, 45, 50, dtype=torch.uint8), r"got \(2, 3, 45, 50\) torch.uint8; convert colour"),
        (
            torch.zeros(45, 50, dtype=torch.uint8),
            r"fused must be a \(B, H, W\) or .* got \(45, 50\) torch.uint8",
        ),
        (torch.zeros(2, 45, 50), r"uint8 luma tensor, got \(2, 45, 50\) torch.float32"),
        (np.zeros((2, 45, 50), np.uint8), "uint8 luma tensor, got ndarray"),
        (torch.zeros(0, 45, 50, dtype=torch.uint8), "fused must be one or more images of at least 17 x 17"),
        (torch.zeros(2, 16, 50, dtype=torch.uint8), r"at least 17 x 17 pixels, got \(2, 16, 50\)"),
        (
            torch.zeros(2, 45, 51, dtype=torch.uint8),
            r"visible is \(2, 45, 50\) on cpu but fused is \(2, 45, 51\)",
        ),
        (
            torch.zeros(1, 45, 50, dtype=torch.uint8),
            r"visible is \(2, 45, 50\) on cpu but fused is \(1, 45, 50\)",
        ),
        (torch.zeros(2, 45, 50, dtype=torch.uint8, device="meta"), "visible .* on cpu but fused .* on meta"),
    ],
)
def test_wrong_images_are_refused_in_one_line(fused: torch.Tensor, message: str) -> None:
    sources = torch.zeros(2, 2, 45, 50, dtype=torch.uint8)
    with pytest.raises(ValueError, match=message) as refused:
        evaluate_batch(fused, *sources)
    assert "\n" not in str(refused.value)


def test_an_unknown_metric_is_refused_with_those_that_exist() -> None:
    with pytest.raises(ValueError, match=r"metrics must be of EN, SD, .*, MSE, got FMI$"):
        evaluate_batch(*torch.zeros(3, 2, 45, 50, dtype=torch.uint8), metrics=["FMI", "EN"])


def test_metrics_of_single_triples_do_not_load_torch() -> None:
    code = "import sys, psfusion_core.metrics; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
