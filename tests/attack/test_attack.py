"""Every kind of `make attack`, with a few of its runs: each ends with a right result or one clear message."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from campaigns.attack import campaign
from campaigns.attack.campaign import Attack, Outcome
from campaigns.attack.case import Case, Ended
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples

_SEED = 1
_OF_EACH = 14
_SLOW = ("together", "large_inputs", "yaml_bombs", "full_disk")
_LEAST_RUNS = 1500


@pytest.fixture(scope="module")
def samples(tmp_path_factory: pytest.TempPathFactory) -> Samples:
    return Samples(tmp_path_factory.mktemp("samples"))


@pytest.fixture(scope="module")
def attacks(samples: Samples) -> list[Attack]:
    return list(campaign.drawn(_SEED, samples))


@pytest.mark.long
def test_there_are_many(attacks: list[Attack]) -> None:
    assert len(attacks) >= _LEAST_RUNS
    assert {attack.kind for attack in attacks} == set(campaign.names())


@pytest.mark.long
@pytest.mark.parametrize("kind", campaign.names())
def test_nothing_is_lost_hangs_or_breaks(kind: str, attacks: list[Attack]) -> None:
    mine = [attack for attack in attacks if attack.kind == kind]
    chosen = random.Random(kind).sample(mine, min(len(mine), _OF_EACH // 2 if kind in _SLOW else _OF_EACH))
    outcomes = campaign.run(chosen, at_once=1, report=lambda outcome: None)
    assert [_words(outcome) for outcome in outcomes if outcome.verdict.is_fault] == []


def _words(outcome: Outcome) -> str:
    return f"{outcome.attack.name}: {outcome.verdict.outcome}: {outcome.verdict.why}; {outcome.attack.case.about}"


@pytest.mark.long
def test_the_same_seed_draws_the_same(samples: Samples) -> None:
    def said(seed: int) -> list[tuple[str, str, tuple[str, ...]]]:
        drawn = campaign.drawn(seed, samples, ["mutated_configs", "signals"])
        return [(attack.name, attack.case.about, tuple(attack.case.argv)) for attack in drawn]

    assert said(3) == said(3) != said(4)


@pytest.mark.long
def test_a_run_is_judged() -> None:
    """Runs whose verdicts are known: each fault here is one of the case, not of the command."""
    cases = {
        "ok": Case(about="", argv=["make_config", "--list"]),
        "refused": Case(about="", argv=["check_config", "--config=nothing"]),
        "hang": Case(about="", argv=["make_config", "--list"], limit_s=0.01),
        "wrong": Case(about="", argv=["make_config", "--list"], judge=lambda result: "not as it must be"),
    }
    attacks = [Attack(name=f"own/{kind}", case=case) for kind, case in cases.items()]
    outcomes = campaign.run(attacks, at_once=2, report=lambda outcome: None)
    assert {outcome.attack.name: outcome.verdict.outcome for outcome in outcomes} == {
        f"own/{kind}": kind for kind in cases
    }


def test_files_of_others_are_compared(tmp_path: Path) -> None:
    place = Place(tmp_path / "place")
    place.make()
    before = place.seen()
    assert place.seen() == before
    place.write("new.txt", "x")
    (place.others / "thesis.txt").write_text("other words!!\n")
    after = place.seen()
    assert after.keys() - before.keys() == {"work/new.txt"}
    assert [path for path in before if before[path] != after[path]] == ["others/thesis.txt"]


def test_verdicts(tmp_path: Path) -> None:
    """On processes that were never run."""
    from campaigns.attack import verdict
    from campaigns.attack.case import Result

    def of(status: int | None, err: bytes = b"a.xml: is empty.\n", peak_mb: float = 20, **more: object) -> str:
        ended = Ended(status=status, out=b"", err=err, seconds=1, peak_mb=peak_mb, processes=1)
        files = {"changed": (), "new": (), "left": ()} | more
        place = Place(tmp_path)
        return verdict.of(Result(case=Case(about="", argv=[]), place=place, ended=[ended], **files)).outcome  # type: ignore[arg-type]

    assert of(0) == "ok"
    assert [of(status) for status in (1, 2, 3, 130)] == ["refused"] * 4
    assert [of(None), of(2, peak_mb=1001), of(70), of(-9), of(4)] == ["hang", "memory", "traceback", "status", "status"]
    assert of(2, b"") == "silent"
    assert [of(2, b"x\n" * 101), of(2, b"x" * 3000)] == ["flood", "flood"]
    assert of(2, b"\x1b[31m") == "control"
    assert of(0, changed=["work/thesis.txt"]) == "loss"
    assert [of(0, new=["work/other"]), of(0, new=["work/out/x"])] == ["stray", "ok"]
    assert of(2, new=["work/out/.x.partial"]) == "half"
    assert of(0, left=["tfod_tools-0"]) == "left"
