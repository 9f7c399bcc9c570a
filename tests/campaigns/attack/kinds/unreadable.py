"""Folders and files that this user may not read or write: that is said, and nothing passes for empty."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

from campaigns.attack.case import Case, Result
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples

_MODES = (0o000, 0o111, 0o444)


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """Each input in turn may not be read; each output may not be written."""
    make = ["make_records", "--annotations=voc", "--images=photos", "--output=out", "--label_map=map.pbtxt"]
    commands = {
        "voc": make,
        "voc/deeper": make,
        "voc/pet3.xml": make,
        "photos": make,
        "photos/pet3.png": make,
        "map.pbtxt": make,
        "records": ["inspect_records", "--records=records"],
        "records/train.record-00001-of-00002": ["inspect_records", "--records=records"],
        "records/manifest.json": [
            "make_config",
            "--template=ssd_mobilenet_v2_300x300",
            "--records=records",
            "--output=out.config",
        ],
        "records/label_map.pbtxt": ["check_config", "--config=sample.config", "--records=records"],
        "sample.config": ["check_config", "--config=sample.config"],
        "job.yaml": ["submit", "plan", "--job=job.yaml", "--backend=vertex"],
        "model": ["evaluate", "--model_dir=model", "--dry_run"],
    }
    for name, argv in commands.items():
        for mode in _MODES if name != "model" else (0o000,):
            for more in ((), ("--on_problem=skip",)) if argv[0] == "make_records" else ((),):
                yield Case(
                    about=f"{name} has mode {mode:03o}",
                    argv=[*argv, *more],
                    prepare=partial(_prepare, samples=samples, name=name, mode=mode),
                    judge=_is_said,
                    weak=True,
                )
    for argv in (
        [*make[:3], "--output=shut/out"],
        ["make_config", "--template=ssd_mobilenet_v2_300x300", "--records=records", "--output=shut/a"],
        ["check_config", "--config=sample.config", "--fix=shut/a"],
        ["make_label_map", "--from=map.pbtxt", "--output=shut/a"],
        ["inspect_records", "--records=records", "--extract=0", "--output=shut"],
        ["submit", "plan", "--job=job.yaml", "--backend=vertex", "--output=shut"],
        ["fit_anchors", "--config=sample.config", "--records=records", "--plot=shut/a.png"],
        ["train", "--config=sample.config", "--model_dir=shut/m"],
    ):
        for mode in (0o555, 0o000):
            prepare = partial(_prepare, samples=samples, name="shut", mode=mode)
            yield Case(
                about=f"the output's folder has mode {mode:03o}", argv=argv, prepare=prepare, weak=True, judge=_is_said
            )


def _is_said(result: Result) -> str | None:
    if result.first.status == 0 and "mode 444" not in result.case.about and "deeper" not in result.case.about:
        return "it passes for readable, or writable"
    if result.first.status == 0 and "deeper" in result.case.about and "444" not in result.case.about:
        return "a folder that cannot be read passes for empty"
    return None


def _prepare(place: Place, samples: Samples, name: str, mode: int) -> None:
    place.copy(samples.voc, "voc")
    place.copy(samples.voc / "pet0.xml", "voc/deeper/pet0b.xml")
    place.copy(samples.voc, "photos")
    place.copy(samples.records, "records")
    place.write("map.pbtxt", 'item { id: 1 name: "cat" }\nitem { id: 2 name: "dog" }\n')
    place.write("sample.config", samples.config.read_text().replace(str(samples.records), "records"))
    place.copy(samples.jobs["estimator"], "job.yaml")
    place.write("shut/note.txt", "mine\n")
    place.write("model/pipeline.config", samples.config.read_text())
    (place.work / name).chmod(mode)
