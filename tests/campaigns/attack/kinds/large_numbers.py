"""Numbers without bound: in configs, in flags, in job files, in annotations."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Iterator
from functools import partial

from campaigns.attack.case import Case
from campaigns.attack.child import ROOT
from campaigns.attack.place import Place
from campaigns.attack.samples import PRICES, Samples, coco, png

_NUMBERS = (
    "2147483647",
    "1000000000",
    "-1",
    "0",
    "4294967295",
    "10000000",
    "1e38",
    "1e-38",
    "nan",
    "inf",
    "-inf",
    "1e999",
)
_FLAG_NUMBERS = (
    "999999999999",
    "9" * 400,
    "1e999",
    "-0",
    "NaN",
    "0",
    "-1",
    "inf",
    "1e-320",
    "٣",
    "1_0",
    "0x10",
    "",
    "1" + "0" * 5000,
)
_FLAGS = {
    "train": ("steps", "checkpoint_every"),
    "make_config": ("steps", "epochs", "batch_size", "gpus", "lr"),
    "make_records": ("shards", "shard_mb", "val_fraction", "seed", "download_rate"),
    "fit_anchors": ("max_anchors", "max_pixels"),
    "check_config": ("gpus", "machines"),
    "inspect_records": ("extract",),
    "predict": ("min_score",),
    "demo": ("steps", "images"),
}
_ARGV = {
    "train": ("--config=sample.config", "--model_dir=out", "--dry_run"),
    "make_config": ("--template=ssd_mobilenet_v2_small_192x192", "--records=records", "--output=out.config"),
    "make_records": ("--annotations=voc", "--output=out"),
    "fit_anchors": ("--config=sample.config", "--records=records", "--output=out.yaml"),
    "check_config": ("--config=sample.config", "--records=records"),
    "inspect_records": ("--records=records", "--output=out"),
    "predict": ("--model=model", "--images=voc", "--output=out", "--dry_run"),
    "demo": ("--dry_run",),
}
_EDITS = (
    *(
        "--anchors=scales=0.1..{}",
        "--anchors=num_layers={}",
        "--resize={0}x{0}",
        "--regularizer=l2:{}",
        "--focal={0},{0}",
    ),
    *("--set=train_config.num_steps={}", "--set=model.ssd.num_classes={}", "--set=train_config.batch_size={}"),
    *(
        "--set=eval_config.num_examples={}",
        "--hard_miner={}",
        "--set=train_config.data_augmentation_options[{}].random_adjust_hue={{}}",
    ),
)
_JOB = ("steps", "checkpoint_every", "count", "cpus", "memory", "restarts", "time_limit", "accelerators", "disk_gb")
_FIELD = re.compile(r"^ *(\w+): (-?[\d.]+(?:e-?\d+)?)$", re.MULTILINE)
_CONFIGS = 130


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """Each number that a flag takes, then numbers of configs, jobs, prices and annotations."""
    for command, names in _FLAGS.items():
        for name in names:
            for number in draw.sample(_FLAG_NUMBERS, 6):
                argv = [command, *_ARGV[command], f"--{name}={number}"]
                yield Case(about=f"--{name} is {number[:20]}", argv=argv, prepare=partial(_prepare, samples=samples))
    for edit in _EDITS:
        for number in draw.sample(_FLAG_NUMBERS + _NUMBERS, 4):
            argv = ["make_config", *_ARGV["make_config"], edit.format(number)]
            yield Case(about=edit.format(number)[:60], argv=argv, prepare=partial(_prepare, samples=samples))
    yield from _configs(draw, samples)
    yield from _jobs(draw, samples)
    yield from _annotations(draw)


def _configs(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """A number of a template in place of another."""
    templates = sorted((ROOT / "pipeline_configs/templates").glob("*.config"))
    for _ in range(_CONFIGS):
        path = draw.choice(templates)
        text = path.read_text()
        fields = list(_FIELD.finditer(text))
        large = [
            match
            for match in fields
            if re.search("num|level|layer|size|depth|dimension|stage|stride|steps|scale", match[1])
        ]
        match, number = draw.choice(large if large and draw.random() < 0.7 else fields), draw.choice(_NUMBERS)
        content = text[: match.start(2)] + number + text[match.end(2) :]
        command = draw.choice(
            (
                ("check_config", "--config=given.config"),
                ("fit_anchors", "--config=given.config", "--records=records"),
                ("make_config", "--from=given.config", "--records=records", "--output=out.config"),
                ("check_config", "--config=given.config", "--plot=out.png"),
                ("check_config", "--config=given.config", "--fix=out.config"),
                ("make_config", "--from=given.config", "--records=records", "--output=out.config", "--epochs=3"),
            )
        )
        yield Case(
            about=f"{path.stem}: {match[1]} is {number}",
            argv=list(command),
            prepare=partial(_prepare, samples=samples, given=content),
        )


def _jobs(draw: random.Random, samples: Samples) -> Iterator[Case]:
    text = samples.jobs["estimator"].read_text()
    for key in _JOB:
        for number in draw.sample((*_FLAG_NUMBERS, "999999999999Gi", "1e9h", "9" * 11, "0.1Gi", "99999999d"), 6):
            changed = re.sub(rf"\b{key}: [\w.]+", f"{key}: {number}", text) if f"{key}: " in text else text
            changed = f"scheduling: {{{key}: {number}}}\n{text}" if key in ("restarts", "time_limit") else changed
            changed = text.replace("T4}", f"T4, {key}: {number}}}") if key == "accelerators" else changed
            argv = [
                "submit",
                "plan",
                "--job=job.yaml",
                f"--backend={draw.choice(('vertex', 'slurm', 'kubernetes_jobset'))}",
            ]
            yield Case(
                about=f"{key} is {number[:20]}", argv=argv, prepare=partial(_prepare, samples=samples, job=changed)
            )
    for number in (
        "0000-00-00",
        "9999-12-31",
        "0001-01-01",
        "2026-13-45",
        "1e3",
        "-5",
        "''",
        "[]",
        "2026-11-22T10:00:00+99:99",
    ):
        for field, old in (("date", "2026-11-22"), ("T4", "0.35"), ("n1", "0.03")):
            prices = PRICES.replace(f"{field}: {old}", f"{field}: {number}")
            argv = ["submit", "plan", "--job=job.yaml", "--backend=vertex", "--prices=prices.yaml"]
            yield Case(
                about=f"prices: {field} is {number}",
                argv=argv,
                prepare=partial(_prepare, samples=samples, job=text, prices=prices),
            )


def _annotations(draw: random.Random) -> Iterator[Case]:
    """Numbers of COCO, CSV and YOLO that are none, or too large."""
    for number in (
        "1e999",
        "-1e999",
        "NaN",
        "-0",
        "-0.0",
        "1" + "0" * 400,
        "1" + "0" * 5000,
        "1e308",
        "-1e308",
        "1e-400",
        '"7"',
        "true",
    ):
        document = json.dumps(coco("a.png"))
        for old, new in (
            ("[1, 2,", f"[{number}, 2,"),
            ('"width": 60', f'"width": {number}'),
            ('"image_id": 1', f'"image_id": {number}'),
            ('"category_id": 1', f'"category_id": {number}'),
            ("[1, 2, 20,", f"[1, 2, {number},"),
        ):
            for more in ((), ("--on_problem=skip",)) if old.startswith("[") else ((),):
                argv = ["make_records", "--annotations=given", "--output=out", "--val_fraction=0", *more]
                prepare = partial(_given, name="a.json", text=document.replace(old, new))
                yield Case(about=f"COCO: {new[:40]}", argv=argv, prepare=prepare)
        text = f"filename,width,height,class,xmin,ymin,xmax,ymax\na.png,60,40,cat,{number},2,30,35\n"
        argv = ["make_records", "--annotations=given", "--output=out", "--val_fraction=0"]
        yield Case(about=f"CSV: {number[:20]}", argv=argv, prepare=partial(_given, name="a.csv", text=text))


def _given(place: Place, name: str, text: str) -> None:
    place.write("given/a.png", png(60, 40))
    place.write(f"given/{name}", text)


def _prepare(place: Place, samples: Samples, given: str = "", job: str = "", prices: str = PRICES) -> None:
    place.copy(samples.records, "records")
    place.copy(samples.voc, "voc")
    place.copy(samples.config, "sample.config")
    place.write("model/frozen_inference_graph.pb", b"")
    place.copy(samples.records / "label_map.pbtxt", "model/label_map.pbtxt")
    place.write("given.config", given)
    place.write("job.yaml", job)
    place.write("prices.yaml", prices)
