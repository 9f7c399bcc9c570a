"""Many child processes, a few at a time, with a time limit each; a repeated run does only what is not done yet."""

from __future__ import annotations

import concurrent.futures
import hashlib
import importlib.metadata
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A child process.

    Attributes:
      name: what it is called, and its folder.
      argv: `python -m <argv>`, run in its folder.
      limit_s: it is killed after so many seconds.
      environment: variables to add.
    """

    name: str
    argv: Sequence[str]
    limit_s: float
    environment: Mapping[str, str] = field(default_factory=dict)


def fingerprint(*sources: Path) -> str:
    """What results depend on: the versions of TensorFlow and the engine, and the Python files below `sources`."""
    digest = hashlib.sha256()
    for package in ("tensorflow", "tf-object-detection-api", "numpy"):
        digest.update(f"{package} {importlib.metadata.version(package)}\n".encode())
    for path in sorted(path for source in sources for path in source.rglob("*") if path.suffix in (".py", ".config")):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def run(
    jobs: Iterable[Job], folder: Path, *, of: str, at_a_time: int, report: Callable[[Job, float], None]
) -> dict[str, Path]:
    """Runs the jobs that are not done yet under the fingerprint `of`.

    Args:
      jobs: in the order in which they start.
      folder: gets a folder for each job, with `log` and whatever the job writes.
      of: see `fingerprint`.
      at_a_time: processes at once.
      report: called with each job that has ended, and its seconds.

    Returns:
      The folder of each job by name; its `done` holds {"status": exit code or "time limit", "seconds": ...}.
    """
    folders = {job.name: folder / job.name for job in jobs}

    def run_one(job: Job) -> tuple[Job, float]:
        return job, _run(job, folders[job.name], of)

    todo = [job for job in jobs if outcome(folders[job.name]).get("fingerprint") != of]
    with concurrent.futures.ThreadPoolExecutor(at_a_time) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run_one, job) for job in todo]):
            report(*done.result())
    return folders


def outcome(folder: Path) -> dict[str, Any]:
    """What a finished job left: fingerprint, status, seconds; {} if it did not finish."""
    done = folder / "done"
    return dict(json.loads(done.read_text())) if done.exists() else {}


def _run(job: Job, folder: Path, of: str) -> float:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "done").unlink(missing_ok=True)
    started = time.monotonic()
    path = os.pathsep.join((str(ROOT), str(ROOT / "tests")))
    status: int | str
    with (folder / "log").open("wb") as log:
        try:
            status = subprocess.run(
                [sys.executable, "-m", *job.argv],
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                timeout=job.limit_s,
                env={**os.environ, "PYTHONPATH": path, "TF_CPP_MIN_LOG_LEVEL": "2", **job.environment},
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            status = "time limit"
    seconds = time.monotonic() - started
    (folder / "done").write_text(json.dumps({"fingerprint": of, "status": status, "seconds": round(seconds, 1)}))
    return seconds
