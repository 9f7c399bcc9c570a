"""Jobs of Slurm, through its own commands: sbatch, squeue, sacct or scontrol, and scancel."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from cloud import processes
from cloud.cluster import ClusterSpec
from cloud.submission import ENDED, RunStatus, State, Submission
from cloud.tasks import progress_lines
from tfod_tools.base.errors import CheckpointError, EngineError

_STATES: Mapping[str, State] = {
    "PENDING": "QUEUED", "REQUEUED": "QUEUED", "SUSPENDED": "QUEUED", "RUNNING": "RUNNING", "COMPLETING": "RUNNING",
    "CONFIGURING": "RUNNING", "COMPLETED": "SUCCEEDED", "CANCELLED": "CANCELLED", "FAILED": "FAILED",
    "TIMEOUT": "FAILED", "NODE_FAIL": "FAILED", "OUT_OF_MEMORY": "FAILED", "PREEMPTED": "QUEUED",
    "BOOT_FAIL": "FAILED", "DEADLINE": "FAILED",
}  # fmt: skip
_POLL_S = 1.0
_OUTPUT = re.compile(r"^#SBATCH --output=(.+)$", re.MULTILINE)


def submit(plan: Submission, cluster: ClusterSpec) -> str:
    """Submits the script and returns the number of the job. A job of this name that has not ended is not sent again.

    Raises:
      EngineError: sbatch refuses the script.
    """
    there = _queued(plan)
    if there:
        return f"job {there[0]} (it was there already)"
    (text,) = plan.files.values()
    _log_of(plan).parent.mkdir(parents=True, exist_ok=True)
    done = processes.run(["sbatch", "--parsable"], text)
    if done.status:
        raise EngineError(f"sbatch refuses the job: {done.err}")
    return f"job {done.out.strip().partition(';')[0]}"


def status(plan: Submission, cluster: ClusterSpec) -> RunStatus:
    """The state of the latest job of this name.

    Raises:
      CheckpointError: Slurm has no such job.
    """
    log = _log_of(plan)
    step = (
        progress_lines.last_step(_unlabelled(log.read_text(encoding="utf-8", errors="replace")))
        if log.exists()
        else None
    )
    there = _queued(plan) or _past(plan)
    if there is None:
        raise CheckpointError("Slurm has no job of this name. Start it with `tfod submit run`.", path=plan.name)
    number, word, reason = there
    state = _STATES.get(word.split()[0].rstrip("+"), "UNKNOWN")
    return RunStatus(state=state, where=f"job {number}", step=step, message="" if reason == "None" else reason)


def logs(plan: Submission, cluster: ClusterSpec, *, follow: bool) -> Iterator[str]:
    """The lines of the job's output, in which all tasks write; with `follow`, until the job ends."""
    log, at = _log_of(plan), 0
    while True:
        ended = not follow or status(plan, cluster).state in ENDED
        text = log.read_text(encoding="utf-8", errors="replace")[at:] if log.exists() else ""
        whole = text if ended else text[: text.rfind("\n") + 1]
        at += len(whole)
        yield from _unlabelled(whole).splitlines()
        if ended:
            return
        time.sleep(_POLL_S)


def cancel(plan: Submission, cluster: ClusterSpec) -> None:
    """Cancels every job of this name.

    Raises:
      EngineError: scancel refuses to.
    """
    done = processes.run(["scancel", f"--name={plan.name}"])
    if done.status:
        raise EngineError(f"scancel refuses: {done.err}")


def _log_of(plan: Submission) -> Path:
    """The file that the script names for its output."""
    (text,) = plan.files.values()
    match = _OUTPUT.search(text)
    assert match, "every script names its output"
    return Path(match[1])


def _queued(plan: Submission) -> tuple[str, str, str] | None:
    done = processes.run(["squeue", f"--name={plan.name}", "--noheader", "--format=%i|%T|%r"])
    if done.status:
        raise EngineError(f"squeue refuses: {done.err}")
    return _first(done.out)


def _past(plan: Submission) -> tuple[str, str, str] | None:
    """From accounting; without accounting, from the memory of the controller."""
    done = processes.run(
        ["sacct", f"--name={plan.name}", "--noheader", "--parsable2", "--allocations", "--format=JobID,State,Reason"]
    )
    found = _first("\n".join(reversed(done.out.splitlines()))) if not done.status else None
    return found or _remembered(plan)


def _remembered(plan: Submission) -> tuple[str, str, str] | None:
    done = processes.run(["scontrol", "--oneliner", "show", "job"])
    jobs = [dict(word.partition("=")[::2] for word in line.split()) for line in done.out.splitlines()]
    mine = [job for job in jobs if job.get("JobName") == plan.name]
    return (mine[-1]["JobId"], mine[-1]["JobState"], mine[-1].get("Reason", "")) if mine else None


def _first(out: str) -> tuple[str, str, str] | None:
    """Number, state and reason from the first row of a table."""
    rows = [line.split("|") for line in out.splitlines() if line.count("|") == 2]
    return (rows[0][0].strip(), rows[0][1].strip(), rows[0][2].strip()) if rows else None


def _unlabelled(text: str) -> str:
    """Removes the number of the task, which `srun --label` writes before each line."""
    return re.sub(r"^ *\d+: ", "", text, flags=re.MULTILINE)
