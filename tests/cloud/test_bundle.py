"""The bundle: its checksums are right, the same input gives the same bytes, and its code starts."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from cloud import bundle
from cloud.estimates.fit import Facts
from cloud.job import Plan, train_job
from cloud.job_config import JobConfig
from cloud.job_files import job_file

JOB = Path(__file__).parents[1] / "data" / "cloud" / "jobs" / "estimator.yaml"


@pytest.fixture
def made() -> bundle.Bundle:
    job = train_job(
        config="pipeline.config", model_dir="gs://b/m", style="tf1", steps=1, checkpoint_every=None, extension=None
    )
    plan = Plan(job=job, config="model {}\n", batch_size=1)
    config = JobConfig(plan=plan, facts=Facts(steps=1, batch_size=1), label_map=b"item {}\n")
    return bundle.plan(job_file.parse(JOB.read_text(encoding="utf-8"), str(JOB)), config)


def write(made: bundle.Bundle, folder: Path) -> None:
    folder.mkdir()
    for name, content in made.contents().items():
        (folder / name).write_bytes(content)


def test_checksums_hold(made: bundle.Bundle, tmp_path: Path) -> None:
    write(made, tmp_path / "out")
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert names == {"bundle.tar.gz", "requirements.lock", "Dockerfile.cpu", "Dockerfile.gpu", "SHA256SUMS"}
    subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path / "out", check=True, capture_output=True
    )
    with tarfile.open(tmp_path / "out" / "bundle.tar.gz") as archive:
        archive.extractall(tmp_path / "code", filter="data")
    subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=tmp_path / "code", check=True, capture_output=True
    )


def test_the_same_input_is_the_same_archive(made: bundle.Bundle, tmp_path: Path) -> None:
    digests = []
    for folder in ("a", "b"):
        write(made, tmp_path / folder)
        digests.append(hashlib.sha256((tmp_path / folder / "bundle.tar.gz").read_bytes()).hexdigest())
    assert digests[0] == digests[1]


def test_the_launcher_starts_from_it(made: bundle.Bundle, tmp_path: Path) -> None:
    write(made, tmp_path / "out")
    with tarfile.open(fileobj=io.BytesIO((tmp_path / "out" / "bundle.tar.gz").read_bytes())) as archive:
        archive.extractall(tmp_path / "code", filter="data")
    words = [sys.executable, "-c", "import cloud.tasks.launch; print(cloud.tasks.launch.__file__)"]
    done = subprocess.run(
        words, cwd=tmp_path / "code", env={"PYTHONPATH": "."}, capture_output=True, text=True, check=True
    )
    assert Path(done.stdout.strip()) == tmp_path / "code" / "cloud" / "tasks" / "launch.py"
    assert (tmp_path / "code" / "jobs" / "lemons.yaml").read_bytes() == JOB.read_bytes()
    assert (tmp_path / "code" / "jobs" / "pipeline.config").read_text() == "model {}\n"
    assert (tmp_path / "code" / "jobs" / "label_map.pbtxt").read_bytes() == b"item {}\n"
    assert (tmp_path / "code" / "cloud" / "estimates" / "prices.yaml").is_file()


def test_the_dockerfiles_install_the_lock(made: bundle.Bundle) -> None:
    for name in ("Dockerfile.cpu", "Dockerfile.gpu"):
        text = made.others[name]
        assert "--require-hashes --requirement=requirements.lock" in text
        assert ("tensorflow[and-cuda]==" in text) == (name == "Dockerfile.gpu")
    assert made.others["requirements.lock"] == (Path(bundle.__file__).parents[1] / "requirements.lock").read_text()
