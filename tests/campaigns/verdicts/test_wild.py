"""check_config finds errors in exactly those configs of other people that the engine did not train."""

from __future__ import annotations

from pathlib import Path

import pytest
from campaigns.verdicts import wild

pytestmark = pytest.mark.skipif(not wild.WILD.is_dir(), reason="needs ../shared with configs of other people")


def test_every_config_was_tried() -> None:
    assert wild.read().keys() == wild.configs().keys()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("wild")


@pytest.mark.parametrize("name", wild.read())
def test_the_verdict_is_the_engines(name: str, folder: Path) -> None:
    found = wild.read()[name]
    errors = wild.errors(*wild.given(wild.configs()[name], folder))
    assert errors == found["errors"]
    assert bool(errors) == (not found["trains"]), found.get("why")
