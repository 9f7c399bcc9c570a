"""Runs models, each in a process of its own, and keeps the record of the results."""

from __future__ import annotations

import importlib.metadata
import json
import signal
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from campaigns import campaign
from campaigns.models.catalogue import Model, models

RECORD = campaign.ROOT / "tests" / "engine" / "models.json"

Result = Mapping[str, Any]

_FOLDER = campaign.ROOT / "build" / "engine-models"
_LIMIT_S = 1500
_OWN = campaign.ROOT / "tests" / "campaigns" / "models"
_SOURCES = (campaign.ROOT / "tfod_tools" / "engine", _OWN / "child.py", _OWN / "data.py")
_PACKAGES = ("tensorflow", "tf-keras", "numpy", "tf-object-detection-api", "tf-models-official")


def run(
    wanted: Iterable[Model],
    data: Path,
    *,
    at_a_time: int,
    report: Callable[[Result], None] = lambda result: None,
    folder: Path = _FOLDER,
) -> list[Result]:
    """Runs what is not done yet.

    Args:
      wanted: the models.
      data: folder that `models.data.make` filled.
      at_a_time: processes at once.
      report: called with each result, as soon as it is there.
      folder: gets a folder for each model, with the log.

    Returns:
      The result of each model.
    """
    by_name = {model.name: model for model in wanted}
    folders = campaign.run(
        [_job(model, data) for model in by_name.values()],
        folder,
        at_a_time=at_a_time,
        report=lambda job, seconds: report(_result(by_name[job.name], folder / job.name)),
    )
    return [_result(by_name[name], where) for name, where in folders.items()]


def _job(model: Model, data: Path) -> campaign.Job:
    return campaign.Job(
        name=model.name,
        argv=["campaigns.models.child", model.name, str(data), "result.json"],
        limit_s=_LIMIT_S,
        fingerprint=campaign.fingerprint(*_SOURCES, model.config, text=repr(model)),
        environment={"PYTHONSAFEPATH": "1"},
    )


def _result(model: Model, folder: Path) -> Result:
    """The result of a finished process: whether the model works; if not, the stage and the reason."""
    ended = campaign.outcome(folder)
    found = json.loads((folder / "result.json").read_text())
    what = {"name": model.name, "type": model.type, "architecture": model.architecture, "style": model.style}
    what["ok"] = found["ok"]
    if ended["status"]:
        died = {"time limit": f"not done within {_LIMIT_S} s", -signal.SIGKILL: "killed for want of memory"}
        why = died.get(ended["status"], f"exit status {ended['status']}")
        what |= {"ok": False, "stage": found["stage"], "why": why}
    elif not found["ok"]:
        what |= {"stage": found["stage"], "why": found["why"]}
    return {**what, "parameters": found["parameters"], "seconds": round(ended["seconds"])}


def read() -> list[Result]:
    """The recorded results of all models, in the catalogue's order."""
    return list(json.loads(RECORD.read_text(encoding="utf-8"))["models"]) if RECORD.exists() else []


def record(found: Sequence[Result]) -> list[Result]:
    """Replaces older results of the same models by `found`. Returns the results of all models."""
    known = {_key(result): {**result} for result in (*read(), *found)}
    for result in known.values():
        result.pop("name", None)
    results = [known[key] for model in models() if (key := (model.architecture, model.type)) in known]
    lines = ",\n  ".join(json.dumps(result) for result in results)
    RECORD.write_text(
        f'{{\n "versions": {json.dumps(versions())},\n "models": [\n  {lines}\n ]\n}}\n', encoding="utf-8"
    )
    return results


def versions() -> dict[str, str]:
    """The versions of the packages with which the results were found."""
    return {package: importlib.metadata.version(package) for package in _PACKAGES}


def _key(result: Result) -> tuple[str, str]:
    return result["architecture"], result["type"]
