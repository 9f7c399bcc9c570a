"""The command `submit`, without the engine."""

from __future__ import annotations

import importlib.util
import json
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
from support import tiny_run

DATA = Path(__file__).parents[1] / "data" / "cloud"
ESTIMATOR = DATA / "jobs" / "estimator.yaml"
SDKS = {
    "google",
    "grpc",
    "kubernetes",
    "boto3",
    "sky",
    "azure",
    "numpy",
    "PIL",
    "rich",
    "tensorflow",
    "object_detection",
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with records, and a config in TF1 style that reads them."""
    folder = tmp_path_factory.mktemp("data")
    tiny_run.make_config(tiny_run.make_records(folder), "tf1", folder / "pipeline.config")
    return folder


def job(data: Path, folder: Path, text: str = "", **changes: str) -> Path:
    """A job file in `folder` for the config in `data`."""
    fields = {
        "name": "shapes",
        "strategy": "estimator",
        "config": str(data / "pipeline.config"),
        "model_dir": str(folder / "model"),
        "steps": "20",
        "cluster": "{chief: {cpus: 1, memory: 2Gi}, worker: {cpus: 1, memory: 2Gi}, ps: {cpus: 1, memory: 1Gi}}",
        **changes,
    }
    path = folder / "job.yaml"
    path.write_text("\n".join(f"{key}: {value}" for key, value in fields.items()) + f"\n{text}\n")
    return path


def in_the_bucket(data: Path, folder: Path) -> Path:
    """A job file for Google's clouds, with the config on this machine and the records in a bucket."""
    more = "vertex: {project: p, region: us-central1}"
    return job(data, folder, more, model_dir="gs://b/m", records="gs://b/r", image=f"i@sha256:{'0' * 64}")


def processor_s(words: list[str]) -> float:
    """Processor time of a command. It hardly depends on how busy the machine is."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    tiny_run.tfod("submit", *words)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


@pytest.mark.parametrize("backend", ["vertex", "kubernetes_jobset", "local"])
@pytest.mark.parametrize("config_is_here", [True, False])
def test_plan_takes_no_time_and_no_sdk(backend: str, config_is_here: bool, data: Path, tmp_path: Path) -> None:
    code = "import runpy, sys\nsys.argv = sys.argv[1:]\ntry:\n  runpy.run_module(sys.argv[0], run_name='__main__')\n" \
           "finally:\n  print(*sys.modules, file=sys.stderr)"  # fmt: skip
    (tmp_path / "job").mkdir()
    if config_is_here:
        path = job(data, tmp_path / "job") if backend == "local" else in_the_bucket(data, tmp_path / "job")
    else:
        path = tmp_path / "job" / "job.yaml"
        path.write_text(ESTIMATOR.read_text().replace("gs://bucket", "/mnt/bucket" if backend == "local" else "gs://b"))
    words = ["plan", f"--job={path}", f"--backend={backend}"]
    done = subprocess.run([sys.executable, "-c", code, "tfod_tools.submit", *words], cwd=tmp_path,
                          env=tiny_run.environment(), capture_output=True, text=True, check=True)  # fmt: skip
    roots = {name.partition(".")[0] for name in done.stderr.split()}
    assert not roots & (SDKS - {"google", *(["object_detection"] if config_is_here else [])})
    assert not re.search(r"google\.(cloud|api_core|auth)", done.stderr)
    assert not any(name.startswith("object_detection.") and "protos" not in name for name in done.stderr.split())
    assert ("google.protobuf" in done.stderr) == config_is_here
    assert any(processor_s(words) < 0.2 for _ in range(10))
    assert [entry.name for entry in tmp_path.iterdir()] == ["job"]


def test_plan_writes_its_documents(tmp_path: Path) -> None:
    out = tmp_path / "out"
    said = tiny_run.tfod("submit", "plan", f"--job={ESTIMATOR}", "--backend=vertex", f"--output={out}")
    assert [path.name for path in out.iterdir()] == ["custom_job.yaml"]
    assert (out / "custom_job.yaml").read_text() in said
    tiny_run.tfod(
        "submit", "plan", f"--job={ESTIMATOR}", "--backend=vertex", f"--output={tmp_path / 'dry'}", "--dry_run"
    )
    assert not (tmp_path / "dry").exists()


def test_the_config_travels_with_its_records_moved(data: Path, tmp_path: Path) -> None:
    path = in_the_bucket(data, tmp_path)
    said = tiny_run.tfod("submit", "plan", f"--job={path}", "--backend=vertex")
    assert said.count('input_path: "gs://b/r/train.record-') == 3  # of chief, worker and ps
    assert 'label_map_path: "gs://b/r/label_map.pbtxt"' in said
    assert str(data) not in said
    assert "--config=pipeline.config" in said
    assert re.search(r"num_steps: 20\b", said)
    assert re.search(r"batch +2 images for each of 2 replicas", said)


def test_records_that_the_machines_cannot_see(data: Path, tmp_path: Path) -> None:
    path = job(
        data, tmp_path, "vertex: {project: p, region: us-central1}", model_dir="gs://b/m", image=f"i@sha256:{'0' * 64}"
    )
    said = tiny_run.tfod("submit", "plan", f"--job={path}", "--backend=vertex", expect=2)
    assert said.startswith(f"{path}:3: the config reads {data}/records/train")
    assert "which vertex cannot see. Copy the records to a place that the job sees, and add" in said


@pytest.mark.parametrize("backend", ["local", "slurm"])
def test_records_that_are_not_there(backend: str, data: Path, tmp_path: Path) -> None:
    path = job(data, tmp_path, records=str(tmp_path / "nowhere"))
    said = tiny_run.tfod("submit", "plan", f"--job={path}", f"--backend={backend}", expect=2)
    assert f"no records match {tmp_path}/nowhere/train.record-" in said


def test_records_in_a_bucket_are_looked_for_before_anything_is_sent(data: Path, tmp_path: Path) -> None:
    """A folder is in place of the bucket. The plan itself does not look for files."""
    pytest.importorskip("fsspec", reason="fsspec is in the extras gcs and s3")
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    more = "vertex: {project: p, region: us-central1}"
    path = job(data, tmp_path, more, model_dir="gs://b/m", records=f"file://{bucket}", image=f"i@sha256:{'0' * 64}")
    flags = (f"--job={path}", "--backend=vertex")
    tiny_run.tfod("submit", "plan", *flags)
    said = tiny_run.tfod("submit", "run", *flags, expect=2)
    assert f"{path}: there is nothing at file://{bucket}/train.record-" in said
    assert (
        f"{path}: there is nothing at file://{bucket}/label_map.pbtxt. Copy the files there, or correct the path."
        in said
    )
    assert len(said.splitlines()) == 3
    out = f"--output={tmp_path / 'out'}"
    assert tiny_run.tfod("submit", "bundle", f"--job={path}", out, expect=2) == said
    for file in (data / "records").iterdir():
        shutil.copy(file, bucket)
    tiny_run.tfod("submit", "bundle", f"--job={path}", out)


@pytest.mark.skipif(importlib.util.find_spec("gcsfs") is not None, reason="gcsfs is installed")
def test_a_bucket_that_cannot_be_checked(data: Path, tmp_path: Path) -> None:
    said = tiny_run.tfod("submit", "plan", f"--job={in_the_bucket(data, tmp_path)}", "--backend=vertex")
    assert (
        "warning: it is not checked whether the config and the records at gs:// exist: gcsfs is not installed. "
        "Run: pip install 'tfod-tools[gcs]'" in said
    )


def test_a_config_that_is_not_there(tmp_path: Path) -> None:
    path = job(tmp_path, tmp_path)
    said = tiny_run.tfod("submit", "plan", f"--job={path}", "--backend=local", expect=2)
    assert said.startswith(f"{path}:3: config: there is no file {tmp_path}/pipeline.config.")


def test_a_config_of_the_other_style(data: Path, tmp_path: Path) -> None:
    path = job(data, tmp_path, strategy="multi_worker_mirrored", cluster="{chief: {cpus: 1, memory: 2Gi}}")
    said = tiny_run.tfod("submit", "plan", f"--job={path}", "--backend=local", expect=2)
    assert said.startswith(
        f"{path}:2: strategy is multi_worker_mirrored, but the config's feature extractor trains in TF1 style."
    )
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "the action is missing. Name one of plan, run, status"),
        (["plans"], "no action is called 'plans'. Did you mean plan?"),
        (["plan"], "--job is missing."),
        (["plan", f"--job={ESTIMATOR}"], "--backend is missing. Name one of azureml, kubernetes_jobset"),
        (["plan", f"--job={ESTIMATOR}", "--backend=kubernetes"], "no back-end is called 'kubernetes'. Did you mean"),
        (["plan", "--job=none.yaml", "--backend=vertex"], "--job: there is no file none.yaml."),
        (
            ["run", f"--job={ESTIMATOR}", "--backend=sagemaker"],
            "model_dir is gs://bucket/lemons/model. sagemaker cannot see this path.",
        ),
        (["import-legacy"], "--from is missing."),
        (["import-legacy", "--from=none.yml"], "--from: there is no file none.yml."),
        (["bundle", f"--job={ESTIMATOR}"], "--output is missing."),
        (["plan", "none.yaml", "--backend=vertex"], "--job: there is no file none.yaml."),
        (["plan", str(ESTIMATOR), "none.yaml", "--backend=vertex"], "unexpected argument 'none.yaml'."),
        (["plan", str(ESTIMATOR), "--job=none.yaml", "--backend=vertex"], "--job is given too. Leave one of them out."),
        (["plan", f"--job={ESTIMATOR}", "--backend=vertex", "--prices=none"], "--prices: there is no file none."),
    ],
)
def test_usage(words: list[str], says: str) -> None:
    done = subprocess.run([sys.executable, "-m", "tfod_tools.submit", *words], env=tiny_run.environment(),
                          capture_output=True, text=True, check=False)  # fmt: skip
    assert done.returncode in (1, 2)
    assert len(done.stderr.splitlines()) == 1
    assert says in done.stderr


def test_a_back_end_that_only_writes(tmp_path: Path) -> None:
    path = tmp_path / "job.yaml"
    path.write_text(ESTIMATOR.read_text().replace("gs://bucket/lemons", "/mnt/lemons"))
    for action in ("run", "status", "logs", "cancel"):
        said = tiny_run.tfod("submit", action, f"--job={path}", "--backend=azureml", expect=1)
        assert said.startswith("azureml only writes its document.")


def test_import_legacy_writes_the_job_file(tmp_path: Path) -> None:
    source, target = tmp_path / "cloud.yml", tmp_path / "job.yaml"
    source.write_text("trainingInput: {scaleTier: BASIC_GPU}\n")
    said = tiny_run.tfod("submit", "import-legacy", f"--from={source}", f"--output={target}", expect=3)
    assert f"{source}:1: scaleTier: n1-standard-8 + 1 K80 -> n1-standard-8 + 1 T4: K80 is out of service" in said
    assert target.read_text() in said
    assert "# image: which image, by its digest" in said


def test_plan_overwrites_no_file_of_the_user(tmp_path: Path) -> None:
    """The document of Azure ML has the same name as many job files."""
    path = tmp_path / "job.yaml"
    path.write_text(ESTIMATOR.read_text().replace("gs://bucket/lemons", "/mnt/lemons"))
    before = path.read_bytes()
    words = ("submit", "plan", str(path), "--backend=azureml", f"--output={tmp_path}")
    for more in ((), ("--overwrite",)):
        said = tiny_run.tfod(*words, *more, expect=2)
        assert said == f"{path}: is the file that you started from, and would be overwritten. Name another --output.\n"
        assert path.read_bytes() == before
    out = tmp_path / "out"
    out.mkdir()
    (out / "job.yaml").write_text("mine")
    words = (*words[:-1], f"--output={out}")
    assert tiny_run.tfod(*words, expect=2).startswith(f"{out}/job.yaml: is there already")
    assert (out / "job.yaml").read_text() == "mine"
    tiny_run.tfod(*words, "--overwrite")
    tiny_run.tfod(*words)  # the same bytes again are no change
    assert "type: command" in (out / "job.yaml").read_text()


def test_a_document_is_not_overwritten_by_its_job_file(tmp_path: Path) -> None:
    source = tmp_path / "cloud.yml"
    source.write_text("trainingInput: {scaleTier: BASIC_GPU}\n")
    words = ("submit", "import-legacy", str(source), f"--output={source}")
    for more in ((), ("--overwrite",)):
        assert "is the file that you started from" in tiny_run.tfod(*words, *more, expect=2)
    assert source.read_text() == "trainingInput: {scaleTier: BASIC_GPU}\n"


def test_the_same_for_programs(data: Path, tmp_path: Path) -> None:
    def answer(*words: str, expect: int = 0) -> dict[str, Any]:
        done = subprocess.run([sys.executable, "-m", "tfod_tools.submit", *words, "--json"], env=tiny_run.environment(),
                              capture_output=True, text=True, check=False)  # fmt: skip
        assert done.returncode == expect, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    plan = answer("plan", str(ESTIMATOR), "--backend=vertex")
    assert plan["name"] == f"lemons-{plan['run_id']}"
    assert plan["strategy"] == "estimator"
    wanted = {"count": 3, "cpus": 4, "memory_gib": 15.0, "accelerator": None, "accelerators": 0}
    assert plan["machines"]["ps"] == {**wanted, "machine_type": "n1-standard-4"}
    assert plan["figures"]["price"].startswith("4.95 USD/h")
    assert list(plan["files"]) == ["custom_job.yaml"]
    assert plan["command"][:3] == ["gcloud", "ai", "custom-jobs"]
    source = tmp_path / "cloud.yml"
    source.write_text("trainingInput: {scaleTier: BASIC_GPU}\n")
    legacy = answer("import-legacy", str(source), expect=3)
    assert legacy["changes"][0]["was"] == "n1-standard-8 + 1 K80"
    assert legacy["questions"]
    bundle = answer("bundle", str(job(data, tmp_path)), f"--output={tmp_path / 'out'}", "--backend=local", "--dry_run")
    assert {"name": "requirements.lock", "bytes": mock.ANY} in bundle["files"]
    assert not (tmp_path / "out").exists()


def test_nothing_but_errors() -> None:
    assert tiny_run.tfod("submit", "plan", str(ESTIMATOR), "--backend=vertex", "--quiet") == ""


@pytest.mark.parametrize("named", ["mine.py", "my_package.extractor"])
def test_an_extractor_of_ones_own(named: str, data: Path, tmp_path: Path) -> None:
    """The job gets the extension, so the type of the extractor can be unknown."""
    config = tmp_path / "own.config"
    text = (data / "pipeline.config").read_text()
    config.write_text(re.sub(r'(feature_extractor \{\s*type: )"[^"]+"', r'\1"my_extractor"', text))
    path = job(data, tmp_path, config=str(config))
    said = tiny_run.tfod("submit", "plan", str(path), "--backend=local", expect=2)
    assert "no extractor is called 'my_extractor'" in said
    path = job(data, tmp_path, config=str(config), extension=named)
    if named.endswith(".py"):
        said = tiny_run.tfod("submit", "plan", str(path), "--backend=local", expect=2)
        assert said.startswith(f"{path}:7: extension: there is no file {tmp_path}/mine.py.")
        (tmp_path / named).write_text("")
    there = str(tmp_path / named) if named.endswith(".py") else named
    said = tiny_run.tfod("submit", "plan", str(path), "--backend=local")
    assert said.count(f'"--extension={there}"') == 3


def test_an_extractor_that_the_machines_cannot_see(data: Path, tmp_path: Path) -> None:
    path = job(data, tmp_path, "vertex: {project: p, region: us-central1}", model_dir="gs://b/m", records="gs://b/r",
               image=f"i@sha256:{'0' * 64}", extension="mine.py")  # fmt: skip
    said = tiny_run.tfod("submit", "plan", str(path), "--backend=vertex", expect=2)
    assert "extension is 'mine.py', a path on this machine. vertex runs the job on other machines." in said
    path.write_text(path.read_text().replace("mine.py", "/opt/tfod/mine.py"))
    assert "--extension=/opt/tfod/mine.py" in tiny_run.tfod("submit", "plan", str(path), "--backend=vertex")


def test_checkpoints_are_as_far_apart_as_those_of_train(data: Path, tmp_path: Path) -> None:
    path = job(data, tmp_path, steps="295")
    assert '"--checkpoint_every=20"' in tiny_run.tfod("submit", "plan", str(path), "--backend=local")
    words = ("train", str(data / "pipeline.config"), f"--model_dir={tmp_path / 'm'}", "--steps=295", "--dry_run")
    assert "--checkpoint_every=20" in tiny_run.tfod(*words)


def test_bundle(data: Path, tmp_path: Path) -> None:
    path = job(data, tmp_path)
    said = tiny_run.tfod("submit", "bundle", f"--job={path}", f"--output={tmp_path / 'out'}", "--backend=local")
    assert "bundle.tar.gz: jobs/pipeline.config" in said
    assert "bundle.tar.gz: jobs/label_map.pbtxt" in said
    assert "Next: docker build" in said
    assert (tmp_path / "out" / "SHA256SUMS").is_file()


def test_local_runs_the_task_and_reports_on_it(data: Path, tmp_path: Path) -> None:
    """Without TensorFlow, so the task ends at once. tests/campaigns/clusters has real trainings."""
    path = job(
        data, tmp_path, cluster="{chief: {cpus: 1, memory: 2Gi}}", text="scheduling: {restarts: 0, time_limit: 1m}"
    )
    flags = (f"--job={path}", "--backend=local")
    (tmp_path / "tensorflow").mkdir()
    (tmp_path / "tensorflow" / "__init__.py").write_text(
        "raise ModuleNotFoundError('no tensorflow', name='tensorflow')"
    )
    environment = {**tiny_run.environment(), "PYTHONPATH": f"{tmp_path}:{tiny_run.ROOT}"}

    def submit(action: str, *more: str) -> subprocess.CompletedProcess[str]:
        words = [sys.executable, "-m", "tfod_tools.submit", action, *flags, *more]
        return subprocess.run(words, env=environment, capture_output=True, text=True, check=False)

    assert submit("status").returncode == 2
    ran = submit("run")
    assert ran.returncode == 0, ran.stderr
    assert re.match(r"shapes-[0-9a-f]{12}: ", ran.stdout)
    log = submit("logs", "--follow").stdout
    assert "chief-0: alone" in log
    status = submit("status")
    assert status.returncode == 4
    assert "FAILED" in status.stdout
    assert submit("cancel").returncode == 0
