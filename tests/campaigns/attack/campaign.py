"""Draws the cases, runs them, and says what they came to."""

from __future__ import annotations

import concurrent.futures
import hashlib
import importlib
import pkgutil
import random
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from campaigns.attack import child, kinds, verdict
from campaigns.attack.case import Case, Ended, Result
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples
from campaigns.attack.verdict import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class Attack:
    """A case by its name: `kind/number`."""

    name: str
    case: Case

    @property
    def kind(self) -> str:
        """The module that drew it."""
        return self.name.partition("/")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What an attack came to.

    Attributes:
      attack: the attack.
      verdict: on it.
      seconds: of the slowest process.
      peak_mb: of the largest process.
      said: the end of what the first process printed.
    """

    attack: Attack
    verdict: Verdict
    seconds: float
    peak_mb: float
    said: str


def names() -> list[str]:
    """The kinds, which are the modules of kinds/, but those that are off unless they are named."""
    return [name for name in _all_names() if not getattr(_module(name), "OFF_UNLESS_NAMED", False)]


def drawn(seed: int, samples: Samples, wanted: Sequence[str] = ()) -> Iterator[Attack]:
    """The attacks of the `wanted` kinds, or of all."""
    for kind in wanted or names():
        draw = random.Random(f"{seed} {kind}")
        for number, case in enumerate(_module(kind).cases(draw, samples)):
            yield Attack(name=f"{kind}/{number:04d}", case=case)


def _all_names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(kinds.__path__))


def _module(kind: str) -> ModuleType:
    return importlib.import_module(f"campaigns.attack.kinds.{kind}")


def run(
    attacks: Iterable[Attack], *, at_once: int, report: Callable[[Outcome], object], keep: Path | None = None
) -> list[Outcome]:
    """Runs the attacks, `at_once` at a time; `keep` is where their folders stay."""
    folder = Path(tempfile.mkdtemp(prefix="attack-"))
    try:
        with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
            waiting = [pool.submit(_outcome, attack, keep or folder, keep is not None) for attack in attacks]
            outcomes = []
            for future in concurrent.futures.as_completed(waiting):
                outcomes.append(future.result())
                report(outcomes[-1])
        return sorted(outcomes, key=lambda outcome: outcome.attack.name)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _outcome(attack: Attack, folder: Path, stays: bool) -> Outcome:
    place = Place(folder / hashlib.sha256(attack.name.encode()).hexdigest()[:12])
    if stays:
        place = Place(folder / attack.name.replace("/", "-"))
    place.make()
    try:
        attack.case.prepare(place)
        result = _result(attack.case, place)
        said = (result.first.err or result.first.out).decode("utf-8", "replace")
        return Outcome(
            attack=attack,
            verdict=verdict.of(result),
            seconds=max(ended.seconds for ended in result.ended),
            peak_mb=max(ended.peak_mb for ended in result.ended),
            said=said[-1500:],
        )
    finally:
        attack.case.cleanup(place)
        if not stays:
            place.remove()


def _result(case: Case, place: Place) -> Result:
    before = place.seen()
    with concurrent.futures.ThreadPoolExecutor(case.times) as pool:
        ended: list[Ended] = list(pool.map(lambda number: child.run(case, place, number), range(case.times)))
    after = place.seen()
    return Result(
        case=case,
        place=place,
        ended=ended,
        changed=sorted(path for path, what in before.items() if after.get(path) != what),
        new=sorted(after.keys() - before.keys()),
        left=sorted(path.relative_to(place.tmp).as_posix() for path in place.tmp.rglob("*")),
    )
