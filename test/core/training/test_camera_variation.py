"""CameraVariation: which images each effect changes, how often, and what the reference shows."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
import torch
from augmentation_checks import assert_matches, generator
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from psfusion_core.training.augmentation.augmentation_settings import CameraSettings
from psfusion_core.training.augmentation.camera_variation import CameraVariation
from psfusion_core.training.data.scene_planes import Batch

BATCH, HEIGHT, WIDTH = 4, 40, 48
NEVER = {name: 0.0 for name in asdict(CameraSettings()) if name.endswith("probability")}
EFFECTS = sorted(NEVER)
VISIBLE_EFFECTS = {"exposure_probability", "darkness_probability", "glare_probability"}


def random_batch(device: str = "cpu") -> Batch:
    def image(channels: int) -> Tensor:
        return 0.2 + 0.6 * torch.rand(BATCH, channels, HEIGHT, WIDTH, generator=generator(channels))

    return Batch(
        visible=image(3).to(device),
        infrared=image(1).to(device),
        label=torch.randint(9, (BATCH, HEIGHT, WIDTH), generator=generator()).to(device),
        weight=torch.rand(BATCH, HEIGHT, WIDTH, generator=generator()).to(device),
        salient=torch.rand(BATCH, 1, HEIGHT, WIDTH, generator=generator()).to(device),
    )


def only(*effects: str) -> CameraVariation:
    return CameraVariation(CameraSettings(**{**NEVER, **dict.fromkeys(effects, 1.0)}))


def equal(first: Batch, second: Batch) -> bool:
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def items_changed(before: Tensor, after: Tensor) -> list[bool]:
    return (before != after).flatten(1).any(dim=1).tolist()


def test_with_every_probability_zero_a_batch_passes_bit_for_bit() -> None:
    batch = random_batch()
    seen, reference = only().vary(batch, generator())
    assert equal(seen, batch)
    assert equal(reference, batch)


@pytest.mark.parametrize("effect", EFFECTS)
def test_an_effect_of_probability_one_changes_every_item_that_the_network_sees(effect: str) -> None:
    batch = random_batch()
    seen, _ = only(effect).vary(batch, generator())
    varied = effect in VISIBLE_EFFECTS
    assert items_changed(batch.visible, seen.visible) == [varied] * BATCH
    assert items_changed(batch.infrared, seen.infrared) == [not varied] * BATCH


@pytest.mark.parametrize(
    "effect",
    [
        "exposure_probability",
        "glare_probability",
        "misregistration_probability",
        "infrared_gain_probability",
        "enhancement_probability",
        "narrowing_probability",
    ],
)
def test_what_the_cameras_made_of_the_light_is_also_in_the_reference(effect: str) -> None:
    seen, reference = only(effect).vary(random_batch(), generator())
    assert equal(seen, reference)


@pytest.mark.parametrize("effect", ["inversion_probability", "infrared_noise_probability"])
def test_noise_and_black_hot_polarity_are_not_in_the_reference(effect: str) -> None:
    batch = random_batch()
    _, reference = only(effect).vary(batch, generator())
    assert equal(reference, batch)


def test_the_reference_is_dim_where_it_is_dark_but_has_no_noise() -> None:
    batch = random_batch()
    batch.visible[:] = 0.5
    seen, reference = only("darkness_probability").vary(batch, generator())
    levels = reference.visible.flatten(1)
    assert (levels.std(dim=1) < 1e-6).all()
    assert (levels.mean(dim=1) < 0.3).all()
    assert (seen.visible.flatten(1).std(dim=1) > 0.005).all()
    np.testing.assert_allclose(seen.visible.flatten(1).mean(dim=1), levels.mean(dim=1), atol=0.02)


def test_glare_saturates_a_spot_in_every_item_and_veils_the_rest() -> None:
    batch = random_batch()
    seen, _ = only("glare_probability").vary(batch, generator())
    assert (seen.visible.amax((1, 2, 3)) == 1).all()
    assert (seen.visible >= batch.visible).all()
    assert (seen.visible < 1).flatten(1).float().mean(dim=1).min() > 0.5


def test_electronics_act_on_the_misplaced_infrared_image() -> None:
    batch = random_batch()
    _, alone = only("misregistration_probability").vary(batch, generator())
    seen, reference = CameraVariation(
        CameraSettings(
            **{
                **NEVER,
                "misregistration_probability": 1.0,
                "infrared_gain_probability": 1.0,
                "infrared_gain_stops": 0.0,
                "infrared_offset": 0.0,
            }
        )
    ).vary(batch, generator())
    assert torch.equal(reference.infrared, alone.infrared)
    torch.testing.assert_close(seen.infrared, reference.infrared)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.sampled_from([0.0, 1.0]))
def test_all_effects_together_stay_in_range_and_leave_labels_alone(seed: int, extreme: float) -> None:
    batch = random_batch()
    batch.visible[0], batch.infrared[0] = extreme, extreme
    before = Batch(*(tensor.clone() for tensor in batch))
    for varied in only(*EFFECTS).vary(batch, generator(seed)):
        for image in (varied.visible, varied.infrared):
            assert image.isfinite().all()
            assert image.min() >= 0
            assert image.max() <= 1
        assert equal(varied._replace(visible=batch.visible, infrared=batch.infrared), before)
    assert equal(batch, before)


def test_items_are_varied_independently_as_often_as_their_probability() -> None:
    batch = Batch(*(tensor[:1].expand(400, *tensor.shape[1:])[..., :4, :4] for tensor in random_batch()))
    variation = CameraVariation(CameraSettings(**{**NEVER, "exposure_probability": 0.3}))
    seen, _ = variation.vary(batch, generator())
    changed = torch.tensor(items_changed(batch.visible, seen.visible))
    assert 0.2 < changed.float().mean() < 0.4
    assert len(seen.visible[changed].flatten(1).unique(dim=0)) == changed.sum()


def test_the_same_seed_gives_the_same_variation_and_another_seed_another() -> None:
    batch, variation = random_batch(), only(*EFFECTS)
    first, again = variation.vary(batch, generator(8)), variation.vary(batch, generator(8))
    assert all(equal(a, b) for a, b in zip(first, again, strict=True))
    other, _ = variation.vary(batch, generator(9))
    assert not torch.equal(first[0].visible, other.visible)
    assert not torch.equal(first[0].infrared, other.infrared)


def test_variation_stays_on_the_device_of_the_sample() -> None:
    for varied in only(*EFFECTS).vary(random_batch("meta"), generator()):
        assert {tensor.device.type for tensor in varied} == {"meta"}


def test_inversion_makes_hot_black() -> None:
    batch = random_batch()
    seen, _ = only("inversion_probability").vary(batch, generator())
    assert_matches(seen.infrared, 1 - batch.infrared.double().numpy())


def test_infrared_pattern_is_columns_and_rows_as_strong_as_the_settings_say() -> None:
    batch = random_batch()
    batch.infrared[:] = 0.5
    strength = {"infrared_noise_probability": 1.0, "infrared_noise": 0.0, "infrared_pattern": 0.04}
    seen, _ = CameraVariation(CameraSettings(**{**NEVER, **strength})).vary(batch, generator())
    noise = seen.infrared - 0.5
    rows, columns = noise.mean(dim=-1, keepdim=True), noise.mean(dim=-2, keepdim=True)
    assert (rows.flatten(1).std(dim=1) > 1e-4).all()
    assert (columns.flatten(1).std(dim=1) > 1e-4).all()
    torch.testing.assert_close(noise, rows + columns - noise.mean((-2, -1), True), atol=1e-5, rtol=0)
    spread = noise.flatten(1).std(dim=1)
    assert (spread < 2.0 * 0.04).all()
    assert spread.max() > 0.005
