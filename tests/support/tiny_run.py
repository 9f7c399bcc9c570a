"""A data set, records and configs that are small enough to train in a test, and the commands as a user runs them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from record_builders.sources import shapes

ROOT = Path(__file__).parents[2]

# What makes the templates small: 96 pixels, two images a step.
SMALL = {
    "tf1": (
        "ssd_mobilenet_v2_small_192x192",
        "train_config.batch_size=2",
        "model.ssd.image_resizer.fixed_shape_resizer={height: 96 width: 96}",
    ),
    "tf2": (
        "ssd_mobilenet_v2_320x320_keras",
        "train_config.batch_size=2",
        "model.ssd.image_resizer.fixed_shape_resizer={height: 96 width: 96}",
        "model.ssd.feature_extractor.depth_multiplier=0.35",
        "train_config.optimizer.momentum_optimizer.learning_rate={constant_learning_rate {learning_rate: 0.001}}",
    ),
    "faster_rcnn": (
        "faster_rcnn_resnet50",
        "model.faster_rcnn.image_resizer.keep_aspect_ratio_resizer={min_dimension: 96 max_dimension: 128}",
    ),
}


def environment() -> dict[str, str]:
    """The environment of a user's shell in which the package is found."""
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def tfod(command: str, *flags: str, expect: int = 0) -> str:
    """What `tfod COMMAND FLAGS` prints, standard error included; fails unless it exits with `expect`."""
    done = subprocess.run(
        [sys.executable, "-m", f"tfod_tools.{command}", *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
        check=False,
    )
    assert done.returncode == expect, f"exit code {done.returncode}\n{done.stdout[-4000:]}"
    return done.stdout


def make_records(folder: Path, images: int = 12) -> Path:
    """Draws `images` images and makes records of them in `folder`; returns the records' folder."""
    shapes.write_voc(folder / "voc", images)
    tfod("make_records", f"--annotations={folder / 'voc'}", f"--output={folder / 'records'}", "--val_fraction=0.25")
    return folder / "records"


def make_config(records: Path, kind: str, output: Path, *sets: str) -> Path:
    """The small config of `kind`, a key of SMALL, with further `--set` edits; returns its path."""
    template, *edits = SMALL[kind]
    flags = [f"--set={edit}" for edit in (*edits, *sets)]
    tfod("make_config", f"--template={template}", f"--records={records}", f"--output={output}", "--overwrite", *flags)
    return output
