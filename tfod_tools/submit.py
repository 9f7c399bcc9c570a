"""Run training on a cluster or in a cloud, as a job file describes it.

    tfod submit plan job.yaml --backend=vertex

The first argument is the action:

    plan            show what would be sent, what it costs and whether it fits; with --output, write it into that folder
    run             send it; if the same plan was sent already and has not ended, it is not sent again
    status          show its state and its step
    logs            print its log; with --follow, until it ends
    cancel          end it; trainers save a checkpoint if the back-end gives them the time
    import-legacy   make a job file of an AI Platform document: tfod submit import-legacy cloud.yml
    bundle          pack config, label map and code, with checksums and Dockerfiles, into the folder --output

The second argument is the job file. docs/cloud.md describes the job file, each back-end and the keys of --json.

Exit codes: 0 fine, 1 usage, 2 the job file or its config is wrong, or the back-end refuses the job, 3 import-legacy has
questions that you must answer in the new job file, 4 the run failed, 130 stopped by you.
"""

from __future__ import annotations

import datetime
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from absl import flags

from tfod_tools import app
from tfod_tools.base import files, output, plugins, tables
from tfod_tools.base.errors import EngineError, UsageError

if TYPE_CHECKING:
    from cloud.backends import Jobs
    from cloud.planning import Planned

FLAGS = app.Flags(writes=True)
_JOB = flags.DEFINE_string("job", None, "The job file. The name --job may be left out.", flag_values=FLAGS)
_BACKEND = flags.DEFINE_string("backend", None, "Where the job runs; docs/cloud.md lists them.", flag_values=FLAGS)
_OUTPUT = flags.DEFINE_string(
    "output", None, "plan, bundle: the folder to write into. import-legacy: the job file to write.", flag_values=FLAGS
)
_PRICES = flags.DEFINE_string("prices", None, "Your own table of prices; its entries replace ours.", flag_values=FLAGS)
_FOLLOW = flags.DEFINE_bool("follow", False, "logs: go on until the run ends.", flag_values=FLAGS)
_FROM = flags.DEFINE_string(
    "from", None, "import-legacy: the AI Platform document. The name --from may be left out.", flag_values=FLAGS
)
_DRY_RUN = flags.DEFINE_bool("dry_run", False, "Show what would be done. Do nothing.", flag_values=FLAGS)


def main(arguments: Sequence[str]) -> int:
    """Does the action that the first argument names."""
    if not arguments:
        raise UsageError(f"the action is missing. Name one of {', '.join(_ACTIONS)}.")
    action, *rest = arguments
    if action not in _ACTIONS:
        raise UsageError(f"no action is called '{action}'. {plugins.suggestion(action, _ACTIONS)}")
    app.no_arguments(rest[1:])
    bare = rest[0] if rest else None
    if action == "import-legacy":
        return _import_legacy(_input("from", _FROM.value, bare, "an AI Platform document, such as cloud.yml"))
    return _ACTIONS[action](_input("job", _JOB.value, bare, "a job file; docs/cloud.md describes it"))


def _plan(path: Path) -> int:
    from cloud import planning, record_paths, saving

    planned = _planned(path)
    today = datetime.datetime.now(datetime.timezone.utc).date()
    more = (*planning.stale_prices(planned.prices, today), *record_paths.unchecked(planned.reads))
    warnings = (*planned.warnings, *more)
    if _OUTPUT.value and not _DRY_RUN.value:
        folder = files.local_path(_OUTPUT.value)
        contents = {folder / name: text.encode() for name, text in planned.submission.files.items()}
        saving.save(contents, source=path, overwrite=FLAGS.overwrite)
    output.say(*planning.lines(planned, warnings))
    output.answer(planning.document(planned, warnings))
    return 0


def _run(path: Path) -> int:
    if _DRY_RUN.value:
        return _plan(path)
    from cloud import record_paths

    planned, jobs = _sendable(path)
    record_paths.look_for(planned.reads, str(path))
    warnings = (*planned.warnings, *record_paths.unchecked(planned.reads))
    output.warn(*(f"warning: {warning}" for warning in warnings))
    where = jobs.submit(planned.submission, planned.cluster)
    name, backend = planned.submission.name, planned.backend.name
    output.say(f"{name}: {where}")
    output.say(output.next_command("submit", "logs", str(path), f"--backend={backend}", "--follow"))
    output.answer({"name": name, "backend": backend, "where": where, "warnings": list(warnings)})
    return 0


def _status(path: Path) -> int:
    planned, jobs = _sendable(path)
    status = jobs.status(planned.submission, planned.cluster)
    name, backend = planned.submission.name, planned.backend.name
    output.say(f"{name} on {backend}: {status.summary(planned.job.steps)}")
    if status.tasks:
        output.say(*tables.lines(("task", "state", "restarts", "exit code"), [task.row() for task in status.tasks]))
    output.answer({"name": name, "backend": backend, **status.document(planned.job.steps)})
    return EngineError.exit_code if status.state == "FAILED" else 0


def _logs(path: Path) -> int:
    planned, jobs = _sendable(path)
    lines = []
    for line in jobs.logs(planned.submission, planned.cluster, follow=_FOLLOW.value):
        output.say(line)
        if output.mode() == "json":
            lines.append(line)
        if _FOLLOW.value:
            sys.stdout.flush()
    output.answer({"name": planned.submission.name, "backend": planned.backend.name, "lines": lines})
    return 0


def _cancel(path: Path) -> int:
    planned, jobs = _sendable(path)
    if not _DRY_RUN.value:
        jobs.cancel(planned.submission, planned.cluster)
    output.say(f"{planned.submission.name}: {'would be ended' if _DRY_RUN.value else 'ended'}")
    output.answer({"name": planned.submission.name, "backend": planned.backend.name, "ended": not _DRY_RUN.value})
    return 0


def _import_legacy(path: Path) -> int:
    from cloud import saving
    from cloud.ai_platform import documents

    imported = documents.import_file(path)
    if _OUTPUT.value and not _DRY_RUN.value:
        contents = {files.local_path(_OUTPUT.value): imported.text.encode()}
        saving.save(contents, source=path, overwrite=FLAGS.overwrite)
    output.say(*imported.lines(path))
    output.answer(imported.document())
    return app.SKIPPED_ITEMS if imported.questions else 0


def _bundle(path: Path) -> int:
    from cloud import bundle, saving

    if not _OUTPUT.value:
        raise UsageError("--output is missing. Name a folder for the archive and the Dockerfiles.")
    folder = files.local_path(_OUTPUT.value)
    made = bundle.read(path, _BACKEND.value)
    if not _DRY_RUN.value:
        contents = {folder / name: data for name, data in made.contents().items()}
        saving.save(contents, source=path, overwrite=FLAGS.overwrite)
    output.say(*(f"{size:>9}  {name}" for name, size in made.listing()))
    words = bundle.build_command(folder)
    output.say(*([] if _DRY_RUN.value else [f"Next: {shlex.join(words)}"]))
    output.answer({"files": [{"name": name, "bytes": size} for name, size in made.listing()], "command": list(words)})
    return 0


def _input(flag: str, named: str | None, bare: str | None, wanted: str) -> Path:
    """The file on this machine that the user names, with the flag or without."""
    if named and bare:
        raise UsageError(f"'{bare}' is taken as --{flag}, but --{flag} is given too. Leave one of them out.")
    found = named or bare
    if not found:
        raise UsageError(f"--{flag} is missing. Name {wanted}.")
    return _existing(flag, found)


def _existing(flag: str, named: str) -> Path:
    path = files.local_path(named)
    if not path.is_file():
        raise UsageError(f"--{flag}: there is no file {path}. Check the path.")
    return path


def _planned(path: Path) -> Planned:
    """The plan that the flags ask for."""
    from cloud import backends, planning

    if not _BACKEND.value:
        raise UsageError(f"--backend is missing. Name one of {', '.join(backends.names())}.")
    own_prices = _existing("prices", _PRICES.value) if _PRICES.value else None
    return planning.read(path, _BACKEND.value, own_prices)


def _sendable(path: Path) -> tuple[Planned, Jobs]:
    """The plan, and the jobs of its back-end."""
    planned = _planned(path)
    if planned.backend.jobs is None:
        words = shlex.join(
            ("tfod", "submit", "plan", str(path), f"--backend={planned.backend.name}", "--output=FOLDER")
        )
        raise UsageError(f"{planned.backend.name} only writes its document. Run `{words}`, and send it by hand.")
    return planned, planned.backend.jobs


_ACTIONS: Mapping[str, Callable[[Path], int]] = {
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
