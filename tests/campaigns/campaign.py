"""Runs many child processes, a few at a time, each with a time limit. Finished ones are not run again."""

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

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A child process.

    Attributes:
      name: its name, and that of its folder.
      argv: `python -m <argv>`, run in its folder.
      limit_s: it is killed after this number of seconds.
      fingerprint: a hash of everything that its result depends on; see `fingerprint`.
      environment: variables to add.
    """

    name: str
    argv: Sequence[str]
    limit_s: float
    fingerprint: str
    environment: Mapping[str, str] = field(default_factory=dict)


def fingerprint(*sources: Path, text: str = "") -> str:
    """A hash of the versions of TensorFlow and the engine, the Python files in `sources`, and `text`."""
    digest = hashlib.sha256(text.encode())
    for package in ("tensorflow", "tf-object-detection-api", "numpy"):
        digest.update(f"{package} {importlib.metadata.version(package)}\n".encode())
    below = (path for source in sources for path in ([source] if source.is_file() else source.rglob("*.py")))
    for path in sorted(below):
        digest.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes())
    return digest.hexdigest()


def run(jobs: Iterable[Job], folder: Path, *, at_a_time: int, report: Callable[[Job, float], None]) -> dict[str, Path]:
    """Runs the jobs that are not done yet with their present fingerprints.

    Args:
      jobs: in the order in which they start.
      folder: gets a folder for each job, with `log` and the files that the job writes.
      at_a_time: number of processes at once.
      report: called with each job that has ended, and its seconds.

    Returns:
      The folder of each job by name. Its file `done` holds {"status": exit code or "time limit", "seconds": ...}.
    """
    folders = {job.name: folder / job.name for job in jobs}

    def run_one(job: Job) -> tuple[Job, float]:
        return job, _run(job, folders[job.name])

    todo = [job for job in jobs if outcome(folders[job.name]).get("fingerprint") != job.fingerprint]
    with concurrent.futures.ThreadPoolExecutor(at_a_time) as pool:
        for done in concurrent.futures.as_completed([pool.submit(run_one, job) for job in todo]):
            report(*done.result())
    return folders


def outcome(folder: Path) -> dict[str, Any]:
    """The content of `done`: fingerprint, status, seconds; {} if the job did not finish."""
    done = folder / "done"
    return dict(json.loads(done.read_text())) if done.exists() else {}


def _run(job: Job, folder: Path) -> float:
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
    done = {"fingerprint": job.fingerprint, "status": status, "seconds": round(seconds, 1)}
    (folder / "done").write_text(json.dumps(done))
    return seconds
