"""The errors of broken job files. For each YAML file of the corpus, a text file has the errors."""

from __future__ import annotations

from pathlib import Path

import pytest

from cloud.job_files import job_file
from tfod_tools.base.errors import TfodError

CORPUS = sorted((Path(__file__).parents[2] / "data" / "cloud" / "broken").glob("*.yaml"))


def said(path: Path) -> str:
    with pytest.raises(TfodError) as caught:
        job_file.parse(path.read_text(encoding="utf-8"), path.name)
    assert caught.value.exit_code == 2
    return f"{caught.value}\n"


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_broken(path: Path) -> None:
    assert said(path) == path.with_suffix(".txt").read_text(encoding="utf-8")


def test_the_corpus_is_whole() -> None:
    assert len(CORPUS) >= 40
    files = {path.name for path in CORPUS[0].parent.iterdir()}
    assert files == {name for path in CORPUS for name in (path.name, path.with_suffix(".txt").name)}


@pytest.mark.parametrize("path", CORPUS, ids=lambda path: path.stem)
def test_lines_are_those_of_the_file(path: Path) -> None:
    """Each error names a line that exists, and shows no secret."""
    lines = len(path.read_text(encoding="utf-8").splitlines())
    for line in said(path).splitlines():
        where = line.removeprefix(f"{path.name}:").partition(":")[0]
        assert where.strip() == "is not YAML" or not where.isdigit() or 1 <= int(where) <= max(lines, 1)
        assert "0123456789abcdef" not in line.partition("image")[0]
