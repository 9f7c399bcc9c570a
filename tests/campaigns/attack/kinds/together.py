"""The same command several times at once, into one output: one of them wins, with a whole file."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from functools import partial

from campaigns.attack.case import Case, Result
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples

_ROUNDS = 4


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """Each command that writes, 2 to 8 times."""
    template = "--template=ssd_mobilenet_v2_small_192x192"
    config = ["make_config", template, "--records=records", "--output=out.config", "--steps=1{number}00"]
    commands: tuple[tuple[list[str], str, Callable[[str], object]], ...] = (
        (config, "out.config", _is_config),
        ([*config, "--overwrite"], "out.config", _is_config),
        (["check_config", "--config=sample.config", "--fix=out.config"], "out.config", _is_config),
        (["make_label_map", "--from=records/label_map.pbtxt", "--output=out.pbtxt"], "out.pbtxt", _is_label_map),
        (["make_records", "--annotations=voc", "--output=out", "--seed={number}"], "out/manifest.json", json.loads),
        (["inspect_records", "--records=records", "--extract=1", "--output=out"], "out/record-00001.json", json.loads),
        (["submit", "plan", "--job=job.yaml", "--backend=vertex", "--output=out"], "out/custom_job.yaml", len),
        (["fit_anchors", "--config=sample.config", "--records=records", "--output=out.yaml"], "out.yaml", len),
        (["submit", "bundle", "--job=job.yaml", "--output=out"], "out/SHA256SUMS", _has_sums),
    )
    for argv, name, read in commands:
        for number in range(_ROUNDS):
            times = (2, 8, 3, 5)[number]
            yield Case(
                about=f"{times} at once",
                argv=argv,
                prepare=partial(_prepare, samples=samples),
                judge=partial(_whole, name=name, read=read),
                times=times,
                limit_s=40,
            )


def _prepare(place: Place, samples: Samples) -> None:
    place.copy(samples.records, "records")
    place.copy(samples.voc, "voc")
    place.copy(samples.config, "sample.config")
    place.copy(samples.jobs["estimator"], "job.yaml")


def _whole(result: Result, name: str, read: Callable[[str], object]) -> str | None:
    written = result.written(name)
    if any(b".partial" in ended.err for ended in result.ended):
        return "a message speaks of the command's own temporary file"
    statuses = [ended.status for ended in result.ended]
    if 0 not in statuses:
        return None if name == "out.yaml" and not written else f"none wrote {name}: {statuses}"
    if written is None:
        return f"one said that it wrote {name}, which is not there"
    try:
        read(written.read_text())
    except ValueError as error:
        return f"{name} is not whole: {error}"
    return None


def _is_config(text: str) -> None:
    if text.count("{") != text.count("}") or "train_config" not in text:
        raise ValueError("half a config")


def _is_label_map(text: str) -> None:
    if text.count("{") != text.count("}") or "item" not in text:
        raise ValueError("half a label map")


def _has_sums(text: str) -> None:
    if "bundle.tar.gz" not in text:
        raise ValueError("half a list of checksums")
