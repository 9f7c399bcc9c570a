"""A finding: what is wrong with a config, where, how severe it is, and what to do."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from pipeline_configs.patches.patch import ConfigPatch

# error: the commands of tfod stop, or the training is useless. warning: they run, but the result is worse than it could
# be, or not the one that was asked for. note: only the engine's own scripts have this problem; tfod's commands do not.
Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a config.

    Attributes:
      code: the code of the rule, such as "CFG07".
      severity: see `Severity`.
      path: the field, as `pipeline_configs.patches.field_path` reads it; "" for the whole config.
      line: the line in the file, from 1; for a field that is not set, the line of the message that would hold it.
      problem: what is wrong, in whole sentences with the numbers.
      meaning: what the engine does about it, and so what it means for the user, in a sentence.
      advice: what to do, in a sentence; "" if the fix says it all.
      fix: the change that corrects it; None if there is more than one way.
    """

    code: str
    severity: Severity
    path: str
    line: int
    problem: str
    meaning: str
    advice: str
    fix: ConfigPatch | None

    def line_in(self, file: Path) -> str:
        """The finding about `file`, in one line."""
        field = f" {self.path}" if self.path else ""
        said = " ".join(filter(None, (self.problem, self.meaning, self.advice)))
        return f"{file}:{self.line}: {self.severity} {self.code}{field}: {said}"

    def document(self) -> dict[str, Any]:
        """The same in plain JSON types. `fix` is a list of paths and values; a value of null unsets the field."""
        fix = None if self.fix is None else [{"path": edit.path, "value": edit.value} for edit in self.fix.edits]
        return asdict(self) | {"fix": fix}
