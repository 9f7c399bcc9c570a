"""The job file: one YAML document that says what is trained, how it is shared, and on what."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from cloud.cluster import DAY_S, STYLES, ClusterSpec, Role, Scheduling, Style
from cloud.estimates import hardware
from cloud.job_files import reader, yaml_lines
from cloud.job_files.reader import Block, Log
from cloud.tasks.tf_config import ROLES

# What each back-end may be told in the block of its name.
OPTIONS: Mapping[str, tuple[str, ...]] = {
    "vertex": ("project", "region", "service_account", "network", "disk_gb"),
    "kubernetes": (
        *("namespace", "service_account", "gpu_node_selector", "spot_node_selector", "volume_claim", "mount_path"),
    ),
    "slurm": ("partition", "account", "qos", "python", "setup"),
    "local": (),
    "skypilot": ("infra", "bucket"),
    "sagemaker": ("role_arn", "bucket", "region", "volume_gb"),
    "azureml": ("compute", "experiment"),
}

_NAME = r"[a-z]([a-z0-9-]{0,28}[a-z0-9])?"
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_SECRET_NAME = re.compile(
    r"(?i)(^|_)(secret|token|passw(or)?d|password|credentials?|api_?key|access_?key|private_?key)(_|$)"
)
_SECRET_VALUE = re.compile(r"AKIA[0-9A-Z]{16}|gh[pousr]_\w{30,}|AIza[\w-]{35}|-----BEGIN|ya29\.|xox[bp]-|hf_\w{30,}")
_REFERENCE = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?/[A-Za-z0-9_.-]+")
_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")
_RESERVED = ("TF_CONFIG", "CLUSTER_SPEC")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobFile:
    """What a job file says.

    Attributes:
      path: the file, for messages.
      config: the pipeline.config; a path on this machine, or one that only the job sees (`gs://`, `s3://`).
      records: folder of records and label map as the job sees it; None where the config's own paths hold there.
      model_dir: folder of checkpoints as the job sees it.
      steps: last training step; None for the config's own.
      checkpoint_every: steps between checkpoints; None for the usual.
      cluster: what it runs on, without the options of a back-end.
      options: by back-end, what only that one needs.
      lines: where the fields stand that are checked against the config later on.
    """

    path: str
    config: str
    records: str | None
    model_dir: str
    steps: int | None
    checkpoint_every: int | None
    cluster: ClusterSpec
    options: Mapping[str, Mapping[str, str]]
    lines: Mapping[str, int]


def parse(text: str, path: str) -> JobFile:
    """What the document `text` of the file `path` says.

    Raises:
      ConfigError: it is no YAML.
      Problems: every field that is missing, unknown or wrong, by line.
    """
    log = Log(path)
    top = Block(yaml_lines.read(text, path), "", log)
    log.raise_all()
    if "trainingInput" in top:
        log.add(
            top.line_of("trainingInput"),
            "is an AI Platform document, of a service that ended in 2025. Run: submit import-legacy --from=FILE.",
        )
        log.raise_all()
    name = reader.checked(top, "name", _NAME, "1 to 30 lower-case letters, digits and hyphens, a letter first")
    if "name" not in top:
        top.text("name", required=True)
    style: Style = top.choice("style", STYLES) or "estimator"  # type: ignore[assignment]
    found = JobFile(
        path=path,
        config=top.text("config", required=True) or "",
        records=top.text("records"),
        model_dir=top.text("model_dir", required=True) or "",
        steps=top.integer("steps", None, least=1),
        checkpoint_every=top.integer("checkpoint_every", None, least=1),
        cluster=ClusterSpec(
            name=name or "",
            style=style,
            roles=_roles(top.block("cluster"), style, missing="cluster" not in top),
            image=_image(top),
            scheduling=_scheduling(top.block("scheduling")),
            environment=_environment(top),
            secrets=_secrets(top),
        ),
        options=_options(top),
        lines={key: top.line_of(key) for key in ("config", "records", "model_dir", "style")},
    )
    top.end()
    log.raise_all()
    return found


def _roles(block: Block, style: Style, *, missing: bool) -> dict[str, Role]:
    if missing:
        block.log.add(block.line, "cluster is missing. Add 'cluster: {chief: {cpus: ..., memory: ...}}'.")
    if not block.keys():
        return {}
    roles = {role: _role(block.block(role), role) for role in ROLES if role in block}
    for role in ROLES:
        block.value(role)
    block.end()
    if not set(block.keys()) - set(ROLES):
        _check_roles(block, roles, style)
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
            block.line_of("accelerators"), f"{block.name}.accelerators says how many, not which. Add 'accelerator: T4'."
        )
    count = block.integer("count", 1)
    block.end()
    wanted = kind if accelerators else None
    return Role(
        count=1 if count is None else count, cpus=cpus or 1, memory_gib=memory_gib,
        accelerator=wanted, accelerators=accelerators if wanted else 0,
    )  # fmt: skip


def _check_roles(block: Block, roles: Mapping[str, Role], style: Style) -> None:
    counts = {role: machines.count for role, machines in roles.items()}

    def wrong(role: str, message: str) -> None:
        line = block.block(role).line_of("count") if role in block else block.line
        block.log.add(line, message)

    if counts.get("chief") != 1:
        found = counts.get("chief", "none")
        wrong("chief", f"cluster.chief: there are {found}, expected exactly 1; the others are workers.")
    if counts.get("evaluator", 0) > 1:
        wrong("evaluator", f"cluster.evaluator: there are {counts['evaluator']}, and TensorFlow knows at most 1.")
    if style == "multi_worker_mirrored":
        _check_mirrored(counts, roles, wrong)
        return
    if counts.get("worker", 0) and not counts.get("ps", 0):
        wrong("worker", "cluster.worker: style estimator shares weights through parameter servers, and there are none. "
                        "Add ps, or set style: multi_worker_mirrored.")  # fmt: skip
    if counts.get("ps", 0) and not counts.get("worker", 0):
        wrong(
            "ps",
            "cluster.ps: there are parameter servers but no workers, so nothing is shared. Drop ps, or add worker.",
        )
    if counts.get("ps") and roles["ps"].accelerators:
        wrong("ps", "cluster.ps.accelerators: parameter servers compute nothing on GPUs. Drop them.")


def _check_mirrored(counts: Mapping[str, int], roles: Mapping[str, Role], tell: Callable[[str, str], None]) -> None:
    if counts.get("ps", 0):
        tell(
            "ps", "cluster.ps: style multi_worker_mirrored has no parameter servers. Drop ps, or set style: estimator."
        )
    if counts.get("evaluator", 0):
        tell("evaluator", "cluster.evaluator: style multi_worker_mirrored has none here. Run `tfod evaluate` on its "
                          "model_dir, also while it trains.")  # fmt: skip
    if "chief" in roles and counts.get("worker", 0):
        mine, theirs = roles["chief"], roles["worker"]
        if (mine.accelerator, mine.accelerators) != (theirs.accelerator, theirs.accelerators):
            tell("worker", "cluster.worker: its GPUs differ from the chief's; every step waits for the slowest. "
                           "Make them the same.")  # fmt: skip


def _image(top: Block) -> str | None:
    image = top.text("image")
    if image and not _DIGEST.fullmatch(image):
        top.log.add(
            top.line_of("image"),
            f"image is '{image}', expected a digest, which cannot change: NAME@sha256:<64 digits>.",
        )
    return image


def _scheduling(block: Block) -> Scheduling:
    spot = block.boolean("spot")
    restarts = block.integer("restarts", 3)
    limit = block.duration_s("time_limit", DAY_S)
    block.end()
    if limit > 30 * DAY_S:
        block.log.add(block.line_of("time_limit"), "scheduling.time_limit is above 30 days, which no back-end grants.")
    return Scheduling(spot=spot, restarts=3 if restarts is None else restarts, time_limit_s=limit)


def _environment(top: Block) -> dict[str, str]:
    found = top.texts("environment")
    for name, (value, line) in found.items():
        if not _VARIABLE.fullmatch(name):
            top.log.add(line, f"environment: '{name}' is no name of a variable.")
        elif name in _RESERVED or name.startswith("TFOD_"):
            top.log.add(line, f"environment.{name} is set by the job itself. Drop it.")
        elif _SECRET_NAME.search(name) or _SECRET_VALUE.search(value):
            top.log.add(line, f"environment.{name} looks like a secret, which must not lie in a file. Name where it is "
                                f"kept: 'secrets: {{{name}: SECRET/KEY}}'.")  # fmt: skip
    return {name: value for name, (value, _) in found.items()}


def _secrets(top: Block) -> dict[str, str]:
    found = top.texts("secrets")
    for name, (value, line) in found.items():
        if not _VARIABLE.fullmatch(name):
            top.log.add(line, f"secrets: '{name}' is no name of a variable.")
        elif not _REFERENCE.fullmatch(value) or _SECRET_VALUE.search(value):
            top.log.add(line, f"secrets.{name} is no reference. Write where it is kept, as SECRET/KEY, never itself.")
    return {name: value for name, (value, _) in found.items()}


def _options(top: Block) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for backend, known in OPTIONS.items():
        block = top.block(backend)
        if backend in top:
            for key in known:
                if key.endswith("_gb"):
                    block.integer(key, None, least=1)
            found[backend] = {key: text for key in known if (text := block.text(key)) is not None}
            block.end()
    return found
