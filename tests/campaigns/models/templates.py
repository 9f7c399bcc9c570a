"""Builds every template with the engine at its own size, and trains those that fit in memory for two steps.

    make engine-templates [ARGS="--train [NAME ...]"]

A template is filled from made-up records and checked first. Models are built ten to a process, for running one image;
those that are trained have a process each, a batch of one and a learning rate that moves nothing: the published rates
are for other batches. A run that was stopped goes on where it was. Writes tests/engine/templates.json.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from campaigns import campaign
from campaigns.models import data, runs
from campaigns.models.catalogue import DATA, Model

from pipeline_configs.checking import check
from pipeline_configs.dataset import Dataset
from pipeline_configs.making import fill, template
from pipeline_configs.patches.patch import ConfigPatch, Edit
from pipeline_configs.text import schema

RECORD = campaign.ROOT / "tests" / "engine" / "templates.json"

_FOLDER = campaign.ROOT / "build" / "engine-templates"
_TOGETHER = 10
_LIMIT_S = 3600
# The made-up records name two keypoints of another class.
_KEYPOINTS = (
    f'model.center_net.keypoint_label_map_path="{DATA}/keypoints.pbtxt"',
    'model.center_net.keypoint_estimation_task[0].keypoint_class_name="ball"',
    "train_input_reader.num_keypoints=2",
    "eval_input_reader[0].num_keypoints=2",
)
_FLIP = "train_config.data_augmentation_options[{}].random_horizontal_flip.keypoint_flip_permutation=[0, 1]"
_CONTEXT = "model.faster_rcnn.context_config.context_feature_length=16"


def models() -> tuple[Model, ...]:
    """Each template as a model that is trained at its own size."""
    return tuple(_model(row) for row in template.listing())


def _model(row: template.Listed) -> Model:
    config = template.read(row.name)
    architecture = schema.architecture(config)
    return Model(
        name=row.name,
        type=getattr(config.model, architecture).feature_extractor.type,
        architecture=row.architecture,
        style="tf2" if row.style == "tf2" else "tf1",
        config=template.FOLDER / f"{row.name}.config",
        edits=tuple(_edits(config)),
        stages=("make_config", "check_config", "train"),
    )


def _edits(config: Any) -> Iterator[str]:
    optimizer = config.train_config.optimizer.WhichOneof("optimizer")
    rate = f"train_config.optimizer.{optimizer}.learning_rate"
    yield "train_config.batch_size=1"
    yield f"{rate}={{constant_learning_rate {{learning_rate: 1e-9}}}}"
    if config.model.center_net.keypoint_estimation_task:
        yield from _KEYPOINTS
        for index, option in enumerate(config.train_config.data_augmentation_options):
            if option.HasField("random_horizontal_flip"):
                yield _FLIP.format(index)
    if config.model.faster_rcnn.HasField("context_config"):
        yield _CONTEXT


def filled(model: Model, folder: Path, records: Path) -> Path:
    """Writes the filled config of `model` as a file in `folder`; fails if check_config would find an error in it.

    Args:
      model: one of `models()`.
      folder: for the config.
      records: what `data.make` filled.
    """
    config, dataset = schema.read(model.config), Dataset.read(records / "records")
    edits = [edit.replace(DATA, str(records)).partition("=") for edit in model.edits]
    made = ConfigPatch(edits=tuple(Edit(path=path, value=value) for path, _, value in edits)).apply(
        fill.fill(config, dataset).apply(config)
    )
    errors = [found for found in check.check(schema.dump(made), records=dataset).findings if found.severity == "error"]
    assert not errors, f"{model.name}: {errors}"
    path = folder / f"{model.name}.config"
    path.write_text(schema.dump(made), encoding="utf-8")
    return path


def build(wanted: Iterable[Model], records: Path, folder: Path = _FOLDER) -> Iterator[Mapping[str, Any]]:
    """The results of the models `wanted`, as `build` prints them. A few run in one process, one process at a time."""
    for style, of_style in itertools.groupby(sorted(wanted, key=lambda model: model.style), lambda model: model.style):
        models_of_style = list(of_style)
        for first in range(0, len(models_of_style), _TOGETHER):
            yield from _built(style, models_of_style[first : first + _TOGETHER], records, folder)


def _built(style: str, some: Sequence[Model], records: Path, folder: Path) -> Iterator[Mapping[str, Any]]:
    configs = folder / "configs"
    configs.mkdir(parents=True, exist_ok=True)
    paths = [filled(model, configs, records) for model in some]
    job = campaign.Job(
        name=f"build-{style}-{some[0].name}",
        argv=["campaigns.models.build", style, *map(str, paths)],
        limit_s=_LIMIT_S,
        fingerprint=campaign.fingerprint(
            campaign.ROOT / "tfod_tools" / "engine",
            Path(__file__).with_name("build.py"),
            text="".join(model.config.read_text(encoding="utf-8") for model in some),
        ),
    )
    (where,) = campaign.run([job], folder, at_a_time=1, report=lambda job, seconds: None).values()
    lines = [line for line in (where / "log").read_text(encoding="utf-8").splitlines() if line.startswith('{"name": ')]
    found = {line["name"]: line for line in map(json.loads, lines)}
    for model in some:
        why = f"the process ended with status {campaign.outcome(where)['status']}"
        yield found.get(model.name, {"name": model.name, "why": why})


def main() -> int:
    """Builds, trains if asked to, and records."""
    parser = argparse.ArgumentParser(prog="python -m campaigns.models.templates")
    parser.add_argument("names", nargs="*", help="templates, styles or architectures (default: all)")
    parser.add_argument("--train", action="store_true", help="two steps each, too")
    options = parser.parse_args()
    wanted = [m for m in models() if not options.names or {m.name, m.style, m.architecture} & set(options.names)]
    with tempfile.TemporaryDirectory() as records:
        data.make(Path(records))
        for built in build(wanted, Path(records)):
            outcome = "is built" if "detections" in built else f"is not built: {built['why']}"
            print(f"{built['name']} {outcome} ({built.get('seconds')} s)", flush=True)
            _record(str(built["name"]), built="detections" in built, **{k: built[k] for k in ("why",) if k in built})
        if options.train:
            runs.run(wanted, Path(records), at_a_time=1, report=_trained, folder=_FOLDER)
    return 0


def _trained(result: runs.Result) -> None:
    print(f"{result['name']} {'trains' if result['ok'] else result['why']} ({result['seconds']} s)", flush=True)
    _record(str(result["name"]), trained=result["ok"], seconds=result["seconds"], why=result.get("why"))


def read() -> dict[str, dict[str, Any]]:
    """The recorded result of each template."""
    return dict(json.loads(RECORD.read_text(encoding="utf-8"))["templates"]) if RECORD.exists() else {}


def _record(name: str, **found: Any) -> None:
    known = read()
    known[name] = {key: value for key, value in {**known.get(name, {}), **found}.items() if value is not None}
    rows = ",\n  ".join(f"{json.dumps(key)}: {json.dumps(known[key])}" for key in template.names() if key in known)
    versions = json.dumps(runs.versions())
    RECORD.write_text(f'{{\n "versions": {versions},\n "templates": {{\n  {rows}\n }}\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
