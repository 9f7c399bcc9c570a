"""Beam's workers write the same files as ours."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from record_builders.output import writing
from record_builders.planning import build
from record_builders.planning.plan import Plan, Request
from tfod_tools.base.errors import ImageError, UsageError

if TYPE_CHECKING:
    from tests.records.conftest import VocFolder

# Its import takes seconds; collecting tests does without.
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("apache_beam") is None, reason="Apache Beam is in the extra beam"),
    pytest.mark.filterwarnings("ignore"),  # those that its import causes
]
TWO_PROCESSES = "--direct_running_mode=multi_processing --direct_num_workers=2"


def plan(voc: VocFolder, output: Path) -> Plan:
    request = Request(format="voc", annotations=voc.annotations, images=voc.images, output=output, shards=4)
    return build.plan(request)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def pets(voc: VocFolder) -> VocFolder:
    for number in range(20):
        voc.add(f"pet{number}", ("cat", 1, 2, 30, 40))
    return voc


@pytest.mark.parametrize("options", ["", TWO_PROCESSES], ids=["default", "two processes"])
def test_the_same_files(pets: VocFolder, tmp_path: Path, options: str) -> None:
    told: list[int] = []
    writing.write(plan(pets, tmp_path / "local"), told.append)
    writing.write(plan(pets, tmp_path / "beam"), told.append, beam_options=options)
    assert content(tmp_path / "beam") == content(tmp_path / "local")
    assert sum(told) == 40


def test_an_error_is_the_same_error(pets: VocFolder, tmp_path: Path) -> None:
    planned = plan(pets, tmp_path / "beam")
    (pets.images / "pet7.jpg").unlink()
    with pytest.raises(ImageError, match=r"pet7\.jpg: cannot read the image"):
        writing.write(planned, lambda count: None, beam_options=TWO_PROCESSES)
    assert not content(tmp_path / "beam")


def test_options_that_cannot_be_used(pets: VocFolder, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--beam_options=--runner=Sprinter cannot be used"):
        writing.write(plan(pets, tmp_path / "beam"), lambda count: None, beam_options="--runner=Sprinter")
