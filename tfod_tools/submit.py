"""Run training on a cluster or in a cloud, as a job file describes it.

    python -m tfod_tools.submit plan --job=job.yaml --backend=vertex

ACTION is one of

    plan            show what would be sent, what it costs and whether it fits; with --output, write it there
    run             send it; a plan that is already under way is found, not sent twice
    status          where it is, and at which step
    logs            its log; with --follow, until it ends
    cancel          end it; trainers save a checkpoint if they are left the time
    import-legacy   make a job file of an AI Platform document (--from=cloud.yml)
    bundle          pack config, label map and code, with checksums and Dockerfiles, into --output

docs/cloud.md describes the job file and each back-end.

Exit codes: 0 fine, 1 usage, 2 the job file or its config is wrong, or the back-end refuses it, 3 the document was
translated and leaves questions open, 4 the run failed, 130 stopped by you.
"""

from __future__ import annotations

import dataclasses
import datetime
import re
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from tfod_tools import app
from tfod_tools.base import files, plugins, tables
from tfod_tools.base.errors import ConfigError, EngineError, UsageError

if TYPE_CHECKING:
    from cloud.job_files.job_file import JobFile
    from cloud.planning import Config, Planned

FLAGS = app.Flags(writes=True)
_JOB = flags.DEFINE_string("job", None, "The job file.", flag_values=FLAGS)
_BACKEND = flags.DEFINE_string("backend", None, "Where it runs; a file of cloud/backends.", flag_values=FLAGS)
_OUTPUT = flags.DEFINE_string("output", None, "Where plan, import-legacy and bundle write.", flag_values=FLAGS)
_PRICES = flags.DEFINE_string("prices", None, "A table of prices whose entries replace ours.", flag_values=FLAGS)
_FOLLOW = flags.DEFINE_bool("follow", False, "logs: go on until the run ends.", flag_values=FLAGS)
_FROM = flags.DEFINE_string("from", None, "import-legacy: the AI Platform document.", flag_values=FLAGS)
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "Show what would be done, do nothing.", flag_values=FLAGS)


def main(arguments: Sequence[str]) -> int:
    """Does what the first argument says."""
    if not arguments:
        raise UsageError(f"no action is named. Expected one of {', '.join(_ACTIONS)}.")
    action, *rest = arguments
    if action not in _ACTIONS:
        raise UsageError(f"no action is called '{action}'. {plugins.suggestion(action, _ACTIONS)}")
    app.no_arguments(rest)
    return _ACTIONS[action]()


def _plan() -> int:
    from cloud import planning, record_paths

    planned = _planned()
    today = datetime.datetime.now(datetime.timezone.utc).date()
    more = (*planning.stale_prices(planned.prices, today), *record_paths.blind(planned.reads))
    print(planning.text(planned, more))
    if _OUTPUT.value and not _DRY_RUN.value:
        folder = files.local_path(_OUTPUT.value)
        for name, content in planned.submission.files.items():
            files.write_atomically(folder / name, content.encode())
    return 0


def _run() -> int:
    if _DRY_RUN.value:
        return _plan()
    from cloud import record_paths

    planned = _sendable()
    record_paths.look_for(planned.reads, _JOB.value)
    for warning in (*planned.fit.warnings, *planned.submission.notes, *record_paths.blind(planned.reads)):
        print(f"warning: {warning}", file=sys.stderr)
    print(f"{planned.submission.name}: {planned.backend.submit(planned.submission, planned.cluster)}")
    flags_ = shlex.join((f"--job={_JOB.value}", f"--backend={_BACKEND.value}"))
    print(f"Next: python -m tfod_tools.submit logs --follow {flags_}")
    return 0


def _status() -> int:
    planned = _sendable()
    status = planned.backend.status(planned.submission, planned.cluster)
    print(f"{planned.submission.name} on {planned.submission.backend}: {status.summary(planned.job.steps)}")
    if status.tasks:
        tables.show(("task", "state", "restarts", "exit code"), [task.row() for task in status.tasks])
    return EngineError.exit_code if status.state == "FAILED" else 0


def _logs() -> int:
    planned = _sendable()
    for line in planned.backend.logs(planned.submission, planned.cluster, follow=_FOLLOW.value):
        print(line, flush=_FOLLOW.value)
    return 0


def _cancel() -> int:
    planned = _sendable()
    if not _DRY_RUN.value:
        planned.backend.cancel(planned.submission, planned.cluster)
    print(f"{planned.submission.name}: {'would be ended' if _DRY_RUN.value else 'ended'}")
    return 0


def _import_legacy() -> int:
    from cloud.ai_platform import documents as legacy

    path = _file("from", _FROM.value, "an AI Platform document, such as cloud.yml")
    name = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "job"
    imported = legacy.read(
        path.read_text(encoding="utf-8", errors="replace"), str(path), f"job-{name}"[:30].rstrip("-")
    )
    for change in imported.changes:
        print(f"{path}:{change.line}: {change.field}: {change.was} -> {change.now or 'dropped'}: {change.why}.")
    print(f"\n{imported.text}", end="")
    if _OUTPUT.value and not _DRY_RUN.value:
        files.write_atomically(files.local_path(_OUTPUT.value), imported.text.encode())
    return app.SKIPPED_ITEMS if imported.questions else 0


def _bundle() -> int:
    from cloud import bundle, planning, record_paths

    if not _OUTPUT.value:
        raise UsageError("--output is missing. Expected a folder for the archive and the Dockerfiles.")
    config = _config(file := _job_file())
    record_paths.look_for(planning.reads(file, config), file.path)
    made = bundle.plan(file, config)
    print("\n".join(f"{size:>9}  {name}" for name, size in made.listing()))
    if not _DRY_RUN.value:
        print(f"Next: {made.write(files.local_path(_OUTPUT.value))}")
    return 0


def _sendable() -> Planned:
    """The plan, for a back-end that does more than write its document."""
    planned = _planned()
    if not hasattr(planned.backend, "submit"):
        raise UsageError(
            f"{_BACKEND.value} only writes its document. Run `submit plan --output=FOLDER`, and send it by hand."
        )
    return planned


def _file(flag: str, named: str | None, expected: str) -> Path:
    """The file on this machine that a flag names."""
    if not named:
        raise UsageError(f"--{flag} is missing. Expected {expected}.")
    path = files.local_path(named)
    if not path.is_file():
        raise UsageError(f"--{flag}: there is no file {path}. Check the path.")
    return path


def _planned() -> Planned:
    """The plan that the flags ask for.

    Raises:
      UsageError: a flag is missing, or a file is not there.
      TfodError: the job file, its config or its records are not as they must be.
    """
    from cloud import planning
    from cloud.estimates import prices

    if not _BACKEND.value:
        from cloud import backends

        raise UsageError(f"--backend is missing. Expected one of {', '.join(backends.names())}.")
    table = prices.load(_file("prices", _PRICES.value, "a table") if _PRICES.value else None)
    file = _job_file()
    return planning.plan(file, _BACKEND.value, _config(file), table)


def _job_file() -> JobFile:
    """The job file; paths in it that are neither remote nor absolute begin where it lies."""
    from cloud.job_files import job_file

    path = _file("job", _JOB.value, "a job file; docs/cloud.md describes it")
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ConfigError("is not UTF-8 text, expected a job file.", path=path) from error
    file = job_file.parse(text, str(path))

    def placed(named: str) -> str:
        return named if "://" in named else str((path.parent / named).resolve())

    return dataclasses.replace(file, config=placed(file.config), model_dir=placed(file.model_dir))


def _config(file: JobFile) -> Config | None:
    """The config of a job, as the job is to have it; None where it lies where only the job sees it."""
    from cloud import record_paths

    path = Path(file.config)
    if not path.is_file() and record_paths.only_there(file.config, file):
        return None
    if not path.is_file():
        message = f"config: there is no file {path}. Check the path; it begins where the job file lies."
        raise ConfigError(message, path=file.path, line=file.lines["config"])
    from cloud.estimates import config_facts
    from cloud.planning import Config
    from pipeline_configs import extractors, inputs, run_folder
    from pipeline_configs.text import schema

    pipeline = schema.read(path)
    facts = config_facts.of(pipeline, inputs.matching)
    label_map = Path(pipeline.train_input_reader.label_map_path)
    on_these_disks = _BACKEND.value in ("local", "slurm")
    if on_these_disks and file.records:
        config_facts.move_records(pipeline, file.records)
    if on_these_disks or file.records:
        inputs.check(pipeline, path, training=True)
        run_folder.check_same_run(Path(file.model_dir), pipeline, path)
    else:
        record_paths.check_seen(config_facts.paths(pipeline), file, _BACKEND.value)
    if not on_these_disks and file.records:
        config_facts.move_records(pipeline, file.records)
    pipeline.train_config.num_steps = file.steps or pipeline.train_config.num_steps
    return Config(
        text=run_folder.text(pipeline),
        engine_style=extractors.style_of(pipeline),
        facts=facts,
        reads=tuple(config_facts.paths(pipeline)),
        label_map=label_map.read_bytes() if label_map.is_file() else None,
    )


_ACTIONS: Mapping[str, Callable[[], int]] = {
    "plan": _plan,
    "run": _run,
    "status": _status,
    "logs": _logs,
    "cancel": _cancel,
    "import-legacy": _import_legacy,
    "bundle": _bundle,
}


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
