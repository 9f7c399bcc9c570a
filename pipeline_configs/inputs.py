"""Whether the files that a config reads are there: the engine finds out late, or waits for ever."""

from __future__ import annotations

from glob import glob
from pathlib import Path
from typing import Any

from pipeline_configs.text.text_proto import Config
from tfod_tools.base.errors import ConfigError, Problems, TfodError


def check(config: Config, path: Path, *, training: bool) -> None:
    """Looks for the records and label maps of the input readers.

    Args:
      config: the pipeline.config.
      path: its file, named in errors.
      training: whether the training records are needed too, or the eval records alone.

    Raises:
      Problems: there is no eval_input_reader, a pattern matches nothing, or only empty files (the engine would wait
        for ever for a first record), or a label map is missing. Remote paths (`scheme://`) are not looked at.
    """
    readers = {"train_input_reader": config.train_input_reader} if training else {}
    readers |= {f"eval_input_reader[{i}]": reader for i, reader in enumerate(config.eval_input_reader)}
    problems = [problem for name, reader in readers.items() for problem in _problems(name, reader, path)]
    if not config.eval_input_reader:
        problems.append(ConfigError("there is no eval_input_reader, which the engine always needs.", path=path))
    if problems:
        raise Problems(problems)


def matching(pattern: str, *, literally: bool = False) -> list[Path] | None:
    """The files that `pattern` of an input reader matches; None where it is remote, so that nobody knows.

    Args:
      pattern: an input path, with `?` and `*`, or a path where `literally`.
      literally: whether those characters mean themselves.
    """
    if "://" in pattern:
        return None
    try:
        if literally:
            return [Path(pattern)] if Path(pattern).is_file() else []
        return sorted(Path(file) for file in glob(pattern))  # noqa: PTH207 - absolute patterns
    except (OSError, ValueError):
        return []  # no file can have such a name


def label_map_path(config: Config, path: Path) -> Path:
    """The label map of the first input reader that names one.

    Raises:
      ConfigError: none does.
    """
    for reader in (config.train_input_reader, *config.eval_input_reader):
        if reader.label_map_path:
            return Path(reader.label_map_path)
    raise ConfigError("no input reader has a label_map_path.", path=path)


def _problems(name: str, reader: Any, path: Path) -> list[TfodError]:
    problems: list[TfodError] = []
    patterns = list(reader.tf_record_input_reader.input_path)
    if not patterns:
        problems.append(ConfigError(f"{name} has no tf_record_input_reader.input_path.", path=path))
    for pattern in patterns:
        files = matching(pattern)
        if files == []:
            problems.append(
                ConfigError(f"{name}: no records match {pattern}. Run make_records, or mend the path.", path=path)
            )
        elif files and not any(file.stat().st_size for file in files):
            problems.append(ConfigError(f"{name}: the records that match {pattern} are empty.", path=path))
    label_map = reader.label_map_path
    if label_map and matching(label_map, literally=True) == []:
        problems.append(ConfigError(f"{name}: there is no label map {label_map}.", path=path))
    return problems
