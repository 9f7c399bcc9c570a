"""Trains configs of other people for two steps, and compares the result with what check_config says of them.

    python -m campaigns.verdicts.wild [NAME ...]

The configs are those of ../shared/data/wild_configs/pipeline. They get what only their authors have: made-up records
with the same number of classes, no checkpoint to start from, and a batch of one. The rest is not changed. Then
tfod_tools.train takes two steps at the config's own size of images, one config at a time, each in a process of its own.
If the run is stopped, it goes on where it was. Writes tests/campaigns/verdicts/wild.json, which test_wild.py compares.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from campaigns import campaign
from campaigns.models import runs
from configs import case_records
from support import tiny_run

from pipeline_configs.checking import check
from pipeline_configs.dataset import Dataset
from pipeline_configs.making import fill
from pipeline_configs.text import schema
from record_builders.records import tfrecord
from record_builders.records.protos import Example

WILD = campaign.ROOT.parent / "shared" / "data" / "wild_configs" / "pipeline"
RECORD = Path(__file__).with_suffix(".json")

_FOLDER = campaign.ROOT / "build" / "engine-wild"
_IMAGES = 8
_STEPS = 2
_LIMIT_S = 3600
_LONGEST_REASON = 200


def configs() -> dict[str, Path]:
    """The configs by name."""
    return {path.stem: path for path in sorted(WILD.glob("*.config"))}


def given(path: Path, folder: Path) -> tuple[str, Dataset]:
    """The text of a config with records, and these records. They are made in `folder`."""
    config = schema.parse(path.read_text(encoding="utf-8"))
    classes = getattr(config.model, schema.architecture(config)).num_classes
    made = folder / f"{classes}-classes"
    if not made.is_dir():
        _write_records(made, classes)
    dataset = Dataset.read(made / "records").with_contents(case_records.read)
    config.train_config.ClearField("fine_tune_checkpoint")
    config = fill.fill(config, dataset).apply(config)
    config.train_config.batch_size = 1
    return schema.dump(config), dataset


def errors(text: str, dataset: Dataset) -> list[str]:
    """The codes of severity error."""
    found = check.check(text, records=dataset).findings
    return sorted({finding.code for finding in found if finding.severity == "error"})


def _write_records(folder: Path, classes: int) -> None:
    """Made-up records whose boxes have the classes 1 to `classes` in turn."""
    records = tiny_run.make_records(folder, _IMAGES)
    numbers = itertools.cycle(range(1, classes + 1))
    for shard in sorted(records.glob("*.record-*")):
        tfrecord.write(shard, [_renamed(record, numbers) for record in list(tfrecord.read(shard))])
    items = [{"id": number, "name": f"class {number}"} for number in range(1, classes + 1)]
    text = "".join(f"item {{ id: {item['id']} name: '{item['name']}' }}\n" for item in items)
    (records / "label_map.pbtxt").write_text(text, encoding="utf-8")
    manifest = json.loads((records / "manifest.json").read_text(encoding="utf-8"))
    manifest["label_map"]["classes"] = items
    (records / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")


def _renamed(record: bytes, numbers: itertools.cycle[int]) -> bytes:
    example = Example.FromString(record)
    feature = example.features.feature
    own = [next(numbers) for _ in feature["image/object/class/text"].bytes_list.value]
    feature["image/object/class/text"].bytes_list.value[:] = [f"class {number}".encode() for number in own]
    feature["image/object/class/label"].int64_list.value[:] = own
    return bytes(example.SerializeToString(deterministic=True))


def main() -> int:
    """Checks and trains."""
    parser = argparse.ArgumentParser(prog="python -m campaigns.verdicts.wild")
    parser.add_argument("names", nargs="*", help="parts of names (default: all)")
    wanted = parser.parse_args().names
    for name, path in configs().items():
        if wanted and not any(part in name for part in wanted):
            continue
        folder = _FOLDER / name
        folder.mkdir(parents=True, exist_ok=True)
        text, dataset = given(path, _FOLDER)
        (folder / "pipeline.config").write_text(text, encoding="utf-8")
        found = {"errors": errors(text, dataset), **_trained(name, folder, text)}
        print(f"{name}: {json.dumps(found)}", flush=True)
        _record(name, found)
    return 0


def _trained(name: str, folder: Path, text: str) -> dict[str, Any]:
    job = campaign.Job(
        name=name,
        argv=["tfod_tools.train", f"--config={folder}/pipeline.config", "--model_dir=model", f"--steps={_STEPS}"],
        limit_s=_LIMIT_S,
        fingerprint=campaign.fingerprint(campaign.ROOT / "tfod_tools" / "engine", text=text),
    )
    (where,) = campaign.run([job], _FOLDER, at_a_time=1, report=lambda job, seconds: None).values()
    ended = campaign.outcome(where)
    found: dict[str, Any] = {"trains": ended["status"] == 0, "seconds": round(ended["seconds"])}
    if not found["trains"]:
        lines = (where / "log").read_text(encoding="utf-8", errors="replace").splitlines()
        line = next((line for line in reversed(lines) if "Error" in line), str(ended["status"]))
        found["why"] = line.strip().partition(" The engine's log: ")[0][:_LONGEST_REASON]
    return found


def read() -> dict[str, dict[str, Any]]:
    """The recorded result of each config."""
    return dict(json.loads(RECORD.read_text(encoding="utf-8"))["configs"]) if RECORD.exists() else {}


def _record(name: str, found: Mapping[str, Any]) -> None:
    known = {**read(), name: found}
    rows = ",\n  ".join(f"{json.dumps(key)}: {json.dumps(known[key])}" for key in sorted(known))
    versions = json.dumps(runs.versions())
    RECORD.write_text(f'{{\n "versions": {versions},\n "configs": {{\n  {rows}\n }}\n}}\n', encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
