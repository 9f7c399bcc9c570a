"""A fixed sample of upstream's own tests; all of them are run by `make engine-test` and recorded in upstream.json."""

from pathlib import Path

import pytest
from campaigns import campaign
from campaigns.upstream import results, runs

SAMPLE = [tuple(line.split()) for line in (Path(runs.__file__).parent / "sample.txt").read_text().splitlines()]
RECORDED = runs.record()


@pytest.mark.engine
@pytest.mark.parametrize(("style", "module"), SAMPLE)
def test_upstream_file_passes_as_recorded(style: str, module: str, tmp_path: Path) -> None:
    name = f"object_detection.{module}"
    job = runs.job(style, name)
    done = runs.run([job], at_a_time=1, report=lambda job, seconds: None, folder=tmp_path)
    result = done[style][name]
    assert result.passed, campaign.outcome(tmp_path / job.name)
    assert not results.regressions({name: result}, RECORDED[style])
