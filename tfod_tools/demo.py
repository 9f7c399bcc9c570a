"""Run all steps on made-up data: annotations, records, config, training, metrics, frozen graph, pictures.

    tfod demo [--output=demo_output]

Draws images of four kinds of shapes with Pascal VOC annotations. Then runs the commands that you would run, and shows
each of them first. At the end it shows AP50 on the validation split, the time of each stage, and where the results are.

--json prints `AP50`, `AP`, `seconds` (of each stage), `output` (the folder) and `picture` (one with boxes); with
--dry_run, `commands`, the words of each command.

Exit codes: 0 fine; if a stage fails, the exit code of that stage.
"""

from __future__ import annotations

import functools
import json
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from absl import flags

from tfod_tools import app
from tfod_tools.base import files, output, tables
from tfod_tools.base.errors import TfodError, UsageError

FLAGS = app.Flags("output")
_OUTPUT = flags.DEFINE_string(
    "output", "demo_output", "Folder to make. An earlier demo in it is replaced.", flag_values=FLAGS
)
_TEMPLATE = flags.DEFINE_string("template", "ssd_mobilenet_v2_small_192x192", "Config template.", flag_values=FLAGS)
_IMAGES = flags.DEFINE_integer(
    "images", 750, "Images to draw. A fifth is for validation.", lower_bound=10, flag_values=FLAGS
)
_STEPS = flags.DEFINE_integer(
    "steps", None, "Training steps (default: the template's).", lower_bound=1, flag_values=FLAGS
)
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "Show the commands. Run none.", flag_values=FLAGS)

_MARK = "demo.json"
_MADE_BY = "tfod_tools.demo"
_MADE = ("voc", "unseen", "unseen_voc", "records", "pipeline.config", "model", "metrics.json", "export", "found")
_SHOWN_PICTURES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One command of the demo.

    Attributes:
      name: what it makes, in one word.
      command: the command and its arguments, without `tfod`.
      makes: where the result is.
    """

    name: str
    command: tuple[str, ...]
    makes: Path


def main(arguments: Sequence[str]) -> int:
    """Draws the data, runs the stages, and shows the result."""
    app.no_arguments(arguments)
    folder = files.local_path(_OUTPUT.value)
    todo = stages(folder, _TEMPLATE.value, _STEPS.value)
    if _DRY_RUN.value:
        output.say(*(_shown(stage) for stage in todo))
        output.answer({"commands": [["tfod", *stage.command] for stage in todo]})
        return 0
    seconds = {"images and annotations": _timed(lambda: _draw(folder, _IMAGES.value))}
    for stage in todo:
        output.say(f"\n$ {_shown(stage)}")
        sys.stdout.flush()  # before the command prints
        seconds[stage.name] = _timed(functools.partial(_run, stage))
    _summary(folder, todo, seconds)
    return 0


def stages(folder: Path, template: str, steps: int | None) -> list[Stage]:
    """The commands from annotations to pictures, in order."""
    voc, records, config = folder / "voc", folder / "records", folder / "pipeline.config"
    model, export, found = folder / "model", folder / "export", folder / "found"
    train = ("train", f"{config}", f"--model_dir={model}", *([f"--steps={steps}"] if steps else []))
    return [
        _stage(
            "records", records, "make_records", f"{voc / 'annotations'}", "--format=voc",
            f"--images={voc / 'images'}", f"--output={records}", "--shards=4", "--val_fraction=0.2",
        ),
        _stage("config", config, "make_config", f"--template={template}", f"--records={records}", f"--output={config}"),
        _stage("training", model, *train),
        _stage("metrics", folder / "metrics.json", "evaluate", f"{model}", f"--output={folder / 'metrics.json'}"),
        _stage("export", export / "frozen_inference_graph.pb", "export", f"{model}", f"--output={export}"),
        _stage("pictures", found, "predict", f"{export}", f"{folder / 'unseen'}", f"--output={found}"),
    ]  # fmt: skip


def _stage(name: str, makes: Path, *command: str) -> Stage:
    return Stage(name=name, command=command, makes=makes)


def _shown(stage: Stage) -> str:
    return shlex.join(("tfod", *stage.command))


def _draw(folder: Path, images: int) -> None:
    from record_builders.sources import shapes

    _clear(folder)
    files.write_atomically(folder / _MARK, _mark({}))
    shapes.write_voc(folder / "voc", images, seed=0)
    shapes.write_voc(folder / "unseen_voc", _SHOWN_PICTURES, seed=1)
    (folder / "unseen_voc" / "images").rename(folder / "unseen")
    shutil.rmtree(folder / "unseen_voc")


def _clear(folder: Path) -> None:
    """Removes from `folder` what an earlier demo made, and nothing else."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        made_by = json.loads((folder / _MARK).read_bytes())["made_by"]
    except (OSError, ValueError, KeyError, TypeError):
        made_by = None
    if made_by != _MADE_BY:
        raise UsageError(f"--output: {folder} exists, but no earlier demo made it. Choose another folder.")
    for name in _MADE:
        made = folder / name
        if made.is_dir() and not made.is_symlink():
            shutil.rmtree(made)
        else:
            made.unlink(missing_ok=True)


def _mark(result: Mapping[str, object]) -> bytes:
    return (json.dumps({"made_by": _MADE_BY, **result}, indent=2) + "\n").encode()


def _run(stage: Stage) -> None:
    name, *words = stage.command
    quiet = [] if output.mode() == "text" else ["--quiet"]
    with subprocess.Popen([sys.executable, "-m", f"tfod_tools.{name}", *words, *quiet]) as command:
        try:
            status = command.wait()
        except KeyboardInterrupt:
            status = command.wait()  # the terminal sends Ctrl-C to it too, and it stops by itself
    if status:
        error = TfodError(f"The stage '{stage.name}' ended with exit code {status}. Its message is above.")
        error.exit_code = status
        raise error


def _timed(action: Callable[[], None]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def _summary(folder: Path, todo: Sequence[Stage], seconds: dict[str, float]) -> None:
    metrics = json.loads((folder / "metrics.json").read_text())["metrics"]
    where = {"images and annotations": folder / "voc", **{stage.name: stage.makes for stage in todo}}
    files.write_atomically(folder / _MARK, _mark({"AP50": metrics["AP50"], "seconds": seconds}))
    rows = [(name, round(s), str(where[name])) for name, s in seconds.items()]
    picture = sorted((folder / "found").glob("*.jpg"))[0]
    output.say("", *tables.lines(("stage", "seconds", "result"), rows))
    output.say(f"\nAP50 on the validation split: {metrics['AP50']:.3f}  (AP {metrics['AP']:.3f})")
    output.say(f"{round(sum(seconds.values()))} seconds in all. A picture with boxes: {picture}")
    scores = {name: metrics[name] for name in ("AP50", "AP")}
    output.answer({**scores, "seconds": seconds, "output": str(folder), "picture": str(picture)})


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
