"""The folder of an export takes its name when it is complete, and an earlier one stays until then."""

import dataclasses
from pathlib import Path

import pytest

from tfod_tools.artefacts import exporting
from tfod_tools.base.errors import EngineError, OutputError

ENTRY = """
import pathlib
from absl import flags
from tfod_tools.engine import channel

def main(events):
    pathlib.Path(".export.partial", "frozen_inference_graph.pb").write_text("new")
    {end}

channel.serve(main, flags.FlagValues())
"""


@pytest.fixture
def export(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> exporting.Export:
    """An export whose engine is the module `entry_of_a_test`."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    (tmp_path / "map.pbtxt").write_text("a map")
    return exporting.Export(
        argv=("entry_of_a_test",), label_map=Path("map.pbtxt"), log=Path("log"), output=Path("export"), overwrite=True
    )


@pytest.mark.parametrize("before", [True, False])
@pytest.mark.parametrize("fails", [True, False])
def test_all_or_nothing(export: exporting.Export, before: bool, fails: bool) -> None:
    Path("entry_of_a_test.py").write_text(ENTRY.format(end="1 / 0" if fails else "events.send('result', step=3)"))
    if before:
        export.output.mkdir()
        (export.output / "label_map.pbtxt").write_text("old")
        (export.output / "frozen_inference_graph.pb").write_text("old")
    if fails:
        with pytest.raises(EngineError):
            exporting.run(export)
        assert export.output.exists() == before
        assert not before or (export.output / "label_map.pbtxt").read_text() == "old"
    else:
        assert exporting.run(export)["step"] == 3
        found = {path.name: path.read_text() for path in export.output.iterdir()}
        assert found == {"frozen_inference_graph.pb": "new", "label_map.pbtxt": "a map"}
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]


@pytest.mark.parametrize(
    ("overwrite", "name"), [(False, "frozen_inference_graph.pb"), (False, "notes.txt"), (True, "notes.txt")]
)
def test_what_came_to_the_folder_meanwhile_stays(export: exporting.Export, overwrite: bool, name: str) -> None:
    """Another export into the same folder, or a file of the user."""
    other = f"pathlib.Path('export').mkdir(); pathlib.Path('export', '{name}').write_text('other')"
    Path("entry_of_a_test.py").write_text(ENTRY.format(end=f"{other}; events.send('result', step=3)"))
    with pytest.raises(OutputError):
        exporting.run(dataclasses.replace(export, overwrite=overwrite))
    assert {path.name: path.read_text() for path in export.output.iterdir()} == {name: "other"}
    assert not [path for path in Path().iterdir() if path.name.startswith(".")]
