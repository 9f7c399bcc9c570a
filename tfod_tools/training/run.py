"""Starts a planned run of training, and puts its config into the model_dir."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from cloud.job import TrainJob
from tfod_tools.base import engine_process, files
from tfod_tools.base.errors import TfodError

LOG = "train.log"


def run(job: TrainJob, config: str, on_event: Callable[[engine_process.Event], None]) -> engine_process.Event:
    """Writes the config into the model_dir and trains. Returns the last step and its checkpoint.

    If the engine stops before its first step, the earlier config of the folder is put back.

    Args:
      job: the planned run.
      config: the text of the pipeline.config as it runs.
      on_event: called with every event of the engine.

    Raises:
      CheckpointError: the model_dir is already trained to that step.
      EngineError: the engine stopped with an error.
      Interrupted: the user stopped it. The checkpoint is saved.
    """
    path = Path(job.config)
    before = path.read_bytes() if path.exists() else None
    started = False

    def note_start(event: engine_process.Event) -> None:
        nonlocal started
        started = True
        on_event(event)

    files.write_atomically(path, config.encode())
    try:
        return engine_process.run(job.argv(), log=Path(job.model_dir) / LOG, on_event=note_start)
    except TfodError:
        if not started and before is not None:
            files.write_atomically(path, before)
        elif not started:
            path.unlink(missing_ok=True)
        raise
