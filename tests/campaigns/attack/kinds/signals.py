"""Ctrl-C, SIGTERM and SIGKILL at any moment: one line or none, and no file half-written."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from functools import partial

from campaigns.attack.case import Case
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples, png, voc_xml

_EACH = 16
_COMMANDS = (
    ("make_records", "--annotations=voc", "--output=out", "--shards=5"),
    ("make_records", "--annotations=voc", "--output=out", "--shards=3", "--workers=2", "--verify=decode"),
    ("make_records", "--annotations=voc", "--output=out", "--on_problem=fix"),
    ("inspect_records", "--records=records", "--verify=decode", "--contact_sheet=out.png"),
    ("make_config", "--template=ssd_mobilenet_v2_300x300", "--records=records", "--output=out.config"),
    ("check_config", "--config=sample.config", "--records=records", "--fix=out.config"),
    ("fit_anchors", "--config=sample.config", "--records=records", "--output=out.yaml"),
    ("make_label_map", "--from=records/label_map.pbtxt", "--output=out.pbtxt"),
    ("submit", "plan", "--job=job.yaml", "--backend=vertex", "--output=out"),
    ("submit", "bundle", "--job=job.yaml", "--output=out"),
    ("engine", "--install=2.20", "--dry_run"),
)


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """Each command, stopped at random moments."""
    for argv in _COMMANDS:
        for _ in range(_EACH):
            number = draw.choice(
                (signal.SIGINT, signal.SIGINT, signal.SIGTERM, signal.SIGTERM, signal.SIGHUP, signal.SIGKILL)
            )
            after_s = round(draw.uniform(0.01, 0.5), 3)
            yield Case(
                about=f"{number.name} after {after_s} s",
                argv=argv,
                prepare=partial(_prepare, samples=samples),
                signal=(number, after_s),
            )


def _prepare(place: Place, samples: Samples) -> None:
    place.copy(samples.voc, "voc")
    for number in range(250):
        place.write(f"voc/more{number}.png", png(60, 40, number + 100))
        place.write(f"voc/more{number}.xml", voc_xml(f"more{number}.png", "cat"))
    place.copy(samples.records, "records")
    place.copy(samples.config, "sample.config")
    place.copy(samples.jobs["estimator"], "job.yaml")
