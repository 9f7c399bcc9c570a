"""What a run leaves in its folder when it starts, and when it does not."""

import contextlib
import dataclasses
from pathlib import Path

import pytest

from cloud.job import TrainJob
from tfod_tools.base import engine_process
from tfod_tools.base.errors import TfodError
from tfod_tools.training import run

BEFORE = b"# The config of an earlier run."
ENTRY = """
from absl import flags
from tfod_tools.base.errors import CheckpointError
from tfod_tools.engine import channel

def main(events):
    assert open("model/pipeline.config").read() == "the new config"
    {event}
    {end}

channel.serve(main, flags.FlagValues())
"""


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Job(TrainJob):
    """One whose engine is the module `entry_of_a_test`."""

    def argv(self) -> tuple[str, ...]:
        return ("entry_of_a_test",)


@pytest.mark.parametrize("before", [BEFORE, None])
@pytest.mark.parametrize("event", ["start", "progress", None])
@pytest.mark.parametrize("end", ["raise CheckpointError('is trained that far.')", "1 / 0", "events.send('result')"])
def test_the_config_in_the_model_dir_is_that_of_the_last_run_that_began(
    end: str, event: str | None, before: bytes | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    sent = f"events.send({event!r})" if event else ""
    (tmp_path / "entry_of_a_test.py").write_text(ENTRY.format(event=sent, end=end))
    path = tmp_path / "model" / "pipeline.config"
    if before:
        path.parent.mkdir()
        path.write_bytes(before)
    job = Job(config=str(path), model_dir="model", style="tf1", steps=7, checkpoint_every=1)
    fails = "result" not in end
    seen: list[engine_process.Event] = []
    with pytest.raises(TfodError, match=r"that far|ZeroDivisionError") if fails else contextlib.nullcontext():
        run.run(job, "the new config", seen.append)
    assert seen == ([{"event": event}] if event else [])
    began = event is not None or not fails
    assert (path.read_bytes() if path.exists() else None) == (b"the new config" if began else before)
