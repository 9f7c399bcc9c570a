"""make_label_map from the outside."""

from __future__ import annotations

from pathlib import Path

import pytest

from tfod_tools import app, make_label_map


def run(*arguments: str) -> int:
    """Runs the command in this process, with no flag left over from before."""
    for name in make_label_map.FLAGS:
        make_label_map.FLAGS[name].unparse()
    return app.status(make_label_map.main, make_label_map.FLAGS, make_label_map.__doc__, ["x", *arguments])


@pytest.fixture(autouse=True)
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A label map and a list of names."""
    monkeypatch.chdir(tmp_path)
    Path("old.pbtxt").write_text("item { name: 'dog' id: 4 }")
    Path("classes.txt").write_text("cat\ndog\n")


def test_check(capsys: pytest.CaptureFixture[str]) -> None:
    """Shows what is there, and writes nothing."""
    assert run("--from=old.pbtxt") == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["4", "dog"]
    assert sorted(path.name for path in Path().iterdir()) == ["classes.txt", "old.pbtxt"]


def test_merge(capsys: pytest.CaptureFixture[str]) -> None:
    """Once more it says the same; another file of that name is left alone."""
    assert run("--from=old.pbtxt,classes.txt", "--output=new.pbtxt", "--dry_run") == 0
    assert not Path("new.pbtxt").exists()
    for _ in range(2):
        assert run("--from=old.pbtxt,classes.txt", "--output=new.pbtxt") == 0
        assert Path("new.pbtxt").read_text() == (
            'item {\n  name: "dog"\n  id: 4\n}\nitem {\n  name: "cat"\n  id: 5\n}\n'
        )
    capsys.readouterr()
    assert run("--from=classes.txt", "--output=new.pbtxt") == 2
    assert (
        capsys.readouterr().err
        == "new.pbtxt: is there already and stays as it is. Name another --output, or add --overwrite.\n"
    )


def test_a_bad_file(capsys: pytest.CaptureFixture[str]) -> None:
    """Is one line."""
    Path("bad.pbtxt").write_text("item {")
    assert run("--from=old.pbtxt,bad.pbtxt", "--output=new.pbtxt") == 2
    assert capsys.readouterr().err.startswith("bad.pbtxt:1: not a label map")
    assert not Path("new.pbtxt").exists()
