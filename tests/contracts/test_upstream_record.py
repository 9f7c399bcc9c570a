"""What the documents say of upstream's tests is what the last run of all of them recorded."""

import pytest
from campaigns.upstream import results, runs

DOCUMENT = (runs.RECORD.parents[2] / "docs" / "engine.md").read_text(encoding="utf-8")
RECORD = runs.record()


@pytest.mark.parametrize("style", runs.STYLES)
def test_almost_all_of_them_pass(style: str) -> None:
    totals = results.totals(RECORD[style].values())
    assert totals["passed"] >= 0.995 * totals["ran"]
    assert f"{totals['passed']:,} of {totals['ran']:,}" in DOCUMENT


@pytest.mark.parametrize("style", runs.STYLES)
def test_each_one_that_fails_is_explained(style: str) -> None:
    failing = {test for file in RECORD[style].values() for test in file.failed}
    assert not {test for test in failing if f"`{test}`" not in DOCUMENT}
