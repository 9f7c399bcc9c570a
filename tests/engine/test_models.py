"""The way of one model through `make engine-models`, with the real engine, in each style."""

from pathlib import Path

import pytest
from campaigns.models import data, runs
from campaigns.models.catalogue import models

pytestmark = pytest.mark.engine

# The quickest of each style, and one that needs more in its records than boxes.
QUICK = ("ssd-ssd_mobilenet_v3_small", "ssd-ssd_mobilenet_v1_keras", "mask_rcnn-faster_rcnn_inception_v2")


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data")
    data.make(folder)
    return folder


@pytest.mark.parametrize("name", QUICK)
def test_a_model_goes_the_whole_way(name: str, records: Path, tmp_path: Path) -> None:
    (model,) = [model for model in models() if model.name == name]
    reported: list[runs.Result] = []
    found = runs.run([model], records, at_a_time=1, report=reported.append, folder=tmp_path)
    assert [(result["type"], result["ok"]) for result in found] == [(model.type, True)], found
    assert reported == found
    (recorded,) = [r for r in runs.read() if (r["type"], r["architecture"]) == (model.type, model.architecture)]
    assert found[0]["parameters"] == recorded["parameters"]
    assert sorted(path.name for path in (tmp_path / name).iterdir()) == ["done", "log", "result.json"]
    # Nothing changed, so nothing runs again.
    assert runs.run([model], records, at_a_time=1, report=reported.append, folder=tmp_path) == found
    assert len(reported) == 1
