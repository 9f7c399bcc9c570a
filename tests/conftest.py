"""What holds for the whole suite."""

import sys
from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def _tensorflow_stays_in_child_processes() -> Iterator[None]:
    yield
    assert "tensorflow" not in sys.modules, "a test imported TensorFlow into the test process"
