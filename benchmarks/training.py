"""Training by `tfod train` against the engine's own scripts, same config and shims: start-up and step time.

    python benchmarks/training.py [STEPS [ROUNDS [STYLE]]]

The scripts, `model_main` and `model_main_tf2`, do not start on a current TensorFlow without the shims, so they get
them too. In each round the two run in turn, a second each, the other one being stopped, so that a machine whose speed
drifts is the same for both. Times are those that a side ran, read off its own event files, between steps at which both
write summaries: the start-up lasts to the first, less the steps up to it; a step is what passes from there to the last
before the end, divided.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import time_slices

from record_builders.sources import shapes

SCRIPTS = {"tf1": "object_detection.model_main", "tf2": "object_detection.model_main_tf2"}
CONFIGS = {
    "tf1": ("ssd_mobilenet_v2_small_192x192", "train_config.batch_size=4"),
    "tf2": (
        "ssd_mobilenet_v2_320x320_keras",
        "train_config.batch_size=4",
        "model.ssd.image_resizer.fixed_shape_resizer={height: 192 width: 192}",
        "model.ssd.feature_extractor.depth_multiplier=0.35",
        "train_config.optimizer.momentum_optimizer.learning_rate={constant_learning_rate {learning_rate: 0.001}}",
    ),
}


def times(commands: Sequence[time_slices.Sliced], folders: Sequence[Path]) -> list[tuple[float, float]]:
    """Start-up and seconds a step of trainings that have ended, in the same steps of each."""
    sides = [
        {step: command.ran_s(wall) for step, wall in times_by_step(folder).items()}
        for command, folder in zip(commands, folders, strict=True)
    ]
    first, *_, last, _ = sorted(set.intersection(*map(set, sides)))  # the last event is that of the last checkpoint
    steps_s = [(walls[last] - walls[first]) / (last - first) for walls in sides]
    return [(walls[first] - first * step_s, step_s) for walls, step_s in zip(sides, steps_s, strict=True)]


def times_by_step(model_dir: Path) -> dict[int, float]:
    """The time of the first event at each step after 0."""
    from tensorflow.core.util import event_pb2
    from tensorflow.python.lib.io import tf_record

    walls: dict[int, float] = {}
    for path in sorted([*model_dir.glob("events*"), *model_dir.glob("train/events*")]):
        for record in tf_record.tf_record_iterator(str(path)):
            event = event_pb2.Event.FromString(record)
            if event.step:
                walls.setdefault(event.step, event.wall_time)
    return walls


def ours(config: Path, model_dir: Path, steps: int) -> list[str]:
    """The command."""
    flags = [f"--config={config}", f"--model_dir={model_dir}", f"--steps={steps}", f"--checkpoint_every={steps}"]
    return ["-m", "tfod_tools.train", *flags]


def theirs(style: str, config: Path, model_dir: Path, steps: int) -> list[str]:
    """The engine's script under the shims."""
    code = (
        f"from tfod_tools.engine import shims; shims.apply({style!r}); import runpy;"
        f"runpy.run_module({SCRIPTS[style]!r}, run_name='__main__', alter_sys=True)"
    )
    return ["-c", code, f"--pipeline_config_path={config}", f"--model_dir={model_dir}", f"--num_train_steps={steps}"]


def main() -> None:
    """Prints start-up and step time of both, and their ratio: minimum, median, maximum."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 5
    styles = sys.argv[3:] or list(SCRIPTS)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        shapes.write_voc(root / "voc", 60)
        tool("make_records", f"--annotations={root / 'voc'}", f"--output={root / 'records'}")
        for style in styles:
            config = root / f"{style}.config"
            template, *edits = CONFIGS[style]
            sets = [f"--set={edit}" for edit in edits]
            tool("make_config", f"--template={template}", f"--records={root / 'records'}", f"--output={config}", *sets)
            pairs = []
            for number in range(rounds):
                folders = root / f"{style}-ours-{number}", root / f"{style}-theirs-{number}"
                argvs = ours(config, folders[0], steps), theirs(style, config, folders[1], steps)
                sides = [
                    time_slices.Sliced([sys.executable, *argv], folder.with_suffix(".log"))
                    for argv, folder in zip(argvs, folders, strict=True)
                ]
                time_slices.run(*sides[:: -1 if number % 2 else 1])
                pairs.append(times(sides, folders))
            print(f"{style}: {steps} steps, {rounds} rounds: minimum, median, maximum")
            for index, what in enumerate(("start-up, s", "a step, s")):
                ours_s, theirs_s = ([side[index] for side in pair] for pair in zip(*pairs, strict=True))
                show(f"{what}, tfod train", ours_s)
                show(f"{what}, {SCRIPTS[style]}", theirs_s)
                show("ratio", [a / b for a, b in zip(ours_s, theirs_s, strict=True)])


def tool(command: str, *flags: str) -> None:
    """Runs a command of this package."""
    subprocess.run([sys.executable, "-m", f"tfod_tools.{command}", *flags], check=True, stdout=subprocess.DEVNULL)


def show(name: str, values: list[float]) -> None:
    """Prints a line of figures."""
    print(f"  {name:<45}{min(values):>9.4f}{statistics.median(values):>9.4f}{max(values):>9.4f}")


if __name__ == "__main__":
    main()
