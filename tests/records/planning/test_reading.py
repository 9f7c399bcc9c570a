"""Several processes read what one does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from record_builders.annotations import Wanted
from record_builders.output import report
from record_builders.planning import build, reading
from record_builders.planning.plan import Plan, Request

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
    return (
        faults,
        images,
        planned.left_out,
        planned.superseded,
        report.lines(planned, report.remarks(planned), done=False),
    )


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
    assert any("the image '26' has an annotation in 03.xml already" in error for error, *_ in one[0])  # type: ignore[attr-defined]


# A file of each format with one file for each image: a cat, and what is wrong with some of them.
FILES = {
    "bdd100k": ("json", '[{"name": "NAME.jpg", "labels": [{"category": "cat", "box2d": '
                '{"x1": 1, "y1": 2, "x2": 30, "y2": 40}}]}]', '"y2": 40', '"y2": "?"'),
    "kitti": ("txt", "cat 0.00 0 0 1 2 30 40 1 1 1 1 1 1 0\n", "30 40", "30 ?"),
    "labelme": ("json", '{"imagePath": "NAME.jpg", "shapes": [{"label": "cat", "shape_type": "rectangle", '
                '"points": [[1, 2], [30, 40]]}]}', "[30, 40]", "[30]"),
    "yolo": ("txt", "0 0.2 0.5 0.1 0.5\n", "0.2", "?"),
}  # fmt: skip


@pytest.mark.parametrize("name", FILES)
def test_processes_do_not_matter_to_other_formats(
    name: str, voc: VocFolder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Thirty images, one of which is damaged, one is not there, and three boxes are wrong."""
    monkeypatch.setattr(reading, "_FILES_OF_A_TASK", 4)
    tasks: list[int] = []
    results = reading.workers.results
    monkeypatch.setattr(reading.workers, "results", lambda *args: (tasks.append(len(args[0])), results(*args))[1])
    suffix, content, right, wrong = FILES[name]
    for number in range(30):
        text = content.replace(right, wrong) if number in (3, 14, 29) else content
        (voc.annotations / f"{number:02d}.{suffix}").write_text(text.replace("NAME", f"{number:02d}"))
        if number != 17:
            voc.image(f"{number:02d}.jpg")
    (voc.annotations / "classes.txt").write_text("cat\n") if name == "yolo" else None
    voc.image("20.jpg").write_bytes(b"not an image")
    request = Request(format=name, annotations=voc.annotations, images=voc.images, output=tmp_path / "out")
    one, *others = (told(build.plan(request, processes)) for processes in (1, 2, 5))
    assert tasks == [8, 8]
    assert len(one[0]) == 8  # type: ignore[arg-type]
    assert all(other == one for other in others)
