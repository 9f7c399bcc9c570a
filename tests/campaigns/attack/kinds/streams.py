"""Where a command's words go: encodings without their letters, a full device, no stream at all, a reader that left."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

from campaigns.attack.case import Case
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples, voc_xml

_COMMANDS = (
    ("make_records", "--annotations=voc", "--output=out"),
    ("make_records", "--annotations=nothing", "--output=out"),
    ("inspect_records", "--records=records"),
    ("inspect_records", "--records=nothing"),
    ("make_config", "--template=ssd_mobilenet_v2_300x300", "--records=records", "--output=out.config"),
    ("make_config", "--list"),
    ("make_config", "--template=nothing"),
    ("check_config", "--config=sample.config", "--json"),
    ("check_config", "--explain=CFG07"),
    ("fit_anchors", "--config=sample.config", "--records=records"),
    ("make_label_map", "--from=map.pbtxt"),
    ("make_label_map", "--from=map.pbtxt", "--json"),
    ("submit", "plan", "--job=job.yaml", "--backend=vertex"),
    ("submit", "import-legacy", "--from=job.yaml"),
    ("train", "--config=sample.config", "--model_dir=out", "--dry_run"),
    ("train", "--help"),
    ("evaluate", "--model_dir=nothing"),
    ("export", "--model_dir=nothing", "--output=out"),
    ("predict", "--model=nothing", "--images=voc", "--output=out"),
    ("demo", "--dry_run"),
    ("engine", "--install=2.20", "--dry_run"),
)
_ENCODINGS = ("ascii", "latin-1", "ascii:strict", "utf-16", "cp1252:strict", "utf-8:strict")


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """Each command with each of them."""
    prepare = partial(_prepare, samples=samples)
    for argv in _COMMANDS:
        for encoding in draw.sample(_ENCODINGS, 3):
            environment = {"PYTHONIOENCODING": encoding}
            yield Case(about=f"in {encoding}", argv=argv, prepare=prepare, environment=environment)
        for stdout, stderr in (
            ("full", "file"),
            ("file", "full"),
            ("closed", "file"),
            ("file", "closed"),
            ("closed", "closed"),
            ("full", "full"),
        ):
            yield Case(
                about=f"stdout {stdout}, stderr {stderr}", argv=argv, prepare=prepare, stdout=stdout, stderr=stderr
            )  # type: ignore[arg-type]
        for name, value in draw.sample(_ENVIRONMENT, 4):
            yield Case(about=f"{name}={value}", argv=argv, prepare=prepare, environment={name: value})


_ENVIRONMENT = (
    ("TF_CONFIG", "{}"),
    ("TF_CONFIG", "not json"),
    ("TF_CONFIG", '{"cluster": {"chief": ["a:1"]}, "task": {"type": "chief", "index": 0}}'),
    ("LANG", "C"),
    ("LC_ALL", "xx_YY"),
    ("COLUMNS", "0"),
    ("COLUMNS", "-5"),
    ("COLUMNS", "x"),
    ("TERM", "dumb"),
    ("NO_COLOR", "1"),
    ("FORCE_COLOR", "1"),
    ("TMPDIR", "/not/there"),
    ("HOME", "/not/there"),
    ("HOME", ""),
    ("PYTHONWARNINGS", "error"),
    ("PYTHONOPTIMIZE", "2"),
    ("TFOD_ENGINE", "/not/there"),
    ("TFOD_ENGINE", ""),
    ("CUDA_VISIBLE_DEVICES", "x"),
    ("PYTHONUTF8", "0"),
    ("TZ", "x/y"),
    ("PYTHONHASHSEED", "7"),
    ("XDG_CACHE_HOME", "/dev/null"),
    ("LINES", "0"),
    ("TTY_COMPATIBLE", "1"),
)


def _prepare(place: Place, samples: Samples) -> None:
    place.copy(samples.voc, "voc")
    place.write("voc/pet3.xml", voc_xml("pet3.png", "çédille \N{PILE OF POO}", "猫"))
    place.copy(samples.records, "records")
    place.copy(samples.config, "sample.config")
    place.write("map.pbtxt", 'item { id: 1 name: "caf\u00e9" }\nitem { id: 2 name: "\u732b" }\n')
    place.copy(samples.jobs["estimator"], "job.yaml")
