"""Broken models, checkpoints and environments for the commands that start TensorFlow. Off unless it is named."""

from __future__ import annotations

import random
import signal
from collections.abc import Iterator
from functools import partial

from campaigns.attack.case import Case
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples

OFF_UNLESS_NAMED = True
_LIMIT_S = 240
_MOST_MB = 4000
_TF_CONFIG = (
    '{"cluster": {"chief": ["127.0.0.1:1"], "worker": ["127.0.0.1:2"]}, "task": {"type": "worker", "index": 0}}'
)


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """A few for each command."""
    predict = ["predict", "--model=model", "--images=voc", "--output=out"]
    for content in (b"", b"\0" * 1000, draw.randbytes(5000), b"not a graph"):
        yield _case(f"a graph of {content[:12]!r}", predict, samples, {"model/frozen_inference_graph.pb": content})
        yield _case(f"a model of {content[:12]!r}", predict, samples, {"model/saved_model/saved_model.pb": content})
    for content in (b"", draw.randbytes(3000)):
        files = {"model/ckpt-1.index": content, "model/checkpoint": b'model_checkpoint_path: "ckpt-1"'}
        files["model/pipeline.config"] = samples.config.read_bytes()
        yield _case("a broken checkpoint", ["evaluate", "--model_dir=model"], samples, files)
        yield _case("a broken checkpoint", ["export", "--model_dir=model", "--output=out"], samples, files)
    train = ["train", "--config=sample.config", "--model_dir=out", "--steps=2"]
    for value in ("not json", _TF_CONFIG):
        yield _case(f"TF_CONFIG={value}", train, samples, {}, environment={"TF_CONFIG": value})
    yield _case("a record is cut", train, samples, {"records/train.record-00000-of-00002": b"\1" * 300})
    yield _case("no reader of standard output", train, samples, {}, stdout="full")
    yield _case("Ctrl-C", [*train[:-1], "--steps=999999"], samples, {}, signal=(signal.SIGINT, draw.uniform(5, 30)))


def _case(about: str, argv: list[str], samples: Samples, files: dict[str, bytes], **more: object) -> Case:
    return Case(
        about=about,
        argv=argv,
        prepare=partial(_prepare, samples=samples, files=files),
        limit_s=_LIMIT_S,
        most_mb=_MOST_MB,
        may_fail=True,
        may_add=("model",),
        **more,  # type: ignore[arg-type]
    )


def _prepare(place: Place, samples: Samples, files: dict[str, bytes]) -> None:
    place.copy(samples.records, "records")
    place.copy(samples.voc, "voc")
    place.write("sample.config", samples.config.read_text().replace(str(samples.records), "records"))
    place.copy(samples.records / "label_map.pbtxt", "model/label_map.pbtxt")
    for name, content in files.items():
        place.write(name, content)
