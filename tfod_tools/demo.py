"""Show the whole way on made-up data: annotations, records, config, training, metrics, frozen graph, pictures.

    python -m tfod_tools.demo [--output=demo_output]

Draws images of four kinds of shapes with Pascal VOC annotations, then runs the commands as you would, each shown before
it runs. Ends with AP50 on the validation split, the time of each stage, and where everything lies.

Exit codes: 0 fine; that of the stage that failed, otherwise.
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
from tfod_tools.base import tables
from tfod_tools.base.errors import TfodError, UsageError
from tfod_tools.base.files import local_path, write_atomically

FLAGS = app.Flags("output")
_OUTPUT = flags.DEFINE_string(
    "output", "demo_output", "Folder to make; an earlier demo there is replaced.", flag_values=FLAGS
)
_TEMPLATE = flags.DEFINE_string("template", "ssd_mobilenet_v2_small_192x192", "Config template.", flag_values=FLAGS)
_IMAGES = flags.DEFINE_integer(
    "images", 750, "Images to draw; a fifth is for validation.", lower_bound=10, flag_values=FLAGS
)
_STEPS = flags.DEFINE_integer(
    "steps", None, "Training steps (default: the template's).", lower_bound=1, flag_values=FLAGS
)
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "Show the commands, run none.", flag_values=FLAGS)

_MARK = "demo.json"
_MADE_BY = "tfod_tools.demo"
_MADE = ("voc", "unseen", "unseen_voc", "records", "pipeline.config", "model", "metrics.json", "export", "found")
_SHOWN_PICTURES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One command of the demo: what it makes, its words after `python -m`, and where the result lies."""

    name: str
    argv: tuple[str, ...]
    makes: Path


def main(arguments: Sequence[str]) -> int:
    """Draws the data, runs the stages, and shows the result."""
    app.no_arguments(arguments)
    folder = local_path(_OUTPUT.value)
    todo = stages(folder, _TEMPLATE.value, _STEPS.value)
    if _DRY_RUN.value:
        print("\n".join(_words(stage) for stage in todo))
        return 0
    seconds = {"images and annotations": _timed(lambda: _draw(folder, _IMAGES.value))}
    for stage in todo:
        print(f"\n$ {_words(stage)}", flush=True)
        seconds[stage.name] = _timed(functools.partial(_run, stage))
    _summary(folder, todo, seconds)
    return 0


def stages(folder: Path, template: str, steps: int | None) -> list[Stage]:
    """The commands from annotations to pictures, in order."""
    voc, records, config = folder / "voc", folder / "records", folder / "pipeline.config"
    model, export, found = folder / "model", folder / "export", folder / "found"
    train = ("train", f"--config={config}", f"--model_dir={model}", *([f"--steps={steps}"] if steps else []))
    return [
        _stage(
            "records", records, "make_records", "--format=voc", f"--annotations={voc / 'annotations'}",
            f"--images={voc / 'images'}", f"--output={records}", "--shards=4", "--val_fraction=0.2",
        ),
        _stage("config", config, "make_config", f"--template={template}", f"--records={records}", f"--output={config}"),
        _stage("training", model, *train),
        _stage("metrics", model, "evaluate", f"--model_dir={model}", f"--output={folder / 'metrics.json'}"),
        _stage("export", export / "frozen_inference_graph.pb", "export", f"--model_dir={model}", f"--output={export}"),
        _stage("pictures", found, "predict", f"--model={export}", f"--images={folder / 'unseen'}", f"--output={found}"),
    ]  # fmt: skip


def _stage(name: str, makes: Path, command: str, *words: str) -> Stage:
    return Stage(name=name, argv=(f"tfod_tools.{command}", *words), makes=makes)


def _words(stage: Stage) -> str:
    return shlex.join(("python", "-m", *stage.argv))


def _draw(folder: Path, images: int) -> None:
    from record_builders.sources import shapes

    _clear(folder)
    write_atomically(folder / _MARK, _mark({}))
    shapes.write_voc(folder / "voc", images, seed=0)
    shapes.write_voc(folder / "unseen_voc", _SHOWN_PICTURES, seed=1)
    (folder / "unseen_voc" / "images").rename(folder / "unseen")
    shutil.rmtree(folder / "unseen_voc")


def _clear(folder: Path) -> None:
    """Removes what an earlier demo made in `folder`, and nothing else."""
    if not folder.exists() or (folder.is_dir() and not any(folder.iterdir())):
        return
    try:
        made_by = json.loads((folder / _MARK).read_bytes())["made_by"]
    except (OSError, ValueError, KeyError, TypeError):
        made_by = None
    if made_by != _MADE_BY:
        raise UsageError(f"--output: {folder} exists and holds no earlier demo. Choose another folder.")
    for name in _MADE:
        made = folder / name
        if made.is_dir() and not made.is_symlink():
            shutil.rmtree(made)
        else:
            made.unlink(missing_ok=True)


def _mark(result: Mapping[str, object]) -> bytes:
    return (json.dumps({"made_by": _MADE_BY, **result}, indent=2) + "\n").encode()


def _run(stage: Stage) -> None:
    with subprocess.Popen([sys.executable, "-m", *stage.argv]) as command:
        try:
            status = command.wait()
        except KeyboardInterrupt:
            status = command.wait()  # a terminal sent it Ctrl-C too, and it ends in its own way
    if status:
        error = TfodError(f"The stage '{stage.name}' ended with exit code {status}; its message is above.")
        error.exit_code = status
        raise error


def _timed(action: Callable[[], None]) -> float:
    began = time.monotonic()
    action()
    return time.monotonic() - began


def _summary(folder: Path, todo: Sequence[Stage], seconds: dict[str, float]) -> None:
    metrics = json.loads((folder / "metrics.json").read_text())["metrics"]
    where = {"images and annotations": folder / "voc", **{stage.name: stage.makes for stage in todo}}
    where["metrics"] = folder / "metrics.json"
    write_atomically(folder / _MARK, _mark({"AP50": metrics["AP50"], "seconds": seconds}))
    print()
    tables.show(("stage", "seconds", "result"), [(name, round(s), str(where[name])) for name, s in seconds.items()])
    picture = sorted((folder / "found").glob("*.jpg"))[0]
    print(f"\nAP50 on the validation split: {metrics['AP50']:.3f}  (AP {metrics['AP']:.3f})")
    print(f"{round(sum(seconds.values()))} seconds in all. A picture with boxes: {picture}")


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
