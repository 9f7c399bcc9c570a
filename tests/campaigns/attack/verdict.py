"""What a run came to: ok, refused, or a fault with its kind."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass

from campaigns.attack.case import Case, Ended, Result

MOST_LINES = 100
LONGEST_LINE = 2048
_REFUSED = (1, 2, 3, 130)
_HALVES = re.compile(r"\.partial$|\.half$|\.tmp$")
_FRAME = re.compile(r'File ".*?((?:tfod_tools|record_builders|pipeline_configs|cloud)/[\w/]+\.py)", line (\d+)')
_RAISED = re.compile(r"[\w.]*(Error|Exception|Interrupt|Warning)\b")
# Control characters, also those of Latin-1, and those that turn the direction of text. A line end and a tab are none.
_CONTROL = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a run came to.

    Attributes:
      outcome: `ok`, `refused`, or the kind of a fault.
      why: of a fault, in one line.
    """

    outcome: str
    why: str = ""

    @property
    def is_fault(self) -> bool:
        """Whether it is neither right nor refused."""
        return self.outcome not in ("ok", "refused")


def of(result: Result) -> Verdict:
    """The verdict on a run: its worst fault, where it has one."""
    for ended in result.ended:
        if fault := _of_process(result.case, ended):
            return fault
    if fault := _of_files(result):
        return fault
    if result.case.judge and (why := result.case.judge(result)):
        return Verdict("wrong", why)
    return Verdict("refused" if any(ended.status for ended in result.ended) else "ok")


def _of_process(case: Case, ended: Ended) -> Verdict | None:
    said = (ended.err + ended.out).decode("utf-8", "replace")
    if ended.status is None:
        return Verdict("hang", f"more than {case.limit_s:g} s; {ended.peak_mb:.0f} MB")
    if ended.peak_mb > case.most_mb:
        return Verdict("memory", f"{ended.peak_mb:.0f} MB; {_last(said)}")
    if ("Traceback (most recent call last)" in said or ended.status == 70) and not _python_starts(case, said):
        return Verdict("traceback", _raised(ended.err.decode("utf-8", "replace")))
    if ended.status not in _statuses(case):
        return Verdict("status", f"exit code {ended.status}: {_last(said)}")
    return _of_text(case, ended)


def _python_starts(case: Case, said: str) -> bool:
    """Whether Python itself was stopped, before it came to the project."""
    return bool(case.signal) and "KeyboardInterrupt" in said and not _FRAME.search(said)


def _statuses(case: Case) -> tuple[int, ...]:
    allowed: tuple[int, ...] = (0, *_REFUSED)
    if case.may_fail:
        allowed += (4,)
    if case.signal:
        allowed += (-case.signal[0], 128 + case.signal[0])
    return allowed


def _of_text(case: Case, ended: Ended) -> Verdict | None:
    refused = ended.status in _REFUSED
    err, out = ended.err.decode("utf-8", "replace"), ended.out.decode("utf-8", "replace")
    if refused and case.stderr in ("file", "pipe") and not (err + out).strip():
        return Verdict("silent", f"exit code {ended.status}, and no message")
    if err.count("\n") > MOST_LINES:
        return Verdict("flood", f"{err.count(chr(10))} lines of errors")
    longest = max(map(len, (*err.splitlines(), *out.splitlines())), default=0)
    if longest > LONGEST_LINE:
        return Verdict("flood", f"a line of {longest} characters: {_last(err)[:100]}")
    if "PYTHONIOENCODING" not in case.environment and (match := _CONTROL.search(err + out)):
        return Verdict("control", f"{match[0]!r} goes to the terminal: {_last(err or out)[:100]!r}")
    return None


def _of_files(result: Result) -> Verdict | None:
    case, killed = result.case, bool(result.case.signal and result.case.signal[0] == signal.SIGKILL)
    if changed := [path for path in result.changed if path.removeprefix("work/") not in case.may_change]:
        return Verdict("loss", f"changed or gone: {', '.join(changed[:5])}")
    if stray := [path for path in result.new if not _may_add(case, path)]:
        return Verdict("stray", f"new: {', '.join(stray[:5])}")
    if not killed and (halves := [path for path in result.new if _HALVES.search(path)]):
        return Verdict("half", f"left: {', '.join(halves[:5])}")
    if result.left and not killed and not case.may_leave:
        return Verdict("left", f"in TMPDIR: {', '.join(result.left[:5])}")
    return None


def _may_add(case: Case, path: str) -> bool:
    """Whether the command may make `path`; `.` stands for the work folder itself, and none below it."""
    below = path.removeprefix("work/")
    folder = below.rpartition("/")[0] or "."
    return below != path and (below.startswith("out") or folder in case.may_add or below in case.may_add)


def _raised(text: str) -> str:
    """What was raised, and the last line of the project's own that it went through."""
    frames = _FRAME.findall(text)
    raised = [line for line in text.splitlines() if _RAISED.match(line)]
    return f"{raised[-1][:200] if raised else _last(text)}{f' ({frames[-1][0]}:{frames[-1][1]})' if frames else ''}"


def _last(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:300] if lines else ""
