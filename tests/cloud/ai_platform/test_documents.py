"""Job files that are made of AI Platform documents."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cloud import planning
from cloud.ai_platform import documents as legacy
from cloud.ai_platform import machines as legacy_machines
from cloud.estimates import hardware, prices
from cloud.job_files import job_file
from tfod_tools.base.errors import Problems

SHARED = Path(__file__).parents[4] / "shared"
# The sample that the engine's repository has, with the numbers that most copies of it have.
SAMPLE = """\
trainingInput:
  runtimeVersion: "1.12"
  scaleTier: CUSTOM
  masterType: standard_gpu
  workerCount: 5
  workerType: standard_gpu
  parameterServerCount: 3
  parameterServerType: standard
"""
WHOLE = """\
jobId: lemons_1
trainingInput:
  runtimeVersion: "1.15"
  pythonVersion: "3.7"
  scaleTier: CUSTOM
  masterType: n1-highmem-8
  masterConfig:
    acceleratorConfig: {type: NVIDIA_TESLA_K80, count: "2"}
    imageUri: gcr.io/p/i
  workerType: complex_model_m_p100
  workerCount: "2"
  parameterServerType: large_model
  parameterServerCount: 1
  packageUris: [gs://b/p.tar.gz]
  pythonModule: object_detection.model_main
  args: [--pipeline_config_path=gs://b/pipeline.config, --num_train_steps, "50000"]
  jobDir: gs://b/run
  region: europe-west4
  serviceAccount: trainer@p.iam.gserviceaccount.com
  scheduling: {maxRunningTime: 7200s}
"""
ASKED = ("config", "model_dir", "image", "vertex.project", "vertex.region")


def asked(imported: legacy.Imported) -> tuple[str, ...]:
    return tuple(question.partition(":")[0] for question in imported.questions)


def answered(text: str) -> str:
    """The job file with every open question answered."""
    answers = {
        "config": "gs://b/pipeline.config", "model_dir": "gs://b/run", "project": "p", "region": "us-central1",
        "image": f"r.example.com/i@sha256:{'0' * 64}", "strategy": "estimator",
    }  # fmt: skip
    text = re.sub(r"(?m)^( *)(\w+):$", lambda m: f"{m[1]}{m[2]}: {answers[m[2]]}" if m[2] in answers else m[0], text)
    return text if "steps:" in text else f"steps: 200000\n{text}"


def test_the_sample() -> None:
    imported = legacy.read(SAMPLE, "cloud.yml", "lemons")
    assert asked(imported) == ASKED
    assert [(change.line, change.field, change.was, change.now) for change in imported.changes[:3]] == [
        (4, "masterType", "standard_gpu (n1-standard-8 + 1 K80)", "n1-standard-8 + 1 T4"),
        (6, "workerType", "standard_gpu (n1-standard-8 + 1 K80)", "n1-standard-8 + 1 T4"),
        (8, "parameterServerType", "standard (n1-standard-4)", "n1-standard-4"),
    ]
    with pytest.raises(Problems, match="config is missing"):
        job_file.parse(imported.text, "job.yaml")
    file = job_file.parse(answered(imported.text), "job.yaml")
    assert file.cluster.counts == {"chief": 1, "worker": 5, "ps": 3}
    assert file.cluster.strategy == "estimator"
    figures = dict(planning.plan(file, "vertex", None, prices.load()).fit.figures)
    assert figures["price"].startswith("4.95 USD/h")


def test_a_document_with_everything() -> None:
    imported = legacy.read(WHOLE, "cloud.yml", "lemons")
    assert asked(imported) == ("image", "vertex.project")
    file = job_file.parse(answered(imported.text), "job.yaml")
    assert (file.config, file.model_dir, file.steps) == ("gs://b/pipeline.config", "gs://b/run", 50000)
    assert file.cluster.scheduling.time_limit_s == 7200
    chief, worker = file.cluster.roles["chief"], file.cluster.roles["worker"]
    assert (chief.cpus, chief.memory_gib, chief.accelerator, chief.accelerators) == (8, 52, "T4", 2)
    assert (worker.count, worker.accelerator, worker.accelerators) == (2, "L4", 4)
    assert file.options["vertex"]["service_account"] == "trainer@p.iam.gserviceaccount.com"
    dropped = {change.field for change in imported.changes if not change.now}
    assert dropped == {"runtimeVersion", "pythonVersion", "packageUris", "masterConfig.imageUri"}


@pytest.mark.parametrize("tier", ["BASIC", "BASIC_GPU"])
def test_a_single_machine(tier: str) -> None:
    imported = legacy.read(f"trainingInput: {{scaleTier: {tier}}}\n", "cloud.yml", "lemons")
    assert asked(imported)[0] == "strategy"
    file = job_file.parse(answered(imported.text), "job.yaml")
    assert file.cluster.counts == {"chief": 1}
    assert file.cluster.roles["chief"].accelerator == ("T4" if tier == "BASIC_GPU" else None)


@pytest.mark.parametrize("tier", ["STANDARD_1", "PREMIUM_1"])
def test_a_tier_whose_size_nobody_knows_any_more(tier: str) -> None:
    imported = legacy.read(f"trainingInput: {{scaleTier: {tier}}}\n", "cloud.yml", "lemons")
    assert asked(imported)[0] == "cluster"


def test_a_tf2_module() -> None:
    text = SAMPLE.partition("  parameterServerCount")[0] + "  pythonModule: object_detection.model_main_tf2\n"
    file = job_file.parse(answered(legacy.read(text, "cloud.yml", "lemons").text), "job.yaml")
    assert file.cluster.strategy == "multi_worker_mirrored"
    assert file.cluster.trainers == 6


BROKEN = {
    "trainingInputs: {}\n": "cloud.yml:1: has no trainingInput. Name a document of AI Platform Training.",
    "trainingInput: {scaleTier: CUSTOM, masterType: standard_gpus}\n": (
        "cloud.yml:1: masterType: AI Platform had no machine 'standard_gpus'. Did you mean standard_gpu"
    ),
    "trainingInput:\n  scaleTier: CUSTOM\n  masterType: cloud_tpu\n": "cloud.yml:3: masterType is cloud_tpu: TPUs",
    "trainingInput:\n  scaleTier: BASIC_TPU\n": "cloud.yml:2: scaleTier BASIC_TPU: TPUs are not supported",
    "trainingInput:\n  hyperparameters: {goal: MAXIMIZE}\n": "cloud.yml:2: hyperparameter tuning runs many jobs",
    "trainingInput:\n  scaleTier: CUSTOM\n": "cloud.yml:1: masterType is missing",
    "trainingInput:\n  scaleTier: custom\n": "cloud.yml:2: trainingInput.scaleTier is 'custom'. Write BASIC or",
    "trainingInput:\n  scale_tier: BASIC\n": "cloud.yml:2: no field of trainingInput is called 'scale_tier'.",
    "trainingInput:\n  scheduling: {maxRunningTime: 2h}\n": "cloud.yml:2: maxRunningTime is '2h'. Write seconds",
}  # fmt: skip


@pytest.mark.parametrize("text", BROKEN)
def test_what_cannot_be_translated(text: str) -> None:
    with pytest.raises(Problems) as caught:
        legacy.read(text, "cloud.yml", "lemons")
    assert BROKEN[text] in str(caught.value)


@pytest.mark.parametrize("name", legacy_machines.MACHINES)
def test_every_machine_of_the_table_can_be_had(name: str) -> None:
    """Its GPUs have at least as much memory as before."""
    machine = legacy_machines.MACHINES[name]
    hardware.machine("chief", machine.now)
    before = {"K80": 12, "P100": 16, "V100": 16}.get(machine.was.split()[-1])
    assert (before is None) == (machine.now.accelerator is None)
    if before and machine.now.accelerator:
        assert hardware.ACCELERATORS[machine.now.accelerator].memory_gib >= before
        assert machine.now.accelerators == int(machine.was.split()[-2])
        assert machine.why


def shared_documents() -> list[str]:
    """All documents of the shared data, and one that stands in a single line of a call for help."""
    if not SHARED.is_dir():
        pytest.skip("../shared is not there")
    documents = [
        path.read_text(encoding="utf-8") for path in sorted((SHARED / "data/wild_configs/cloud").glob("*.yml"))
    ]
    (seed,) = (SHARED / "seeds").glob("001_*")
    line = seed.read_text(encoding="utf-8").partition("trainingInput:")[2].partition(" Problem")[0]
    fields = re.findall(r"(\w+): (\S+)", line)
    return [*documents, "trainingInput:\n" + "".join(f"  {key}: {value}\n" for key, value in fields)]


def test_the_shared_documents() -> None:
    documents = shared_documents()
    assert len(documents) == 4
    for text in documents:
        imported = legacy.read(text, "cloud.yml", "lemons")
        assert asked(imported) == ASKED
        file = job_file.parse(answered(imported.text), "job.yaml")
        assert file.cluster.counts == {"chief": 1, "worker": 5, "ps": 3}
        assert {role.accelerator for role in file.cluster.roles.values()} == {"T4", None}
