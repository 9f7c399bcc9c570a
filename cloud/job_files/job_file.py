"""The job file: one YAML document with the training, its strategy and its machines."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from cloud import backends
from cloud.cluster import DAY_S, STRATEGIES, ClusterSpec, Role, Scheduling, Strategy
from cloud.estimates import hardware
from cloud.job_files import reader, yaml_lines
from cloud.job_files.reader import Block, Log
from cloud.tasks.tf_config import ROLES
from tfod_tools.base.errors import ConfigError

_NAME = r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_NAME = re.compile(
    r"(?i)(^|_)(secret|token|passw(or)?d|password|credentials?|api_?key|access_?key|private_?key)(_|$)"
)
_SECRET_VALUE = re.compile(r"AKIA[0-9A-Z]{16}|gh[pousr]_\w{30,}|AIza[\w-]{35}|-----BEGIN|ya29\.|xox[bp]-|hf_\w{30,}")
_REFERENCE = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9_.-]+")
_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")
_MODULE = r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*|.+\.py"
_RESERVED = ("TF_CONFIG", "CLUSTER_SPEC")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFile:
    """The content of a job file.

    Attributes:
      path: the file, for messages.
      config: the pipeline.config; a path on this machine, or one that only the job sees (`gs://`, `s3://`).
      records: folder of records and label map as the job sees it; None if the config's own paths hold for the job.
      model_dir: folder of checkpoints as the job sees it.
      steps: last training step; None for the config's own.
      checkpoint_every: steps between checkpoints; None for the default.
      extension: file or module with the user's own feature extractor; None if there is none.
      cluster: the cluster, without the options of a back-end.
      options: by block, what only one back-end needs.
      lines: the lines of the fields that are checked against the config later.
    """

    path: str
    config: str
    records: str | None
    model_dir: str
    steps: int | None
    checkpoint_every: int | None
    extension: str | None
    cluster: ClusterSpec
    options: Mapping[str, Mapping[str, str]]
    lines: Mapping[str, int]


def read(path: Path) -> JobFile:
    """The content of the job file `path`. In it, relative paths begin in the folder of the file.

    Raises:
      ConfigError: the file is not text, or not YAML.
      Problems: fields are missing, unknown or wrong.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8 text. Name a job file; docs/cloud.md describes it.", path=path) from error
    file = parse(text, str(path))

    def placed(named: str) -> str:
        return named if "://" in named else str((path.parent / named).resolve())

    return dataclasses.replace(file, config=placed(file.config), model_dir=placed(file.model_dir))


def parse(text: str, path: str) -> JobFile:
    """The content of the job file `path`, from its `text`.

    Raises:
      ConfigError: the text is not YAML.
      Problems: fields are missing, unknown or wrong; in the order of the lines.
    """
    log = Log(path)
    top = Block(yaml_lines.read(text, path), "", log)
    log.raise_all()
    if "trainingInput" in top:
        log.add(
            top.line_of("trainingInput"),
            "is a document of AI Platform, which ended in 2025. Make a job file of it: tfod submit import-legacy FILE.",
        )
        log.raise_all()
    name = reader.checked(top, "name", _NAME, "1 to 30 lower-case letters, digits and hyphens, with a letter first")
    if "name" not in top:
        top.text("name", required=True)
    strategy = _strategy(top)
    found = JobFile(
        path=path,
        config=top.text("config", required=True) or "",
        records=top.text("records"),
        model_dir=top.text("model_dir", required=True) or "",
        steps=top.integer("steps", None, least=1),
        checkpoint_every=top.integer("checkpoint_every", None, least=1),
        extension=reader.checked(top, "extension", _MODULE, "a file that ends in .py, or the name of a module"),
        cluster=ClusterSpec(
            name=name or "",
            strategy=strategy,
            roles=_roles(top.block("cluster"), strategy, missing="cluster" not in top),
            image=_image(top),
            scheduling=_scheduling(top.block("scheduling")),
            environment=_environment(top),
            secrets=_secrets(top),
        ),
        options=_options(top),
        lines={key: top.line_of(key) for key in ("config", "extension", "strategy")},
    )
    top.end()
    log.raise_all()
    return found


def _strategy(top: Block) -> Strategy:
    """The strategy. Before there was this key, it was called style."""
    if "style" in top:
        value = top.text("style") or "estimator"
        top.log.add(top.line_of("style"), f"style is now called strategy. Write 'strategy: {value}'.")
        found = top.text("strategy", value)
    else:
        found = top.choice("strategy", STRATEGIES)
    return next((strategy for strategy in STRATEGIES if strategy == found), "estimator")


def _roles(block: Block, strategy: Strategy, *, missing: bool) -> dict[str, Role]:
    if missing:
        block.log.add(block.line, "cluster is missing. Add 'cluster: {chief: {cpus: ..., memory: ...}}'.")
    if not block.keys():
        return {}
    roles = {role: _role(block.block(role), role) for role in ROLES if role in block}
    for role in ROLES:
        block.value(role)
    block.end()
    if not set(block.keys()) - set(ROLES):
        _check_roles(block, roles, strategy)
    return {role: machines for role, machines in roles.items() if machines.count}


def _role(block: Block, role: str) -> Role:
    log = block.log
    cpus = block.integer("cpus", None, least=1)
    if "cpus" not in block:
        log.add(block.line, f"{block.name}.cpus is missing. Add 'cpus: 4' or more.")
    if "memory" not in block:
        log.add(block.line, f"{block.name}.memory is missing. Add 'memory: 15Gi' or more.")
    memory_gib = block.memory_gib("memory", 1)
    kind = block.text("accelerator")
    if kind and (reason := hardware.refusal(kind)):
        log.add(block.line_of("accelerator"), f"{block.name}.accelerator: {reason}")
        kind = None
    accelerators = block.integer("accelerators", 1 if kind else 0) or 0
    if accelerators and "accelerator" not in block:
        log.add(
            block.line_of("accelerators"),
            f"{block.name}.accelerators gives a number of GPUs, but no kind. Add 'accelerator: T4'.",
        )
    count = block.integer("count", 1)
    block.end()
    wanted = kind if accelerators else None
    return Role(
        count=1 if count is None else count, cpus=cpus or 1, memory_gib=memory_gib,
        accelerator=wanted, accelerators=accelerators if wanted else 0,
    )  # fmt: skip


def _check_roles(block: Block, roles: Mapping[str, Role], strategy: Strategy) -> None:
    counts = {role: machines.count for role, machines in roles.items()}

    def wrong(role: str, message: str) -> None:
        line = block.block(role).line_of("count") if role in block else block.line
        block.log.add(line, message)

    if counts.get("chief") != 1:
        wrong("chief", f"cluster has {counts.get('chief', 0)} chiefs. Give it exactly 1; the others are workers.")
    if counts.get("evaluator", 0) > 1:
        wrong("evaluator", f"cluster has {counts['evaluator']} evaluators. TensorFlow allows at most 1.")
    if strategy == "multi_worker_mirrored":
        _check_mirrored(counts, roles, wrong)
        return
    if counts.get("worker", 0) and not counts.get("ps", 0):
        wrong("worker", "cluster.worker: the strategy estimator needs parameter servers, which share the weights. Add "
                        "ps, or set strategy: multi_worker_mirrored.")  # fmt: skip
    if counts.get("ps", 0) and not counts.get("worker", 0):
        wrong(
            "ps",
            "cluster.ps: there are parameter servers but no workers to share the weights. Remove ps, or add worker.",
        )
    if counts.get("ps") and roles["ps"].accelerators:
        wrong("ps", "cluster.ps.accelerators: parameter servers do not use GPUs. Remove them.")


def _check_mirrored(counts: Mapping[str, int], roles: Mapping[str, Role], wrong: Callable[[str, str], None]) -> None:
    if counts.get("ps", 0):
        wrong(
            "ps",
            "cluster.ps: the strategy multi_worker_mirrored has no parameter servers. Remove ps, or set "
            "strategy: estimator.",
        )
    if counts.get("evaluator", 0):
        wrong("evaluator", "cluster.evaluator: the strategy multi_worker_mirrored has no evaluator. Remove it, and run "
                           "`tfod evaluate` with the model_dir, even during the training.")  # fmt: skip
    if "chief" in roles and counts.get("worker", 0):
        mine, theirs = roles["chief"], roles["worker"]
        if (mine.accelerator, mine.accelerators) != (theirs.accelerator, theirs.accelerators):
            wrong("worker", "cluster.worker: its GPUs differ from those of the chief. Every step waits for the slowest "
                            "machine. Give both the same GPUs.")  # fmt: skip


def _image(top: Block) -> str | None:
    image = top.text("image")
    if image and not _DIGEST.fullmatch(image):
        top.log.add(
            top.line_of("image"),
            f"image is '{image}', which can change while the job runs. Name its digest: NAME@sha256:<64 digits>.",
        )
    return image


def _scheduling(block: Block) -> Scheduling:
    spot = block.boolean("spot")
    restarts = block.integer("restarts", 3)
    limit = block.duration_s("time_limit", DAY_S)
    block.end()
    if limit > 30 * DAY_S:
        block.log.add(
            block.line_of("time_limit"),
            "scheduling.time_limit is above 30 days. No back-end allows that. Set at most 30d.",
        )
    return Scheduling(spot=spot, restarts=3 if restarts is None else restarts, time_limit_s=limit)


def _environment(top: Block) -> dict[str, str]:
    found = top.texts("environment")
    for name, (value, line) in found.items():
        if not _VARIABLE.fullmatch(name):
            top.log.add(line, f"environment: '{name}' cannot be the name of a variable. Use letters, digits and _.")
        elif name in _RESERVED or name.startswith("TFOD_"):
            top.log.add(line, f"environment.{name} is set by the job itself. Remove it.")
        elif _SECRET_NAME.search(name) or _SECRET_VALUE.search(value):
            top.log.add(line, f"environment.{name} looks like a secret. Do not keep secrets in files. Name its place "
                                f"in a secret store: 'secrets: {{{name}: SECRET/KEY}}'.")  # fmt: skip
    return {name: value for name, (value, _) in found.items()}


def _secrets(top: Block) -> dict[str, str]:
    found = top.texts("secrets")
    for name, (value, line) in found.items():
        if not _VARIABLE.fullmatch(name):
            top.log.add(line, f"secrets: '{name}' cannot be the name of a variable. Use letters, digits and _.")
        elif not _REFERENCE.fullmatch(value) or _SECRET_VALUE.search(value):
            top.log.add(
                line,
                f"secrets.{name} is not a reference. Write its place in a secret store as SECRET/KEY, not the secret.",
            )
    return {name: value for name, (value, _) in found.items()}


def _options(top: Block) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for name, keys in {facts.block: facts.options for facts in backends.all_facts().values()}.items():
        block = top.block(name)
        if name in top:
            for key in keys:
                if key.endswith("_gb"):
                    block.integer(key, None, least=1)
            found[name] = {key: text for key in keys if (text := block.text(key)) is not None}
            block.end()
    return found
