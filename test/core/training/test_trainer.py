"""The training loop: exact resume, the best weights, several processes, and weights that fuse."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from omegaconf import OmegaConf

from psfusion_core import Fuser
from psfusion_core.cameras.image_files import write_image
from psfusion_core.models.weight_files import read_metadata
from psfusion_core.training.recipe import ConfigError
from psfusion_core.training.trainer import Trainer
from psfusion_core.training.training_config import SourceConfig, TeacherConfig, TrainConfig

ROOT = Path(__file__).parents[3]
MakeConfig = Callable[..., TrainConfig]


@pytest.fixture(autouse=True)
def log_every_step(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("psfusion_core.training.trainer.LOG_EVERY", 1)


def losses(run: Path) -> np.ndarray:
    return np.loadtxt(run / "losses.csv", delimiter=",", skiprows=1)


def test_a_run_that_was_killed_resumes_with_the_losses_of_an_unbroken_one(
    small_config: MakeConfig, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Trainer(small_config("whole")).run()
    killed = Trainer(small_config("halves"))
    step = killed.train_step

    def until_step_3(windows: list[torch.Tensor]) -> tuple[dict[str, torch.Tensor], dict[str, float]]:
        if killed.step == 3:  # the third step was taken after the last checkpoint, and is lost
            raise KeyboardInterrupt
        return step(windows)

    monkeypatch.setattr(killed, "train_step", until_step_3)
    with pytest.raises(KeyboardInterrupt):
        killed.run()
    assert losses(tmp_path / "halves")[:, 0].tolist() == [1, 2, 3]
    resumed = Trainer(small_config("halves"))
    assert resumed.step == 2
    resumed.run()
    assert losses(tmp_path / "whole")[:, 0].tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(losses(tmp_path / "halves"), losses(tmp_path / "whole"), atol=1e-5)
    whole, halves = (
        torch.load(tmp_path / run / "state.pt", weights_only=True) for run in ("whole", "halves")
    )
    for part in ("model", "average"):
        for name, tensor in whole[part].items():
            torch.testing.assert_close(halves[part][name], tensor, atol=1e-6, rtol=1e-5)


def test_a_run_that_was_killed_hard_ends_with_the_weights_of_an_unbroken_one(
    small_config: MakeConfig, tmp_path: Path
) -> None:
    Trainer(small_config("whole", steps=20, checkpoint_every=4)).run()
    recipe = tmp_path / "killed.yaml"
    OmegaConf.save(OmegaConf.structured(small_config("killed", steps=20, checkpoint_every=4)), recipe)
    command = [sys.executable, "-m", "psfusion_core.cli", "train", "--config", str(recipe)]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL)
    while not (tmp_path / "killed/state.pt").exists() and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.wait()
    reached = torch.load(tmp_path / "killed/state.pt", weights_only=True)["step"]
    assert 4 <= reached < 20
    subprocess.run(command, env=environment, check=True, stderr=subprocess.DEVNULL)
    whole, killed = (
        torch.load(tmp_path / run / "state.pt", weights_only=True) for run in ("whole", "killed")
    )
    assert killed["step"] == 20
    for name, tensor in whole["average"].items():
        torch.testing.assert_close(killed["average"][name], tensor, atol=1e-4, rtol=1e-3)


def test_a_run_does_not_go_on_with_another_recipe_unless_allowed(small_config: MakeConfig) -> None:
    Trainer(small_config(steps=2)).run()
    with pytest.raises(ConfigError, match=r"learning_rate 0\.001, now 0\.1"):
        Trainer(small_config(learning_rate=0.1))
    assert Trainer(small_config(learning_rate=0.1, allow_changes=True)).step == 2
    assert Trainer(small_config(steps=9)).step == 2
    with pytest.raises(ConfigError, match=r"optimizer adamw, now sgd: choose another"):
        Trainer(small_config(optimizer="sgd", allow_changes=True))


def test_a_run_does_not_go_on_with_other_data(small_config: MakeConfig, pairs: Path) -> None:
    Trainer(small_config(steps=2)).run()
    assert Trainer(small_config()).step == 2
    write_image(pairs / "vi/b.png", np.zeros((80, 96, 3), np.uint8))
    with pytest.raises(ConfigError, match=r"data of .* changed"):
        Trainer(small_config())
    assert Trainer(small_config(allow_changes=True)).step == 2


def test_workers_bring_the_same_batches_in_the_same_order(small_config: MakeConfig) -> None:
    alone, together = (Trainer(small_config(f"{n}", workers=n)).batches.windows(3) for n in (0, 2))
    for _ in range(5):
        assert torch.equal(next(alone), next(together))


def test_accumulated_batches_make_the_step_of_two_processes(small_config: MakeConfig, tmp_path: Path) -> None:
    """Two gloo processes see what one sees that accumulates two batches, and so have its losses."""
    plain = {"optimizer": "sgd", "learning_rate": 1e-3, "warmup_steps": 0, "gradient_clip": 0.0, "threads": 1}
    threads = torch.get_num_threads()
    try:  # sums in another order, over more threads, grow apart within steps
        Trainer(small_config("one", accumulate=2, **plain)).run()
    finally:
        torch.set_num_threads(threads)
    recipe = tmp_path / "two.yaml"
    OmegaConf.save(OmegaConf.structured(small_config("two", **plain)), recipe)
    program = (
        "import sys, psfusion_core.training.trainer as t; t.LOG_EVERY = 1; "
        "from psfusion_core.training.training_config import load_config; "
        "t.Trainer(load_config(sys.argv[1])).run()"
    )
    script = tmp_path / "train.py"
    script.write_text(program)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    environment = {
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": str(ROOT),
        "GLOO_SOCKET_IFNAME": "lo",
    }
    done = subprocess.run(
        [*command, str(script), str(recipe)], env=environment, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]
    one, two = losses(tmp_path / "one"), losses(tmp_path / "two")
    assert two[:, 0].tolist() == [1, 2, 3, 4]
    np.testing.assert_allclose(two, one, rtol=1e-2, atol=1e-3)
    states = [torch.load(tmp_path / run / "state.pt", weights_only=True)["model"] for run in ("one", "two")]
    start = dict(Trainer(small_config("start")).model.module.named_parameters())
    moved = sum((states[0][name] - tensor).square().sum() for name, tensor in start.items())
    apart = sum((states[1][name] - states[0][name]).square().sum() for name in start)
    assert apart < 0.05**2 * moved
    entry = (tmp_path / "two/runs.jsonl").read_text()
    assert entry.count("\n") == 1
    assert '"world_size": 2' in entry


def test_the_best_weights_are_those_with_the_least_validation_loss(
    small_config: MakeConfig, pairs: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers = iter([3.0, 1.0, 2.0, 4.0])
    monkeypatch.setattr(
        "psfusion_core.training.validation.Validation.measure",
        lambda *_: {"loss": next(answers), "mean_iou": 0.5},
    )
    Trainer(small_config(validation=SourceConfig(path=str(pairs)), validate_every=1)).run()
    assert read_metadata(tmp_path / "run/best.safetensors")["steps"] == "2"
    assert read_metadata(tmp_path / "run/last.safetensors")["steps"] == "4"


@pytest.mark.parametrize("objective", ["blend", "paper"])
def test_training_lowers_the_loss_and_its_weights_fuse(
    small_config: MakeConfig, no_variation: dict[str, object], tmp_path: Path, objective: str
) -> None:
    trainer = Trainer(small_config(steps=15, objective=objective, **no_variation))
    window = next(trainer.batches.windows())
    first, *_, last = (float(trainer.train_step([window])[0]["reconstruction"]) for _ in range(15))
    assert last < first
    trainer.save()
    assert read_metadata(tmp_path / "run/last.safetensors")["classes"].startswith("unlabelled,car,person")
    fuser = Fuser(weights=tmp_path / "run/last.safetensors", device="cpu", engine="torch")
    assert fuser(np.zeros((40, 50, 3), np.uint8), np.zeros((40, 50), np.uint8)).mask.shape == (40, 50)


def test_the_published_network_trains_with_its_recipe(small_config: MakeConfig, tmp_path: Path) -> None:
    config = small_config(
        model="psfusion",
        objective="paper",
        optimizer="sgd",
        steps=1,
        batch_size=2,
        crop=32,
        precision="bf16-mixed",
    )
    Trainer(config).run()
    assert np.isfinite(losses(tmp_path / "run")).all()
    assert (tmp_path / "run/last.safetensors").stat().st_size > 90e6


def test_another_label_set_has_its_own_classes(small_config: MakeConfig, pairs: Path, tmp_path: Path) -> None:
    for kind, name in (("vi", "rgb"), ("ir", "thermal"), ("label_pseudo", "labels")):
        (pairs / kind).rename(pairs / name)
    source = [SourceConfig(path=str(pairs), layout="pst900")]
    with pytest.raises(ValueError, match=r"a\.png: a label has class 5; pst900 has 5 classes"):
        Trainer(small_config(sources=source, labels="pst900"))
    (pairs / "labels/a.png").unlink()
    (pairs / "labels").rmdir()
    trainer = Trainer(small_config(sources=source, labels="pst900", steps=2))
    trainer.run()
    fuser = Fuser(weights=tmp_path / "run/last.safetensors", device="cpu", engine="torch")
    assert fuser(np.zeros((40, 50, 3), np.uint8), np.zeros((40, 50), np.uint8)).mask.max() < 5


def test_a_teacher_labels_what_has_no_label_and_nothing_else(small_config: MakeConfig) -> None:
    plain = Trainer(small_config("plain")).batches.sources[0].scenes
    all_of_it = TeacherConfig(weights=["default"], background_confidence=0, object_confidence=0, weight=0.25)
    taught = Trainer(small_config("taught", teacher=all_of_it)).batches.sources[0].scenes
    assert torch.equal(taught[0], plain[0])
    assert (plain[1][4] == 255).all()
    assert (taught[1][4] <= 8).float().mean() > 0.5
    assert (taught[1][5] == 16).all()
    sure = TeacherConfig(weights=["default"], background_confidence=1, object_confidence=1)
    unsure = Trainer(small_config("unsure", teacher=sure)).batches.sources[0].scenes
    assert (unsure[1][4] == 255).float().mean() > 0.99


def test_a_loss_that_is_not_finite_stops_the_run(small_config: MakeConfig) -> None:
    trainer = Trainer(small_config())
    with torch.no_grad():
        next(trainer.model.parameters()).fill_(float("nan"))
    with pytest.raises(ValueError, match="lower learning_rate"):
        trainer.run()
