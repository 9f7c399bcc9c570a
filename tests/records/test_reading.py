"""Several processes read what one does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from record_builders import build, reading, report
from record_builders.annotations import Wanted
from record_builders.plan import Plan, Request

if TYPE_CHECKING:
    from tests.records.conftest import VocFolder

BOX = ("cat", 1, 2, 30, 40)


@pytest.fixture
def many(voc: VocFolder, monkeypatch: pytest.MonkeyPatch) -> VocFolder:
    """Thirty images in tasks of four, some with something wrong or worth a note."""
    monkeypatch.setattr(reading, "_FILES_OF_A_TASK", 4)
    for number in range(30):
        voc.add(f"{number:02d}", BOX, ("dog", 90, 2, 120, 40))
    voc.add("05", ("cat", 5, 5, 5, 5), BOX)
    voc.add("11", ("cat", 5, 5, 5, 5))
    voc.image("17.jpg").write_bytes(b"not an image")
    voc.xml("20.xml", "<filename>other.jpg</filename>" + voc.marked(*BOX))
    voc.xml("23.xml", "<filename>")
    voc.add("29")
    return voc


def plan(voc: VocFolder, processes: int, **options: object) -> Plan:
    request = Request(format="voc", annotations=voc.annotations, images=voc.images, output=Path("out"), **options)  # type: ignore[arg-type]
    return build.plan(request, processes)


def told(planned: Plan) -> tuple[object, ...]:
    """All that a plan says, in its order."""
    faults = [(str(fault.error), fault.image_name, fault.images, fault.boxes) for fault in planned.faults]
    images = [repr(image) for image in planned.images]
    return faults, images, planned.left_out, planned.superseded, report.summary(planned, done=False)


@pytest.mark.parametrize(
    "options",
    [{}, {"verify": True}, {"convert": True}, {"wanted": Wanted(classes=("cat",))}],
    ids=["all", "decoded", "converted", "one class"],
)
def test_processes_do_not_matter(many: VocFolder, options: dict[str, object]) -> None:
    one, *others = (told(plan(many, processes, **options)) for processes in (1, 2, 5))
    assert all(other == one for other in others)


@pytest.mark.parametrize("first", [BOX, ("cat", 5, 5, 5, 5)], ids=["good", "bad"])
def test_an_image_annotated_in_two_tasks(many: VocFolder, first: tuple[str, float, float, float, float]) -> None:
    """The first counts, even if it is of no use."""
    many.xml("03.xml", "<filename>26.jpg</filename>" + many.marked(*first))
    one, two = (told(plan(many, processes)) for processes in (1, 2))
    assert one == two
    assert any("image '26' was already annotated by 03.xml" in error for error, *_ in one[0])  # type: ignore[attr-defined]
