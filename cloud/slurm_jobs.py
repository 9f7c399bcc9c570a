"""Slurm by its own commands: sbatch, squeue, sacct or scontrol, scancel."""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from cloud import processes
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


def submit(plan: Submission) -> str:
    """Submits the script, unless a job of its name is queued or running; returns the job's number.

    Raises:
      EngineError: sbatch refuses it.
    """
    there = _queued(plan)
    if there:
        return f"job {there[0]} (it was there already)"
    (text,) = plan.files.values()
    log_of(plan).parent.mkdir(parents=True, exist_ok=True)
    done = processes.run(["sbatch", "--parsable"], text)
    if done.status:
        raise EngineError(f"sbatch refuses the job: {done.err}")
    return f"job {done.out.strip().partition(';')[0]}"


def status(plan: Submission) -> RunStatus:
    """Where the latest job of that name is.

    Raises:
      CheckpointError: Slurm knows none.
    """
    log = log_of(plan)
    step = (
        progress_lines.last_step(_unlabelled(log.read_text(encoding="utf-8", errors="replace")))
        if log.exists()
        else None
    )
    there = _queued(plan) or _past(plan)
    if there is None:
        raise CheckpointError("Slurm knows no job of that name. `submit run` starts it.", path=plan.name)
    number, word, reason = there
    state = _STATES.get(word.split()[0].rstrip("+"), "UNKNOWN")
    return RunStatus(state=state, where=f"job {number}", step=step, message="" if reason == "None" else reason)


def logs(plan: Submission, *, follow: bool) -> Iterator[str]:
    """The lines of the job's output; with `follow`, until it ends."""
    log, at = log_of(plan), 0
    while True:
        ended = not follow or status(plan).state in ENDED
        text = log.read_text(encoding="utf-8", errors="replace")[at:] if log.exists() else ""
        whole = text if ended else text[: text.rfind("\n") + 1]
        at += len(whole)
        yield from _unlabelled(whole).splitlines()
        if ended:
            return
        time.sleep(_POLL_S)


def cancel(plan: Submission) -> None:
    """Cancels every job of that name.

    Raises:
      EngineError: scancel refuses.
    """
    done = processes.run(["scancel", f"--name={plan.name}"])
    if done.status:
        raise EngineError(f"scancel: {done.err}")


def address(host_and_port: str) -> str:
    """The same with the node's address, where the network does not know it by its name in Slurm."""
    node, _, port = host_and_port.rpartition(":")
    try:
        socket.getaddrinfo(node, None)
    except OSError:
        done = processes.run(["scontrol", "--oneliner", "show", "node", node])
        match = re.search(r" NodeAddr=(\S+)", done.out)
        return f"{match[1]}:{port}" if match else host_and_port
    return host_and_port


def log_of(plan: Submission) -> Path:
    """Where the script says that its output goes."""
    (text,) = plan.files.values()
    match = _OUTPUT.search(text)
    assert match, "the plan names its output"
    return Path(match[1])


def _queued(plan: Submission) -> tuple[str, str, str] | None:
    done = processes.run(["squeue", f"--name={plan.name}", "--noheader", "--format=%i|%T|%r"])
    if done.status:
        raise EngineError(f"squeue: {done.err}")
    return _first(done.out)


def _past(plan: Submission) -> tuple[str, str, str] | None:
    """From accounting, or where there is none from what the controller still remembers."""
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
    """Number, state and reason in the first line of a table."""
    rows = [line.split("|") for line in out.splitlines() if line.count("|") == 2]
    return (rows[0][0].strip(), rows[0][1].strip(), rows[0][2].strip()) if rows else None


def _unlabelled(text: str) -> str:
    """Without the number of the task that `srun --label` puts before each line."""
    return re.sub(r"^ *\d+: ", "", text, flags=re.MULTILINE)
