"""What a rule has found in a config: where, how grave, what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from pipeline_configs.patches.patch import ConfigPatch

# error: this project's commands stop, or train for nothing. warning: they run, with a result worse than it could be, or
# not the one that was asked for. note: holds for the engine's own scripts only; this project's commands mend it.
Severity = Literal["error", "warning", "note"]
SEVERITIES: tuple[Severity, ...] = get_args(Severity)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that is wrong with a config.

    Attributes:
      code: of the rule, such as "CFG07".
      severity: see `Severity`.
      path: the field, as `pipeline_configs.patches.field_path` reads it; "" for the whole config.
      line: of the file, from 1; where the field is not set, that of the message that would hold it.
      problem: what is wrong, in sentences with their numbers.
      meaning: what the engine does about it, and so what it means, in a sentence.
      advice: what to do, in a sentence; "" where the fix says it all.
      fix: the change that ends it; None where only the user can know.
    """

    code: str
    severity: Severity
    path: str
    line: int
    problem: str
    meaning: str
    advice: str
    fix: ConfigPatch | None
