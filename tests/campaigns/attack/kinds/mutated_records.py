"""Records, their manifest and their label map, spoilt at random, for all commands that read them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

from campaigns.attack.case import Case
from campaigns.attack.mutation import spoilt
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples, record

_RUNS = 170
_COMMANDS = (
    ("inspect_records", "--records=given"),
    ("inspect_records", "--records=given", "--verify=decode"),
    ("inspect_records", "--records=given", "--extract=1", "--output=out"),
    ("inspect_records", "--records=given", "--contact_sheet=out.png"),
    ("inspect_records", "--records=given", "--config=pipeline.config", "--json"),
    ("make_config", "--template=ssd_mobilenet_v2_small_192x192", "--records=given", "--output=out.config"),
    ("check_config", "--config=pipeline.config", "--records=given"),
    ("fit_anchors", "--config=pipeline.config", "--records=given", "--output=out.yaml"),
    ("train", "--config=pipeline.config", "--model_dir=out", "--dry_run"),
)


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """A file of the folder spoilt; or the content of a record, under checksums that are right."""
    shards = sorted(path.name for path in samples.records.glob("*.record-*"))
    for _ in range(_RUNS):
        name = draw.choice((*shards, "manifest.json", "manifest.json", "label_map.pbtxt"))
        content = (samples.records / name).read_bytes()
        if name in shards and draw.random() < 0.6:
            what, content = _inside(content, draw)
        else:
            what, content = spoilt(content, draw)
        yield Case(
            about=f"{name}: {what}",
            argv=list(draw.choice(_COMMANDS)),
            prepare=partial(_prepare, samples=samples, name=name, content=content),
        )


def _inside(content: bytes, draw: random.Random) -> tuple[str, bytes]:
    """One record of a file spoilt, and its checksums made right again."""
    examples, at = [], 0
    while at < len(content):
        size = int.from_bytes(content[at : at + 8], "little")
        examples.append(content[at + 12 : at + 12 + size])
        at += size + 16
    number = draw.randrange(len(examples))
    what, examples[number] = spoilt(examples[number], draw)
    return f"in record {number}: {what}", b"".join(map(record, examples))


def _prepare(place: Place, samples: Samples, name: str, content: bytes) -> None:
    place.copy(samples.records, "given")
    config = samples.config.read_text().replace(str(samples.records), "given")
    place.write("pipeline.config", config)
    place.write(f"given/{name}", content)
