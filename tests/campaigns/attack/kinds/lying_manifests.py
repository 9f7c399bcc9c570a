"""Manifests and other JSON of a folder of records that say what is not so, or are of other types."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from functools import partial
from typing import Any

from campaigns.attack.case import Case, Result
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples, manifest

_RUNS = 110
_VALUES: tuple[Any, ...] = (
    *(
        None,
        True,
        -1,
        0,
        10**30,
        float("inf"),
        float("nan"),
        1e308,
        "",
        "x",
        "../../others/thesis.txt",
        "/nowhere/thesis.txt",
        [],
        {},
    ),
    *(
        [[]],
        {"a": 1},
        [None],
        "a\nb",
        "\x1b[31m",
        "\ud800",
        "\0",
        "x" * 5000,
        [1] * 1000,
        "train.record-00000-of-99999",
        2**31,
    ),
)
_COMMANDS = (
    ("make_config", "--template=ssd_mobilenet_v2_small_192x192", "--records=records", "--output=out.config"),
    (
        "make_config",
        "--template=ssd_mobilenet_v2_small_192x192",
        "--records=records",
        "--output=out.config",
        "--epochs=3",
    ),
    ("check_config", "--config=sample.config", "--records=records"),
    ("fit_anchors", "--config=sample.config", "--records=records"),
    ("inspect_records", "--records=records"),
    ("make_records", "--annotations=voc", "--output=records"),
)
_REMOVED = (
    "../thesis.txt", "../../others/thesis.txt", "/thesis.txt", "note.txt", "label_map.pbtxt", ".", "..", "",
    "train.record-00000-of-00001/../../thesis.txt", "x/train.record-00000-of-00001", "../note.record-00000-of-00001",
)  # fmt: skip


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """A value of the manifest in place of another; then shards in it that are no records of that run."""
    true = manifest(samples)
    for _ in range(_RUNS):
        document = copy.deepcopy(true)
        where = _place(document, draw)
        value = draw.choice(_VALUES)
        _set(document, where, value)
        argv = list(draw.choice(_COMMANDS))
        yield _case(f"{'.'.join(map(str, where))} is {str(value)[:30]!r}", argv, samples, document, _names(true))
    for name in _REMOVED:
        document = copy.deepcopy(true)
        document["splits"]["train"]["shards"].append({"path": name, "records": 1, "bytes": 1, "crc32c": "00000000"})  # type: ignore[index]
        for argv in (_COMMANDS[-1], _COMMANDS[0], (*_COMMANDS[-1], "--shards=1")):
            yield _case(f"the manifest lists {name!r}", list(argv), samples, document, _names(true))


def _case(about: str, argv: list[str], samples: Samples, document: dict[str, Any], names: tuple[str, ...]) -> Case:
    return Case(
        about=about,
        argv=argv,
        prepare=partial(_prepare, samples=samples, text=json.dumps(document)),
        may_change=names if argv[0] == "make_records" else (),
        may_add=("records",) if argv[0] == "make_records" else (),
        judge=_note_stays,
    )


def _names(true: dict[str, Any]) -> tuple[str, ...]:
    """What a new run into the folder may replace."""
    shards = [f"records/{shard['path']}" for split in true["splits"].values() for shard in split["shards"]]
    return (*shards, "records/manifest.json", "records/label_map.pbtxt")


def _note_stays(result: Result) -> str | None:
    return (
        None
        if (result.place.work / "records/note.txt").read_text() == "mine\n"
        else "records/note.txt is not as it was"
    )


def _place(document: Any, draw: random.Random) -> tuple[str | int, ...]:
    """A place in a document, deeper ones more often."""
    where: tuple[str | int, ...] = ()
    while isinstance(document, dict | list) and document and (not where or draw.random() < 0.8):
        key = draw.choice(list(document)) if isinstance(document, dict) else draw.randrange(len(document))
        where, document = (*where, key), document[key]
    return where


def _set(document: Any, where: tuple[str | int, ...], value: Any) -> None:
    for key in where[:-1]:
        document = document[key]
    document[where[-1]] = value


def _prepare(place: Place, samples: Samples, text: str) -> None:
    place.copy(samples.voc, "voc")
    place.copy(samples.records, "records")
    place.write("records/manifest.json", text)
    place.write("records/note.txt", "mine\n")
    place.write("note.record-00000-of-00001", "mine\n")
    place.write("sample.config", samples.config.read_text().replace(str(samples.records), "records"))
