"""Lists of class names from other tools: one name a line, a YOLO data.yaml, or class descriptions of Open Images."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

from record_builders.sources.folders import head
from tfod_tools.base.errors import LabelMapError

_MID = re.compile(r"/[a-z]/\w+")


def is_names_file(path: Path) -> bool:
    """Whether `path` has a name that tools use for lists of class names."""
    if path.suffix.lower() in (".yaml", ".yml"):
        return re.search(rb"^names\s*:", head(path), re.MULTILINE) is not None
    return path.suffix.lower() == ".names" or path.name.lower() in ("classes.txt", "labels.txt")


def read_names(path: Path) -> tuple[str, ...]:
    """The class names in the file at `path`, in its order.

    Raises:
      LabelMapError: the file cannot be read, has no name, an empty name, or the same name twice.
    """
    text = _text(path)
    numbered = _of_yaml(text, path) if path.suffix.lower() in (".yaml", ".yml") else _of_lines(text)
    lines: dict[str, int | None] = {}
    for line, name in numbered:
        if not name:
            raise LabelMapError("the line has no class name. Remove the line.", path=path, line=line)
        if name in lines:
            raise LabelMapError(
                f"two classes have the name '{name}'. Give each class its own name.", path=path, line=line
            )
        lines[name] = line
    if not lines:
        raise LabelMapError("the file has no class names. Write one name a line.", path=path)
    return tuple(lines)


def read_descriptions(path: Path) -> dict[str, str]:
    """The display name of each class, by its MID, from class descriptions of Open Images, with or without a header.

    Raises:
      LabelMapError: the file cannot be read, or a line is not a MID and a name.
    """
    names: dict[str, str] = {}
    try:
        rows = list(csv.reader(io.StringIO(_text(path), newline="")))
    except csv.Error as exc:
        raise LabelMapError(f"the file is not valid CSV: {exc}. Correct it.", path=path) from exc
    for line, row in enumerate(rows, start=1):
        if not row or (line == 1 and row[0].strip() == "LabelName"):
            continue
        if len(row) != 2 or not row[0].strip() or not row[1].strip():
            message = f"the line is '{','.join(row)}', not a MID and a name such as /m/09k_b,Lemon. Correct it."
            raise LabelMapError(message, path=path, line=line)
        if row[0].strip() in names:
            raise LabelMapError(f"two lines describe the class {row[0]}. Remove one.", path=path, line=line)
        names[row[0].strip()] = row[1].strip()
    return names


def is_descriptions_file(path: Path) -> bool:
    """Whether the first line of `path` is a class description of Open Images."""
    if path.suffix.lower() != ".csv":
        return False
    first = re.split(r"\r\n?|\n", head(path, 4096).decode("utf-8-sig", "replace"), maxsplit=1)[0]
    try:
        row = next(csv.reader([first]), [])
    except csv.Error:
        return False
    return len(row) == 2 and (row == ["LabelName", "DisplayName"] or _MID.fullmatch(row[0]) is not None)


def _text(path: Path) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except OSError as exc:
        raise LabelMapError(f"cannot read the names: {exc.strerror}.", path=path) from exc
    except UnicodeDecodeError as exc:
        raise LabelMapError("the names are not UTF-8 text. Save the file as UTF-8.", path=path) from exc


def _of_lines(text: str) -> list[tuple[int | None, str]]:
    return [(line, name.strip()) for line, name in enumerate(text.rstrip().splitlines(), start=1)]


def _of_yaml(text: str, path: Path) -> list[tuple[int | None, str]]:
    import yaml

    try:
        content = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, RecursionError) as exc:
        mark = getattr(exc, "problem_mark", None)
        line = mark.line + 1 if mark else None
        raise LabelMapError("the file is not valid YAML. Correct it.", path=path, line=line) from exc
    names = content.get("names") if isinstance(content, dict) else None
    if isinstance(names, dict) and set(names) == set(range(len(names))):
        names = [names[number] for number in range(len(names))]
    if not isinstance(names, list) or not all(isinstance(name, str | int | float) for name in names):
        raise LabelMapError("'names' is not a list of class names, or not numbered from 0. Correct it.", path=path)
    return [(None, str(name).strip()) for name in names]
