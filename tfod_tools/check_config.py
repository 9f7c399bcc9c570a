"""Look for what is wrong with a pipeline.config before it costs a day of training.

  python -m tfod_tools.check_config --config=pipeline.config [--records=records] [--fix=mended.config]

Errors stop training or make it useless; warnings are what the engine does otherwise than one would think; notes hold
for the engine's own scripts, and this project's commands mend them. Each has its place in the file, what was found and
expected, and a fix where there is only one; what decides most of a run comes first. With --records the config is
compared with the data as well; every record is read. Fields that differ from the template that the config is most like
stand behind the errors: mostly there are more than one remembers. At the end: how long the run is, and what its
learning rate does. The checkpoint to start from is looked at too; with --checkpoint the engine itself tells, in half a
minute, which weights it would restore.

  python -m tfod_tools.check_config --explain=CFG07    tells more about a code; docs/check_config.md lists them all

Exit codes: 0 no errors, 1 a flag is missing or wrong, 2 there are errors (after --fix: errors are left), or a file
cannot be used, 4 the engine cannot tell what it would restore.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import textwrap
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from absl import flags

from pipeline_configs import extension
from pipeline_configs.checking import check, nearest, nearest_report
from pipeline_configs.checking.finding import SEVERITIES, Finding
from pipeline_configs.checkpoints import checkpoint, restoration
from pipeline_configs.checkpoints.start import Start
from pipeline_configs.dataset import Dataset
from pipeline_configs.extractors import style_of
from pipeline_configs.patches import patch
from pipeline_configs.schedules import plot, summary
from pipeline_configs.text import rewrite, schema
from pipeline_configs.text.text_proto import Config
from tfod_tools import app
from tfod_tools.base import files, progress
from tfod_tools.base.errors import ConfigError, EngineError, UsageError

FLAGS = app.Flags("config", writes=True)

_CONFIG = flags.DEFINE_string("config", None, "The pipeline.config to check.", flag_values=FLAGS)
_RECORDS = flags.DEFINE_string("records", None, "The folder that make_records wrote.", flag_values=FLAGS)
_CHECKPOINT = flags.DEFINE_string(
    "checkpoint", None, "Prefix of a checkpoint: ask the engine which weights it would restore.", flag_values=FLAGS
)
_MODEL_DIR = flags.DEFINE_string("model_dir", None, "The folder that will be trained in.", flag_values=FLAGS)
_GPUS = flags.DEFINE_integer(
    "gpus", None, "How many GPUs of all machines share a batch (TF2 style).", lower_bound=1, flag_values=FLAGS
)
_MACHINES = flags.DEFINE_integer(
    "machines", None, "How many machines share the records (TF2 style).", lower_bound=1, flag_values=FLAGS
)
_FORMAT = flags.DEFINE_enum("format", "text", ["text", "json"], "How findings are printed.", flag_values=FLAGS)
_FIX = flags.DEFINE_string(
    "fix", None, "Where to write the config with every fix; may be the same file.", flag_values=FLAGS
)
_EXPLAIN = flags.DEFINE_string("explain", None, "Tell about this code, and stop.", flag_values=FLAGS)
_PLOT = flags.DEFINE_string("plot", None, "PNG file for a picture of the learning rate.", flag_values=FLAGS)
_EXTENSION = flags.DEFINE_string("extension", None, extension.HELP, flag_values=FLAGS)
_DRY_RUN = flags.DEFINE_boolean("dry_run", False, "Show what --fix would change, write nothing.", flag_values=FLAGS)

_ERRORS_FOUND = 2
_WIDTH = 100


def main(arguments: Sequence[str]) -> int:
    """Checks the config, or explains a code."""
    app.no_arguments(arguments)
    if _EXPLAIN.value:
        print("\n\n".join(textwrap.fill(part, _WIDTH) for part in check.explain(_EXPLAIN.value).split("\n\n")))
        return 0
    if not _CONFIG.value:
        raise UsageError("--config is missing. Run with --help to see every flag.")
    path = files.local_path(_CONFIG.value)
    known: dict[str, Any] = {
        "records": _records(files.local_path(_RECORDS.value)) if _RECORDS.value else None,
        "extension": extension.located(_EXTENSION.value),
        "start": _start(),
    }
    text = schema.text(path)
    checked = _checked(text, known)
    images = known["records"].train.images if known["records"] else None
    if _PLOT.value and checked.config and not _DRY_RUN.value:
        _draw(checked.config, images)
    if _FIX.value is None:
        _report(path, checked, images)
        return _ERRORS_FOUND if _errors(checked.findings) else 0
    before = _fixable(path, checked)
    after = check.fixed(before, **known)
    output = files.local_path(_FIX.value)
    content = _content(path, text, after, output)
    left = _checked(content, known).findings
    _report(path, checked, images, patch.diff(before, after))
    _write(output, content, left)
    return _ERRORS_FOUND if _errors(left) else 0


def _start() -> Start:
    """What the flags say about it.

    Raises:
      CheckpointError: there is no such checkpoint, or it cannot be read.
    """
    prefix = _CHECKPOINT.value and checkpoint.read(str(files.local_path(_CHECKPOINT.value))).prefix
    model_dir = files.local_path(_MODEL_DIR.value) if _MODEL_DIR.value else None
    return Start(checkpoint=prefix, model_dir=model_dir, gpus=_GPUS.value or 0, machines=_MACHINES.value or 0)


def _checked(text: str, known: dict[str, Any]) -> check.Checked:
    """What is wrong with the config, also by what the engine says about a checkpoint that was named."""
    checked = check.check(text, **known)
    start = known["start"]
    if checked.config is None or not start.checkpoint:
        return checked
    try:
        style = style_of(checked.config, known["extension"])
        with progress.line() as show:
            show("asking the engine about the checkpoint ...")
            answer = restoration.ask(checked.config, start.checkpoint, style, known["extension"])
    except (ConfigError, EngineError) as error:
        if not _errors(checked.findings):
            raise
        print(f"The engine cannot tell what it would restore: {error}", file=sys.stderr)
        return checked
    return check.check(text, **known | {"start": dataclasses.replace(start, restoration=answer)})


def _records(folder: Path) -> Dataset:
    """The data set with what its records hold."""
    from record_builders.inspection import survey

    dataset = Dataset.read(folder)
    count = sum(len(split.files()) for split in (dataset.train, dataset.val) if split)
    with progress.bar("Reading records", count) as advance:
        return dataset.with_contents(partial(survey.read, on_progress=advance))


def _errors(findings: Sequence[Finding]) -> int:
    return sum(finding.severity == "error" for finding in findings)


def _fixable(path: Path, checked: check.Checked) -> Config:
    if checked.config is None or any(finding.code == check.UNREADABLE for finding in checked.findings):
        shown = "\n".join(line for finding in checked.findings for line in _lines(path, finding))
        raise ConfigError(f"{shown} Correct the text first; --fix would lose what cannot be read.")
    return checked.config


def _report(path: Path, checked: check.Checked, images: int | None, changes: Sequence[str] | None = None) -> None:
    counts = {severity: sum(one.severity == severity for one in checked.findings) for severity in SEVERITIES}
    like = nearest.nearest(checked.config) if checked.config else None
    if _FORMAT.value == "json":
        shown: dict[str, Any] = {"config": str(path), "counts": counts}
        shown["findings"] = [_as_json(finding) for finding in checked.findings]
        shown["nearest"] = like and nearest_report.as_json(like, checked.line_of)
        shown |= {"restoration": dataclasses.asdict(checked.restoration)} if checked.restoration else {}
        print(json.dumps(shown | ({} if changes is None else {"changes": changes}), indent=2))
        return
    grave, lesser = (
        [line for one in checked.findings if (one.severity == SEVERITIES[0]) == is_grave for line in _lines(path, one)]
        for is_grave in (True, False)
    )
    differences = nearest_report.lines(like, checked.config, str(path), checked.line_of) if like else []
    learning_rate = summary.lines(checked.config, images) if checked.config else []
    restored = checked.restoration.lines() if checked.restoration else ()
    for line in (*grave, *differences, *lesser, *restored, *learning_rate):
        print(line)
    fixes = sum(finding.fix is not None for finding in checked.findings)
    hint = f" {fixes} can be fixed: --fix=FILE." if fixes and changes is None else ""
    more = " --explain=CODE tells more." if checked.findings else ""
    print(f"{', '.join(_counted(severity, count) for severity, count in counts.items())}.{hint}{more}")
    for change in changes or ():
        print(f"  {change}")


def _counted(severity: str, count: int) -> str:
    return f"{count} {severity}{'' if count == 1 else 's'}"


def _as_json(finding: Finding) -> dict[str, Any]:
    """The finding's fields by name; the fix as a list of paths and values, null where there is none."""
    fix = None if finding.fix is None else [{"path": edit.path, "value": edit.value} for edit in finding.fix.edits]
    return dataclasses.asdict(finding) | {"fix": fix}


def _lines(path: Path, finding: Finding) -> list[str]:
    field = f" {finding.path}" if finding.path else ""
    said = " ".join(filter(None, (finding.problem, finding.meaning, finding.advice)))
    edits = finding.fix.edits if finding.fix else ()
    fixes = [f"unset {edit.path}" if edit.value is None else f"{edit.path}={edit.value}" for edit in edits]
    return [
        f"{path}:{finding.line}: {finding.severity} {finding.code}{field}: {said}",
        *(f"    fix: {fix}" for fix in fixes),
    ]


def _draw(config: Config, images: int | None) -> None:
    output = files.local_path(_PLOT.value or "")
    picture = plot.png(config, images)
    try:
        files.write_atomically(output, picture)
    except OSError as error:
        raise ConfigError(f"cannot be written: {error.strerror}. Name another --plot.", path=output) from error


def _content(source: Path, text: str, config: Config, output: Path) -> str:
    """What is to be written: the text, changed where it has to be; a new one where that cannot be done."""
    content = rewrite.rewritten(text, config)
    if content is None and output.exists() and output.samefile(source):
        raise UsageError(f"--fix: {source} is laid out in a way that its comments would be lost. Name another file.")
    return schema.dump(config) if content is None else content


def _write(output: Path, content: str, left: Sequence[Finding]) -> None:
    if not _DRY_RUN.value:
        try:
            files.write_atomically(output, content.encode())
        except OSError as error:
            raise ConfigError(f"cannot be written: {error.strerror}. Name another --fix.", path=output) from error
    if _FORMAT.value == "text":
        done = "Dry run, would write" if _DRY_RUN.value else "Wrote"
        print(f"{done} {output}; {_counted('error', _errors(left))} left.")


if __name__ == "__main__":
    app.run(main, FLAGS, __doc__)
