"""All errors that a user's input or machine can cause, in one tree.

    TfodError                 exit code 2: bad input
    ├── AnnotationError       an annotation file or a box in it
    ├── ImageError            an image file
    ├── LabelMapError         a label map
    ├── RecordError           a TFRecord file or the folder of records
    ├── ConfigError           a pipeline.config, a template or a field path
    ├── CheckpointError       a model_dir or an exported model
    ├── OutputError           a file or folder that is to be written
    ├── Problems              several of the above, found in one run
    ├── UsageError            exit code 1: flags
    ├── MissingPackageError   exit code 1: an extra is not installed
    ├── EngineError           exit code 4: the engine stopped with an error of its own
    └── Interrupted           exit code 130: the user asked to stop

Any other exception that leaves a command is a bug. It keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

SHOWN_PROBLEMS = 20


class TfodError(Exception):
    """A problem, explained in one line: what is wrong, what it means if that is not plain, what to do.

    Attributes:
      exit_code: the exit code of a command that ends with this error.
    """

    exit_code = 2

    def __init__(self, message: str, *, path: Path | str | None = None, line: int | None = None) -> None:
        """Keeps the message and, if known, the file and the line (from 1) that it is about."""
        self.message = " ".join(message.split())
        self.path = path
        self.line = line
        super().__init__(self.message)

    def __str__(self) -> str:
        """`file:line: message`, with the parts that are known."""
        where = "" if self.path is None else f"{self.path}:" if self.line is None else f"{self.path}:{self.line}:"
        return f"{where} {self.message}".strip()


class AnnotationError(TfodError):
    """An annotation file, or a box in it, cannot be used."""


class ImageError(TfodError):
    """An image file cannot be used."""


class LabelMapError(TfodError):
    """A label map is broken or does not fit the data."""


class RecordError(TfodError):
    """A TFRecord file, or the folder that should hold them, cannot be used."""


class ConfigError(TfodError):
    """A pipeline.config, a template or a field path is wrong."""


class CheckpointError(TfodError):
    """A model_dir or an exported model does not hold what is needed."""


class OutputError(TfodError):
    """A file or folder cannot be written, or is there already."""


class UsageError(TfodError):
    """A flag is missing or has a value that cannot be used."""

    exit_code = 1


class MissingPackageError(TfodError):
    """A package that only an extra installs is missing."""

    exit_code = 1

    def __init__(self, package: str, extra: str) -> None:
        """Says which `extra` of tfod-tools installs `package`."""
        super().__init__(f"{package} is not installed. Run: pip install 'tfod-tools[{extra}]'")


class EngineError(TfodError):
    """The engine, running in its child process, stopped with an error of its own."""

    exit_code = 4


class Interrupted(TfodError):
    """The user asked to stop. Everything that was saved is kept."""

    exit_code = 130


class Problems(TfodError):
    """All problems of one run, each on its own line.

    Problems with the same message share a line with a count. 20 lines are shown; the rest is counted.
    """

    def __init__(self, problems: Iterable[TfodError], *, advice: str = "") -> None:
        """Keeps `problems` in their order. `advice` is a last line: what to do about all of them."""
        self.problems: Sequence[TfodError] = tuple(problems)
        self.advice = advice
        super().__init__(f"{len(self.problems)} problems")

    def __str__(self) -> str:
        """One line for each problem, then the number of other problems, then the advice."""
        alike: dict[str, list[TfodError]] = {}
        for problem in self.problems:
            alike.setdefault(getattr(problem, "fact", problem.message), []).append(problem)
        groups = list(alike.values())
        lines = [f"{group[0]}{_others(group)}" for group in groups[:SHOWN_PROBLEMS]]
        if len(groups) > SHOWN_PROBLEMS:
            lines.append(f"... and {sum(map(len, groups[SHOWN_PROBLEMS:]))} more")
        return "\n".join([*lines, *([self.advice] if self.advice else [])])


def _others(group: Sequence[TfodError]) -> str:
    return f" (and {len(group) - 1} more like this)" if len(group) > 1 else ""
