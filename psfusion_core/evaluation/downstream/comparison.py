"""Runs every input, segmenter and seed of a recipe. Finished runs are kept, interrupted ones continue."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import torch

from psfusion_core.evaluation.downstream.comparison_report import Results, write_report
from psfusion_core.evaluation.downstream.downstream_config import DownstreamConfig
from psfusion_core.evaluation.downstream.learning_curves import draw_curves
from psfusion_core.evaluation.downstream.run_folder import RunFolder, run_recipe
from psfusion_core.evaluation.downstream.segmentation_run import SegmentationRun
from psfusion_core.evaluation.downstream.segmenter_inputs import (
    check_input,
    find_fused,
    fused_folder,
    parse_input,
    with_input_images,
)
from psfusion_core.evaluation.downstream.simulated_drives import render_drives
from psfusion_core.training.data.label_sets import LABEL_SETS
from psfusion_core.training.data.sources import FolderSource
from psfusion_core.training.data_parallel import create_fabric
from psfusion_core.training.recipe import ConfigError


def compare(config: DownstreamConfig) -> Results:
    """Check that all inputs exist, then train and test every run of a recipe.

    ``config.output`` receives a folder for each run, ``SEGMENTER/INPUT/seed_N``. After each run, the tables
    of all finished runs are written, and after the last one ``curves.png``.

    Raises:
        ConfigError: The folder has runs of another recipe, or several processes were started.
        FileNotFoundError, ValueError: Data are missing or do not fit. The message names the file.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) > 1:
        raise ConfigError("a comparison is one process: share its segmenters or seeds between several")
    choices = [parse_input(entry) for entry in config.inputs]
    for choice in choices:
        check_input(choice)
    output = Path(config.output)
    output.mkdir(parents=True, exist_ok=True)
    if config.threads:
        torch.set_num_threads(config.threads)
    train, test = open_sources(config, output)
    for fused in filter(None, map(fused_folder, choices)):
        find_fused(train, fused)
        find_fused(test, fused)
    fabric = create_fabric(config.device, config.precision)
    results = Results(LABEL_SETS[config.labels], [choice.name for choice in choices])
    for choice in choices:
        train_input = with_input_images(train, choice, output / "fused", config.device)
        test_input = with_input_images(test, choice, output / "fused", config.device)
        data = [train_input.summary(), test_input.summary()]
        for segmenter in config.segmenters:
            for seed in config.seeds:
                path = output / segmenter / choice.name / f"seed_{seed}"
                folder = RunFolder(path, run_recipe(config, segmenter, seed), data)
                confusion = folder.result()
                if confusion is None:
                    run = SegmentationRun(config, segmenter, seed, train_input, test_input, folder, fabric)
                    confusion = run.run()
                results.add(segmenter, choice.name, seed, confusion)
                write_report(results, output)
    draw_curves(output, config.segmenters, results.inputs, config.seeds)
    return results


def open_sources(config: DownstreamConfig, output: Path) -> tuple[FolderSource, FolderSource]:
    """Read the training and test pairs into memory. Simulated pairs are rendered first.

    Raises:
        ConfigError: No training pair or no test pair is labelled.
    """
    sources = config.train, config.test
    if config.train.layout == "simulator":
        sources = render_drives(config.drives, output / "drives")
    train, test = (FolderSource(source, config.labels) for source in sources)
    for name, source in (("training", train), ("test", test)):
        if not source.summary()["labelled"]:
            raise ConfigError(f"no {name} pair of {source.config.path} is labelled")
        if any(record.label is None for record in source.records):
            print(
                f"{source.config.path}: some {name} labels were predicted by a network or made from boxes, "
                "not drawn: weak evidence",
                file=sys.stderr,
            )
    return train, test
