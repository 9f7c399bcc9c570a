"""A Slurm with four nodes on the loopback interface, during one test."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
NODES = 4
_FIRST_PORT = 17000 + os.getpid() % 400 * (NODES + 1)  # tests may run in several processes at once
_PATIENCE_S = 60

_SLURM = """\
ClusterName=tfod
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmUser=root
AuthInfo=socket={folder}/munge/socket,cred_expire=10
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SlurmdParameters=config_overrides
ReturnToService=2
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SchedulerParameters=bf_interval=1,bf_continue
NodeName=n[0-3] NodeHostname={host} NodeAddr=127.0.0.1 Port=[{first}-{last}] CPUs=2 RealMemory=8000
PartitionName=low Nodes=n[0-3] Default=YES PriorityTier=1 PreemptMode=REQUEUE
PartitionName=high Nodes=n[0-3] PriorityTier=10 PreemptMode=OFF
"""


def absent() -> list[str]:
    """The programs that are not installed."""
    return [program for program in PROGRAMS if shutil.which(program, path="/usr/sbin:/usr/bin") is None]


def missing() -> str | None:
    """Why Slurm cannot run here; None if it can."""
    if os.geteuid() != 0:
        return "Slurm's daemons need root"
    return f"not installed: {', '.join(absent())}. make long-test installs them" if absent() else None


@contextlib.contextmanager
def running(folder: Path) -> Iterator[Mapping[str, str]]:
    """Starts the daemons in `folder`, and ends only these processes.

    Yields:
      The variables with which Slurm's commands find the cluster.
    """
    for name in ("munge", "state"):
        (folder / name).mkdir(parents=True)
    host = socket.gethostname()
    (folder / "slurm.conf").write_text(
        _SLURM.format(host=host, folder=folder, controller=_FIRST_PORT, first=_FIRST_PORT + 1, last=_FIRST_PORT + NODES)
    )
    (folder / "cgroup.conf").write_text("CgroupPlugin=cgroup/v1\n")
    environment = {"SLURM_CONF": str(folder / "slurm.conf"), "PATH": f"/usr/sbin:/usr/bin:{os.environ['PATH']}"}
    started: list[subprocess.Popen[bytes]] = []

    def start(*words: str) -> None:
        log = (folder / f"{Path(words[0]).name}.out").open("ab")
        with log:
            started.append(
                subprocess.Popen(
                    words, env={**os.environ, **environment}, stdout=log, stderr=log, start_new_session=True
                )
            )

    try:
        _munge(folder, start)
        start("slurmctld", "-D")
        for node in range(NODES):
            start("slurmd", "-D", "-N", f"n{node}")
        _wait_for_nodes(environment)
        try:
            yield environment
        finally:
            _end_jobs(environment)
    finally:
        for process in reversed(started):
            process.send_signal(signal.SIGTERM)
        for process in reversed(started):
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _end_jobs(environment: Mapping[str, str]) -> None:
    """Cancels the jobs that still run. A step would go on after the daemons and wait for them."""

    def said(*words: str) -> str:
        return subprocess.run(
            words, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        ).stdout

    said("scancel", "--user=root")
    deadline = time.monotonic() + _PATIENCE_S
    while said("squeue", "--noheader").strip() and time.monotonic() < deadline:
        time.sleep(0.5)


def _munge(folder: Path, start: object) -> None:
    """Starts a separate munged, with its own key."""
    home = folder / "munge"
    (home / "key").write_bytes(os.urandom(128))
    (home / "key").chmod(0o400)
    for path in (home, *home.iterdir()):
        shutil.chown(path, "munge", "munge")
    for parent in (home, *home.parents):
        if parent == Path("/"):
            break
        parent.chmod(parent.stat().st_mode | 0o055)
    flags = ["--foreground", "--force", f"--socket={home}/socket", f"--key-file={home}/key", f"--pid-file={home}/pid",
             f"--log-file={home}/log", f"--seed-file={home}/seed"]  # fmt: skip
    assert callable(start)
    start("runuser", "-u", "munge", "--", "munged", *flags)
    deadline = time.monotonic() + _PATIENCE_S
    while not (home / "socket").exists():
        assert time.monotonic() < deadline, (folder / "runuser.out").read_text()
        time.sleep(0.1)


def _wait_for_nodes(environment: Mapping[str, str]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        words = ["sinfo", "--noheader", "--Node", "--format=%N %T", "--partition=low"]
        done = subprocess.run(words, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
        if done.stdout.split().count("idle") == NODES:
            return
        assert time.monotonic() < deadline, done.stdout + done.stderr
        time.sleep(0.5)
