"""The command, as a user runs it, without an engine."""

from __future__ import annotations

import importlib.util
import re
import resource
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support import tiny_run

from cloud import backends

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
    """A job file for Google's clouds whose config lies here, and whose records do not."""
    more = "vertex: {project: p, region: us-central1}"
    return job(data, folder, more, model_dir="gs://b/m", records="gs://b/r", image=f"i@sha256:{'0' * 64}")


def processor_s(words: list[str]) -> float:
    """Time of a processor that a command takes, which hardly changes when the machine is busy."""
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
    assert "which vertex cannot see. Add 'records: ...', their folder there." in said


@pytest.mark.parametrize("backend", ["local", "slurm"])
def test_records_that_are_not_there(backend: str, data: Path, tmp_path: Path) -> None:
    path = job(data, tmp_path, records=str(tmp_path / "nowhere"))
    said = tiny_run.tfod("submit", "plan", f"--job={path}", f"--backend={backend}", expect=2)
    assert f"no records match {tmp_path}/nowhere/train.record-" in said


def test_records_in_a_bucket_are_looked_for_before_anything_is_sent(data: Path, tmp_path: Path) -> None:
    """A folder stands for the bucket; the plan itself looks for nothing."""
    pytest.importorskip("fsspec", reason="fsspec is in the extras gcs and s3")
    bucket = tmp_path / "bucket"
    bucket.mkdir()
    more = "vertex: {project: p, region: us-central1}"
    path = job(data, tmp_path, more, model_dir="gs://b/m", records=f"file://{bucket}", image=f"i@sha256:{'0' * 64}")
    flags = (f"--job={path}", "--backend=vertex")
    tiny_run.tfod("submit", "plan", *flags)
    said = tiny_run.tfod("submit", "run", *flags, expect=2)
    assert f"{path}: nothing is at file://{bucket}/train.record-" in said
    assert f"{path}: nothing is at file://{bucket}/label_map.pbtxt. Copy it there, or mend the path." in said
    assert len(said.splitlines()) == 3
    out = f"--output={tmp_path / 'out'}"
    assert tiny_run.tfod("submit", "bundle", f"--job={path}", out, expect=2) == said
    for file in (data / "records").iterdir():
        shutil.copy(file, bucket)
    tiny_run.tfod("submit", "bundle", f"--job={path}", out)


@pytest.mark.skipif(importlib.util.find_spec("gcsfs") is not None, reason="gcsfs is installed")
def test_a_bucket_that_nobody_can_look_into(data: Path, tmp_path: Path) -> None:
    said = tiny_run.tfod("submit", "plan", f"--job={in_the_bucket(data, tmp_path)}", "--backend=vertex")
    assert (
        "warning: nobody looks whether the config and the records at gs:// are there: gcsfs is not installed. "
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
        f"{path}:2: style is multi_worker_mirrored, but the config's feature extractor trains in TF1 style."
    )
    assert len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "no action is named. Expected one of plan, run, status"),
        (["plans"], "no action is called 'plans'. Did you mean plan?"),
        (["plan"], "--backend is missing. Expected one of azureml, kubernetes_jobset"),
        (["plan", "--backend=vertex"], "--job is missing."),
        (["plan", f"--job={ESTIMATOR}", "--backend=kubernetes"], "no back-end is called 'kubernetes'. Did you mean"),
        (["plan", "--job=none.yaml", "--backend=vertex"], "--job: there is no file none.yaml."),
        (
            ["run", f"--job={ESTIMATOR}", "--backend=sagemaker"],
            "model_dir is gs://bucket/lemons/model, which sagemaker",
        ),
        (["import-legacy"], "--from is missing."),
        (["import-legacy", "--from=none.yml"], "--from: there is no file none.yml."),
        (["bundle", f"--job={ESTIMATOR}"], "--output is missing."),
        (["plan", "job.yaml", "--backend=vertex"], "unexpected argument 'job.yaml'."),
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
    assert f"{source}:1: scaleTier: n1-standard-8 + 1 K80 -> n1-standard-8 + 1 T4: K80s were taken out" in said
    assert target.read_text() in said
    assert "# image: which image runs it" in said


def test_bundle(data: Path, tmp_path: Path) -> None:
    path = job(data, tmp_path)
    said = tiny_run.tfod("submit", "bundle", f"--job={path}", f"--output={tmp_path / 'out'}", "--backend=local")
    assert "bundle.tar.gz: jobs/pipeline.config" in said
    assert "bundle.tar.gz: jobs/label_map.pbtxt" in said
    assert "Next: docker build" in said
    assert (tmp_path / "out" / "SHA256SUMS").is_file()


def test_local_runs_the_task_and_tells_of_it(data: Path, tmp_path: Path) -> None:
    """With a Python that has no engine, so that it ends at once; the whole way is in tests/clusters."""
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


def test_the_registry_is_the_folder() -> None:
    folder = Path(backends.__file__).parent
    assert set(backends.names()) == {path.stem for path in folder.glob("[a-z]*.py")}
    for name in backends.names():
        module = backends.load(name)
        whole = [hasattr(module, function) for function in ("submit", "status", "logs", "cancel")]
        assert all(whole) or not any(whole)
        assert callable(module.plan)
        assert module.OPTIONS
