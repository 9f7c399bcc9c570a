"""The script that sbatch takes, with a job step for each role."""

from __future__ import annotations

import shlex

from cloud import submission
from cloud.cluster import ClusterSpec, Role
from cloud.job import TrainJob
from cloud.submission import Submission
from cloud.tasks import words

FILE = "job.sbatch"


def plan(job: TrainJob, cluster: ClusterSpec) -> Submission:
    """The script.

    Raises:
      ConfigError: the job has secrets, or its model_dir is not a path.
    """
    submission.no_secrets(cluster, "slurm", "Let the line in slurm.setup read them from their store.")
    submission.remote(job, "slurm", "/")

    def render(name: str, run_id: str) -> dict[str, submission.Content]:
        return {FILE: script(name, job, cluster)}

    notes = ("slurm runs no containers. The image is not used.",) if cluster.image else ()
    return submission.planned("slurm", cluster, render, lambda name, run_id: ("sbatch", "--parsable", FILE), notes)


def components(cluster: ClusterSpec) -> list[list[str]]:
    """The roles of each component of the job. Roles that need the same machines share a component."""
    groups: dict[tuple[object, ...], list[str]] = {}
    for role, wanted in cluster.roles.items():
        key = (wanted.cpus, wanted.memory_gib, wanted.accelerator, wanted.accelerators)
        groups.setdefault(key, []).append(role)
    return list(groups.values())


def script(name: str, job: TrainJob, cluster: ClusterSpec) -> str:
    """The text that sbatch takes."""
    groups = components(cluster)
    directives = [_directives(group, cluster) for group in groups]
    separator = "\n#SBATCH hetjob\n"
    setup = cluster.options.get("setup")
    lines = [
        "#!/bin/bash",
        *_of_the_whole(name, job, cluster),
        separator.join("\n".join(part) for part in directives).replace("\n\n", "\n"),
        "",
        f"mkdir -p {shlex.quote(job.model_dir)}",
        *(f"export {key}={shlex.quote(value)}" for key, value in cluster.environment.items()),
        f"export {words.COUNTS_VARIABLE}={shlex.quote(_counts(groups, cluster))}",
        *([setup] if setup else []),
        "",
        *_steps(groups, job, cluster),
    ]
    return "\n".join(lines) + "\n"


def _of_the_whole(name: str, job: TrainJob, cluster: ClusterSpec) -> list[str]:
    schedule = cluster.scheduling
    minutes = -(-schedule.time_limit_s // 60)
    return [
        f"#SBATCH --job-name={name}",
        f"#SBATCH --output={job.model_dir.rstrip('/')}/{name}.log",
        "#SBATCH --open-mode=append",
        f"#SBATCH --time={minutes}",
        "#SBATCH --requeue" if schedule.restarts else "#SBATCH --no-requeue",
        *(f"#SBATCH --{key}={cluster.options[key]}" for key in ("account", "qos") if key in cluster.options),
    ]


def _directives(group: list[str], cluster: ClusterSpec) -> list[str]:
    wanted: Role = cluster.roles[group[0]]
    count = sum(cluster.roles[role].count for role in group)
    partition = cluster.options.get("partition")
    gpus = f"{wanted.accelerator.lower()}:{wanted.accelerators}" if wanted.accelerator else ""
    return [
        *([f"#SBATCH --partition={partition}"] if partition else []),
        f"#SBATCH --nodes={count}",
        "#SBATCH --ntasks-per-node=1",
        f"#SBATCH --cpus-per-task={wanted.cpus}",
        f"#SBATCH --mem={round(wanted.memory_gib * 1024)}M",
        *([f"#SBATCH --gres=gpu:{gpus}"] if gpus else []),
    ]


def _counts(groups: list[list[str]], cluster: ClusterSpec) -> str:
    """`chief=1,worker=5;ps=3`: the roles of each component, in the order of their nodes."""
    return ";".join(",".join(f"{role}={cluster.roles[role].count}" for role in group) for group in groups)


def _steps(groups: list[list[str]], job: TrainJob, cluster: ClusterSpec) -> list[str]:
    python = cluster.options.get("python", "python")
    lines = []
    for index, group in enumerate(groups):
        first = 0
        for role in group:
            count = cluster.roles[role].count
            het = [f"--het-group={index}"] if len(groups) > 1 else []
            task = words.of_task(job, "slurm", restarts=cluster.scheduling.restarts)
            srun = [
                "srun", *het, f"--relative={first}", f"--nodes={count}", f"--ntasks={count}", "--ntasks-per-node=1",
                "--cpus-per-task=" + str(cluster.roles[role].cpus), "--kill-on-bad-exit=1", "--label",
                "env", f"{words.ROLE_VARIABLE}={role}", python, *task,
            ]  # fmt: skip
            lines.append(f"{shlex.join(srun)} & {role}=$!")
            first += count
    waits = [role for role in ("chief", "evaluator") if role in cluster.roles]
    terminate = "trap 'kill -TERM " + " ".join(f"${role}" for role in cluster.roles) + "; wait' TERM"
    return [*lines, terminate, "status=0", *(f'wait "${role}" || status=$?' for role in waits), 'exit "$status"']
