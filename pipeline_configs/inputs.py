"""The files that the input readers of a config name: which they are, and whether they exist.

The engine looks for them late, and waits forever for records that are empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from glob import glob
from pathlib import Path
from typing import Any

from pipeline_configs.text.text_proto import Config
from record_builders import label_map
from tfod_tools.base.errors import ConfigError, LabelMapError, Problems, TfodError

TRAIN = "train_input_reader"


def check(config: Config, path: Path, *, training: bool) -> None:
    """Checks that the records and label maps of the input readers exist. Remote paths (`scheme://`) are not checked.

    Args:
      config: the pipeline.config.
      path: its file, for errors.
      training: whether the training records are needed too, or only those for evaluation.

    Raises:
      Problems: there is no eval_input_reader, a label map is missing, or a pattern matches no file or only empty files.
    """
    needed = {name: reader for name, reader in readers(config).items() if training or name != TRAIN}
    problems = [problem for name, reader in needed.items() for problem in _problems(name, reader, path)]
    if not config.eval_input_reader:
        message = "there is no eval_input_reader, which the engine always needs. Add one; make_config fills it in."
        problems.append(ConfigError(message, path=path))
    if problems:
        raise Problems(problems)


def readers(config: Config) -> dict[str, Any]:
    """The input readers of a config, by their field path: that of training, then those of evaluation."""
    return {TRAIN: config.train_input_reader} | {
        f"eval_input_reader[{index}]": reader for index, reader in enumerate(config.eval_input_reader)
    }


def matching(pattern: str, *, literally: bool = False) -> list[Path] | None:
    """The files that `pattern` of an input reader matches; None if it is remote, as it is not looked up.

    Args:
      pattern: an input path, in which `?` and `*` match other characters.
      literally: whether `pattern` is a plain path, in which `?` and `*` match only themselves.
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
    """The path of the label map of the first input reader that names one.

    Raises:
      ConfigError: no input reader names one.
    """
    for reader in (config.train_input_reader, *config.eval_input_reader):
        if reader.label_map_path:
            return Path(reader.label_map_path)
    raise ConfigError("no input reader has a label_map_path.", path=path)


def label_map_items(path: str) -> Sequence[label_map.Item] | None:
    """The items of the label map that an input reader names, as the engine reads them.

    None if the path is remote, or is not a label map that can be read: rules DAT01 and CFG06 report that.
    """
    if not matching(path, literally=True):
        return None
    try:
        return label_map.read_items(Path(path))
    except LabelMapError:
        return None


def _problems(name: str, reader: Any, path: Path) -> list[TfodError]:
    problems: list[TfodError] = []
    patterns = list(reader.tf_record_input_reader.input_path)
    if not patterns:
        problems.append(
            ConfigError(f"{name} has no tf_record_input_reader.input_path. Name the records there.", path=path)
        )
    for pattern in patterns:
        files = matching(pattern)
        if files == []:
            message = f"{name}: no records match {pattern}. Correct the path, or write the records with make_records."
            problems.append(ConfigError(message, path=path))
        elif files and not any(file.stat().st_size for file in files):
            message = f"{name}: the records that match {pattern} are empty. Write them again with make_records."
            problems.append(ConfigError(message, path=path))
    named = reader.label_map_path
    if named and matching(named, literally=True) == []:
        problems.append(ConfigError(f"{name}: there is no label map {named}. Correct label_map_path.", path=path))
    return problems
