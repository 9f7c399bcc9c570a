"""Reads a document of AI Platform Training (`trainingInput`) and makes a job file of it."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

from cloud.ai_platform import machines as legacy_machines
from cloud.ai_platform import writing as legacy_writing
from cloud.ai_platform.writing import Change, Imported
from cloud.cluster import Role, Strategy
from cloud.estimates import hardware
from cloud.job_files import yaml_lines
from cloud.job_files.reader import Block, Log
from tfod_tools.base import plugins

TIERS = ("BASIC", "BASIC_GPU", "CUSTOM", "STANDARD_1", "PREMIUM_1", "BASIC_TPU")
# The names of the roles in AI Platform. The names of their fields begin with them.
_ROLES = {"chief": "master", "worker": "worker", "ps": "parameterServer", "evaluator": "evaluator"}
_ESTIMATOR_MODULES = ("object_detection.model_main", "object_detection.train", "object_detection.legacy.train")


def import_file(path: Path) -> Imported:
    """The job file of the document in `path`. The job gets the name of the file.

    Raises:
      ConfigError, Problems: see `read`.
    """
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "job"
    text = path.read_text(encoding="utf-8", errors="replace")
    return read(text, str(path), f"job-{name}"[:30].rstrip("-"))


def read(text: str, path: str, name: str) -> Imported:
    """The job file of a document.

    Args:
      text: of the document.
      path: of its file, for errors.
      name: for the job.

    Raises:
      ConfigError: the text is not YAML.
      Problems: it is not such a document, or uses what is not available: TPUs, hyperparameter tuning, unknown machines.
    """
    log = Log(path)
    top = Block(yaml_lines.read(text, path), "", log)
    log.raise_all()
    if "trainingInput" not in top:
        log.add(1, "has no trainingInput. Name a document of AI Platform Training.")
        log.raise_all()
    for key in ("jobId", "labels"):
        top.value(key)
    found = _Import(top.block("trainingInput"))
    imported = found.job_file(name)
    top.end()
    log.raise_all()
    return imported


class _Import:
    """Reads a `trainingInput` once, and collects changes and questions."""

    def __init__(self, block: Block) -> None:
        self._block = block
        self._changes: list[Change] = []
        self._questions: list[str] = []

    def job_file(self, name: str) -> Imported:
        block = self._block
        flags = legacy_writing.flags(block)
        roles = self._roles()
        strategy = self._strategy(roles)
        fields = {
            "name": name,
            "strategy": strategy,
            "config": flags.get("pipeline_config_path"),
            "model_dir": flags.get("model_dir") or block.text("jobDir") or flags.get("job-dir"),
            "steps": flags.get("num_train_steps"),
            "image": None,
        }
        scheduling = self._scheduling()
        vertex = {
            "project": None,
            "region": block.text("region"),
            "service_account": block.text("serviceAccount"),
            "network": block.text("network"),
        }
        self._drop()
        self._ask(fields, vertex)
        block.end()
        text = legacy_writing.text(fields, roles, scheduling, vertex, self._questions)
        return Imported(text=text, questions=tuple(self._questions), changes=tuple(self._changes))

    def _roles(self) -> dict[str, Role]:
        block = self._block
        tier = block.choice("scaleTier", TIERS, "BASIC")
        if "hyperparameters" in block:
            block.value("hyperparameters")
            block.log.add(block.line_of("hyperparameters"), legacy_writing.TUNING)
        if tier == "BASIC_TPU":
            block.log.add(block.line_of("scaleTier"), f"scaleTier BASIC_TPU: {hardware.refusal('TPU')}")
        if tier != "CUSTOM":
            return self._tier(tier or "BASIC")
        found = {role: self._role(role, old) for role, old in _ROLES.items()}
        return {role: wanted for role, wanted in found.items() if wanted and wanted.count}

    def _tier(self, tier: str) -> dict[str, Role]:
        line = self._block.line_of("scaleTier")
        if tier in ("STANDARD_1", "PREMIUM_1"):
            self._questions.append(
                f"cluster: how many workers and parameter servers, on which machines? {tier} chose them itself."
            )
            self._note("scaleTier", line, tier, "one chief", "see the question")
        machine = legacy_machines.MACHINES["standard_gpu" if tier == "BASIC_GPU" else "standard"]
        if machine.why:
            self._note("scaleTier", line, machine.was, legacy_writing.shape(machine.now), machine.why)
        return {"chief": machine.now}

    def _role(self, role: str, old: str) -> Role | None:
        block = self._block
        count = 1 if role == "chief" else block.integer(f"{old}Count", 0)
        key = f"{old}Type"
        named = block.text(key)
        config = block.block(f"{old}Config")
        for ignored in ("imageUri", "containerCommand", "containerArgs", "tpuTfVersion", "diskConfig"):
            if config.value(ignored):
                self._note(f"{old}Config.{ignored}", config.line_of(ignored), "set", "", "all roles use the same image")
        gpus = config.block("acceleratorConfig")
        kind, number = gpus.text("type"), gpus.integer("count", 1)
        gpus.end()
        config.end()
        if not count:
            return None
        if named is None:
            block.log.add(
                block.line, f"{key} is missing, and scaleTier CUSTOM has no default for it. Add '{key}: ...'."
            )
            return None
        machine = legacy_machines.named(named)
        if machine is None:
            self._unknown(key, named)
            return None
        if machine.why or named in legacy_machines.MACHINES:
            self._note(
                key,
                block.line_of(key),
                f"{named} ({machine.was})",
                legacy_writing.shape(machine.now),
                machine.why or "the same machine",
            )
        wanted = dataclasses.replace(machine.now, count=count)
        return self._with_gpus(wanted, gpus, kind, number or 1) if kind else wanted

    def _note(self, field: str, line: int, was: str, now: str, why: str) -> None:
        self._changes.append(Change(field=field, line=line, was=was, now=now, why=why))

    def _unknown(self, key: str, named: str) -> None:
        line = self._block.line_of(key)
        if "tpu" in named:
            self._block.log.add(line, f"{key} is {named}: {hardware.refusal('TPU')}")
            return
        hint = plugins.suggestion(named, legacy_machines.MACHINES)
        self._block.log.add(line, f"{key}: AI Platform had no machine '{named}'. {hint}")

    def _with_gpus(self, wanted: Role, gpus: Block, named: str, count: int) -> Role:
        kind, why = legacy_machines.accelerator(named)
        line = gpus.line_of("type")
        if kind is None:
            gpus.log.add(line, f"acceleratorConfig.type: {hardware.refusal(named)}")
            return wanted
        if why:
            self._note("acceleratorConfig", line, f"{count} {named}", f"{count} {kind}", why)
        return dataclasses.replace(wanted, accelerator=kind, accelerators=count)

    def _strategy(self, roles: dict[str, Role]) -> Strategy | None:
        module = self._block.text("pythonModule")
        if module == "object_detection.model_main_tf2":
            return "multi_worker_mirrored"
        if module in _ESTIMATOR_MODULES or "ps" in roles:
            return "estimator"
        self._questions.append(
            "strategy: does the config train in TF1 style (estimator) or TF2 style (multi_worker_mirrored)?"
        )
        return None

    def _scheduling(self) -> int | None:
        block = self._block.block("scheduling")
        texts = {key: block.text(key) for key in ("maxRunningTime", "maxWaitTime", "priority")}
        block.end()
        limit = texts["maxRunningTime"]
        if limit is None:
            self._note(
                "scheduling.maxRunningTime",
                self._block.line,
                "7 days, if left out",
                "24 h",
                "so a job that hangs costs at most a day; scheduling.time_limit sets it",
            )
            return None
        match = re.fullmatch(r"(\d+)(?:\.\d+)?s", limit)
        if not match:
            block.log.add(
                block.line_of("maxRunningTime"), f"maxRunningTime is '{limit}'. Write seconds, such as 7200s."
            )
            return None
        return int(match[1])

    def _drop(self) -> None:
        for key, why in legacy_writing.DROPPED.items():
            if self._block.value(key):
                was = (
                    self._block.text(key) if key in ("runtimeVersion", "pythonVersion", "useChiefInTfConfig") else "set"
                )
                self._note(key, self._block.line_of(key), was or "", "", why)

    def _ask(self, fields: dict[str, str | None], vertex: dict[str, str | None]) -> None:
        self._questions += [f"{key}: {text}" for key, text in legacy_writing.ASKED.items() if not fields[key]]
        self._questions += [
            f"vertex.{key}: which {key}? It was a flag of gcloud." for key in ("project", "region") if not vertex[key]
        ]
        if not fields["steps"]:
            self._note(
                "args",
                self._block.line,
                "no --num_train_steps",
                "",
                "num_steps of the config decides; set steps if only the job sees the config",
            )
