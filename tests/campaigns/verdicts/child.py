"""Runs configs through the stages of the engine, one after the other in this process, and says where each stops.

    python -m campaigns.verdicts.child STYLE RUNS RESULTS

RUNS is the file of `cases.Preparation.write`. As soon as a run is done, a line of JSON is added to RESULTS: `name`,
`stage` (the stage that stopped, or null), `error`, `refused` (the message of tfod_tools.train before it starts the
engine, or null), `seen` (the checks of `misbehaviour` that are true) and `seconds` by stage.
"""

from __future__ import annotations

import gc
import json
import os
import shutil
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from campaigns.verdicts.misbehaviour import CHECKS
from campaigns.verdicts.stages import STAGES, Stages

from cloud import job
from tfod_tools.base.errors import TfodError
from tfod_tools.engine import shims


def main(style: str, runs: str, results: str) -> None:
    """Runs all, the patient ones last, because their threads may wait without end."""
    shims.apply(style)  # type: ignore[arg-type]
    wanted = sorted(json.loads(Path(runs).read_text()), key=lambda run: run["patient"])
    made: dict[bytes, Path] = {}
    with Path(results).open("w", buffering=1) as lines:
        for run in wanted:
            found = _taken(style, run, Path(runs).parent / run["name"], made)
            lines.write(json.dumps({"name": run["name"], **found}) + "\n")
            gc.collect()
    sys.stdout.flush()
    os._exit(0)


def _taken(style: str, run: Mapping[str, Any], folder: Path, made: dict[bytes, Path]) -> dict[str, Any]:
    config = folder / "pipeline.config"
    for prefix, trained in run["checkpoints"].items():
        _save(style, Path(trained), Path(prefix), made, spoilt=prefix in run["spoilt"])
    model_dir = config.parent / run["model_dir"]
    found: dict[str, Any] = {
        "stage": None,
        "error": None,
        "refused": _refused(config, model_dir),
        "seen": [],
        "seconds": {},
    }
    stages = _stages(style, config, model_dir, patient=run["patient"])
    stages.gpus, stages.machines = run["gpus"], run["machines"]
    wanted = {before for stage in run["stages"] for before in STAGES[stage]}
    for stage in (stage for stage in STAGES if stage in wanted):
        started = time.monotonic()
        try:
            getattr(stages, stage)()
        except Exception as error:  # noqa: BLE001  # any error is the result
            why = f"{type(error).__name__}: {' '.join(str(error).split())}"
            return {**found, "stage": stage, "error": why}
        finally:
            found["seconds"][stage] = round(time.monotonic() - started, 1)
    try:
        return {**found, "seen": [name for name in run["checks"] if CHECKS[name](stages)]}
    except Exception as error:  # noqa: BLE001  # the stages did not leave what the check needs
        return {**found, "stage": "checks", "error": f"{type(error).__name__}: {error}"}


def _stages(style: str, config: Path, model_dir: Path, *, patient: bool = False) -> Stages:
    if style == "tf1":
        from campaigns.verdicts.graph_stages import GraphStages

        return GraphStages(config, model_dir, patient=patient)
    from campaigns.verdicts.eager_stages import EagerStages

    return EagerStages(config, model_dir, patient=patient)


def _save(style: str, config: Path, prefix: Path, made: dict[bytes, Path], *, spoilt: bool) -> None:
    """Writes a checkpoint of the config's model in place of the case's files, which only have its name."""
    folder = config.parent / f"saved-{len(made)}"
    stages = _stages(style, config, folder)
    stages.read()
    model = stages.configs["model"].SerializeToString(deterministic=True) + f"{prefix.name} {spoilt}".encode()
    if model not in made:
        for stage in STAGES["loss"][1:]:
            getattr(stages, stage)()
        folder.mkdir()
        stages.save(str(folder / prefix.name), spoilt=spoilt)
        made[model] = folder
    shutil.copytree(made[model], prefix.parent, dirs_exist_ok=True)


def _refused(config: Path, model_dir: Path) -> str | None:
    try:
        job.plan(config, model_dir)
    except TfodError as error:
        return str(error)
    return None


if __name__ == "__main__":
    main(*sys.argv[1:])
