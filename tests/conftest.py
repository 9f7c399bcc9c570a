"""What holds for the whole suite."""

import sys
from collections.abc import Iterator

import hypothesis
import pytest

# A busy machine must not fail a property, and a failure must come again.
hypothesis.settings.register_profile("suite", deadline=None, derandomize=True)
hypothesis.settings.load_profile("suite")


@pytest.fixture(scope="session", autouse=True)
def _tensorflow_stays_in_child_processes() -> Iterator[None]:
    yield
    assert "tensorflow" not in sys.modules, "a test imported TensorFlow into the test process"
