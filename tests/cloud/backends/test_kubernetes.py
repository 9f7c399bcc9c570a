"""Kubernetes: pods against the schema of the API, TFJob and JobSet against published models, and calls of kubectl."""

from __future__ import annotations

import dataclasses
import importlib
import json
import re
import shutil
import socket
import subprocess
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from campaigns.clusters import kubernetes_api
from campaigns.clusters.kubernetes_api import Api

from cloud import planning
from cloud.backends import Jobs
from cloud.backends._kubernetes import kubectl
from cloud.estimates import prices
from cloud.job_files import job_file
from cloud.planning import Planned
from tfod_tools.base.errors import CheckpointError, ConfigError, EngineError

JOBS = sorted((Path(__file__).parents[2] / "data" / "cloud" / "jobs").glob("*.yaml"))
BACKENDS = ("kubernetes_jobset", "kubernetes_tfjob")


def planned(name: str, backend: str) -> Planned:
    path = next(path for path in JOBS if path.stem == name)
    return planning.plan(job_file.parse(path.read_text(encoding="utf-8"), path.name), backend, None, prices.load())


def jobs_of(plan: Planned) -> Jobs:
    assert plan.backend.jobs
    return plan.backend.jobs


def document(name: str, backend: str) -> dict[str, Any]:
    (text,) = planned(name, backend).submission.files.values()
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def jobs(found: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """A plain Job for each role, with the pods of a TFJob or a JobSet."""
    spec = found["spec"]
    if found["kind"] == "JobSet":
        for role in spec["replicatedJobs"]:
            yield role["name"], role["template"]["spec"]
    else:
        for role, replica in spec["tfReplicaSpecs"].items():
            pod = {**replica["template"]["spec"], "restartPolicy": "Never"}
            yield role.lower(), {"template": {**replica["template"], "spec": pod}}


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("name", [path.stem for path in JOBS])
def test_pods_by_the_schema_of_kubernetes(name: str, backend: str) -> None:
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    for role, spec in jobs(document(name, backend)):
        job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": role}, "spec": spec}
        validate.validate(job, "1.33", strict=True)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_schema_refuses_what_is_wrong(backend: str) -> None:
    validate = pytest.importorskip("kubernetes_validate", reason="kubernetes-validate is not installed")
    _, spec = next(jobs(document("estimator", backend)))
    spec["template"]["spec"]["containers"][0]["comand"] = ["python"]
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "x"}, "spec": spec}
    with pytest.raises(validate.ValidationError):
        validate.validate(job, "1.33", strict=True)


def models(kind: Any) -> Iterator[type[Any]]:
    """The pydantic models in a type such as `Optional[List[Model]]`."""
    if typing.get_origin(kind) is dict:
        return  # keys of the user's own
    if hasattr(kind, "model_fields"):
        yield kind
    for part in typing.get_args(kind):
        yield from models(part)


def unknown(value: Any, model: type[Any], where: str = "") -> Iterator[str]:
    """Keys of a document that a pydantic model of the published client does not have."""
    fields = {field.alias or name: field for name, field in model.model_fields.items()}
    for key, item in value.items():
        if key not in fields:
            yield f"{where}.{key}"
            continue
        for inner in list(models(fields[key].annotation))[:1]:
            for part in item if isinstance(item, list) else [item]:
                yield from unknown(part, inner, f"{where}.{key}")


@pytest.mark.parametrize("name", [path.stem for path in JOBS])
def test_jobset_by_its_models(name: str) -> None:
    api = pytest.importorskip("kubeflow_trainer_api.models", reason="kubeflow-trainer-api is not installed")
    found = document(name, "kubernetes_jobset")
    model = api.JobsetV1alpha2JobSetSpec
    model.from_dict(found["spec"])
    assert not list(unknown(found["spec"], model))
    found["spec"]["succesPolicy"] = {}
    found["spec"]["replicatedJobs"][0]["template"]["spec"]["completion"] = 1
    assert sorted(unknown(found["spec"], model)) == [".replicatedJobs.template.spec.completion", ".succesPolicy"]


def built(value: Any, kind: str, models: dict[str, type[Any]], where: str = "") -> Any:
    """`value` as an object of the published client of TFJob. The client refuses objects with missing parts.

    Args:
      value: part of a document.
      kind: its type, in the words of that client: `str`, `dict(str, V1Container)`, `list[V1EnvVar]`, a model's name.
      models: by name.
      where: the part's path, for errors.

    Raises:
      ValueError: a key that the model does not have, a value of another type, or one that must be there and is not.
    """
    if match := re.fullmatch(r"dict\(str, (.+)\)", kind):
        return {key: built(item, match[1], models, f"{where}.{key}") for key, item in value.items()}
    if match := re.fullmatch(r"list\[(.+)\]", kind):
        return [built(item, match[1], models, where) for item in value]
    if kind not in models:
        if not isinstance(value, {"str": str, "int": int, "bool": bool}.get(kind, object)):
            raise ValueError(f"{where} is {value!r}, no {kind}")
        return value
    model = models[kind]
    names = {key: name for name, key in model.attribute_map.items()}
    if unknown := value.keys() - names.keys():
        raise ValueError(f"{where} has no {', '.join(sorted(unknown))}")
    types = model.openapi_types
    return model(**{names[k]: built(v, types[names[k]], models, f"{where}.{k}") for k, v in value.items()})


@pytest.fixture(scope="module")
def tfjob_models() -> dict[str, type[Any]]:
    pytest.importorskip("kubeflow.training", reason="kubeflow-training is not installed")
    return {**vars(importlib.import_module("kubernetes.client.models")),
            **vars(importlib.import_module("kubeflow.training.models"))}  # fmt: skip


@pytest.mark.parametrize("name", [path.stem for path in JOBS])
def test_tfjob_by_its_models(name: str, tfjob_models: dict[str, type[Any]]) -> None:
    found = document(name, "kubernetes_tfjob")
    made = built(found, "KubeflowOrgV1TFJob", tfjob_models)
    assert set(made.spec.tf_replica_specs) <= {"Chief", "Worker", "PS", "Evaluator"}
    assert made.spec.tf_replica_specs["Chief"].template.spec.containers[0].name == "tensorflow"


@pytest.mark.parametrize(
    ("path", "key", "value", "says"),
    [
        ((), "specs", {}, " has no specs"),
        (("spec",), "cleanPodPolicy", "None", r"\.spec has no cleanPodPolicy"),
        (("spec", "runPolicy"), "backoffLimit", "3", r"\.spec\.runPolicy\.backoffLimit is '3', no int"),
        (("spec", "tfReplicaSpecs", "Chief"), "replica", 1, r"\.spec\.tfReplicaSpecs\.Chief has no replica"),
        (("spec", "tfReplicaSpecs", "Chief", "template", "spec"), "image", "x", r"template\.spec has no image"),
        (("spec", "tfReplicaSpecs", "Chief", "template", "spec"), "containers", None, "containers"),
    ],
)
def test_the_models_of_tfjob_refuse_what_is_wrong(
    path: tuple[str, ...], key: str, value: object, says: str, tfjob_models: dict[str, type[Any]]
) -> None:
    found = document("estimator", "kubernetes_tfjob")
    part = found
    for step in path:
        part = part[step]
    part[key] = value
    if value is None:
        del part[key]
    with pytest.raises(ValueError, match=says):
        built(found, "KubeflowOrgV1TFJob", tfjob_models)


def test_hosts_of_a_jobset_are_those_that_it_makes() -> None:
    """`<jobset>-<role>-<job>-<pod>.<subdomain>`, as JobSet's own example has it."""
    found = document("estimator", "kubernetes_jobset")
    name, roles = found["metadata"]["name"], dict(jobs(found))
    for spec in roles.values():
        env = {entry["name"]: entry.get("value") for entry in spec["template"]["spec"]["containers"][0]["env"]}
        members = json.loads(env["TFOD_CLUSTER"])
        assert members["worker"][4] == f"{name}-worker-0-4.{name}:2222"
        assert {role: len(hosts) for role, hosts in members.items()} == {"chief": 1, "worker": 5, "ps": 3}
    assert found["spec"]["network"]["subdomain"] == name
    assert max(len(host.partition(".")[0]) for hosts in members.values() for host in hosts) <= 63


def test_names_have_room() -> None:
    """The longest name of a job gives host names that DNS accepts."""
    text = JOBS[0].read_text(encoding="utf-8").replace("name: lemons", f"name: {'n' * 30}")
    plan = planning.plan(job_file.parse(text, "job.yaml"), "kubernetes_jobset", None, prices.load())
    assert len(f"{plan.submission.name}-evaluator-0-999") <= 63


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("namespace: training,", "volume_claim: data,", "volume_claim and kubernetes.mount_path belong together"),
        (
            "model_dir: gs://bucket",
            "model_dir: /data",
            "model_dir is /data/lemons/model. kubernetes_jobset cannot see this path",
        ),
        ("gke-accelerator=nvidia-tesla-t4", "gke-accelerator", "Write KEY=VALUE, a label of nodes"),
        ("steps: 200000", "steps: 200000\nscheduling: {spot: true}", "spot needs kubernetes.spot_node_selector"),
        ("image:", "records:", "kubernetes_jobset runs containers, but the job file names no image"),
    ],
)
def test_what_no_pod_could_do(old: str, new: str, says: str) -> None:
    text = (JOBS[0].parent / "estimator.yaml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(ConfigError) as caught:
        planning.plan(job_file.parse(text.replace(old, new), "job.yaml"), "kubernetes_jobset", None, prices.load())
    assert says in str(caught.value)


# ---- the real kubectl, against a stand-in for the API server


@pytest.fixture
def api(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """The cluster of the user's kubectl."""
    if shutil.which("kubectl") is None:
        pytest.skip("kubectl is not installed")
    monkeypatch.setenv("HOME", str(tmp_path))  # where kubectl remembers what kinds there are
    found = Api()
    with kubernetes_api.serving(found, tmp_path) as config:
        monkeypatch.setenv("KUBECONFIG", str(config))
        yield found


LABELS = {
    "kubernetes_jobset": (
        "jobset.sigs.k8s.io/jobset-name",
        "jobset.sigs.k8s.io/replicatedjob-name",
        "batch.kubernetes.io/job-completion-index",
    ),
    "kubernetes_tfjob": (
        "training.kubeflow.org/job-name",
        "training.kubeflow.org/replica-type",
        "training.kubeflow.org/replica-index",
    ),
}


def pod(backend: str, job: str, role: str, log: str, **state: Any) -> dict[str, Any]:
    """A pod with the labels that the back-end's operator gives it."""
    labels = dict(zip(LABELS[backend], (job, role, "3"), strict=True))
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": f"{job}-{role}-3", "namespace": "training", "labels": labels},
        "spec": {"containers": [{"name": "tensorflow"}]},
        "status": {"phase": "Running", "containerStatuses": [{"restartCount": 2, "state": state or {"running": {}}}]},
        "log": log,
    }


@pytest.mark.parametrize("backend", BACKENDS)
def test_submit_status_logs_cancel(api: Api, backend: str) -> None:
    plan = planned("estimator", backend)
    send, name = jobs_of(plan), plan.submission.name
    with pytest.raises(CheckpointError, match=r"the cluster has no job of this name: .* not found"):
        send.status(plan.submission, plan.cluster)
    where = send.submit(plan.submission, plan.cluster)
    assert where.endswith(f"/{name}")
    assert api.objects == {("training", name): document("estimator", backend)}
    assert "fieldValidation=Strict" in api.requests[-1]
    assert send.submit(plan.submission, plan.cluster) == f"{where} (it was there already)"

    there = api.objects["training", name]
    there["status"] = {"conditions": [{"type": "Created", "status": "True"}]}
    assert send.status(plan.submission, plan.cluster).state == "QUEUED"
    line = "worker-3: step 40 of 200000, loss 2"
    api.pods = {role: pod(backend, name, role, f"{line}\n") for role in ("worker",)}
    api.pods["other"] = pod(backend, "another-job", "chief", "chief-0: step 50 of 60, loss 1\n")
    status = send.status(plan.submission, plan.cluster)
    assert (status.state, status.step) == ("RUNNING", 40)
    assert [task.row() for task in status.tasks] == [("worker-3", "RUNNING", 2, None)]
    api.pods["worker"] = pod(backend, name, "worker", f"{line}\n", terminated={"exitCode": 137})
    there["status"]["conditions"].append({"type": "Failed", "status": "True", "message": "too many"})
    status = send.status(plan.submission, plan.cluster)
    assert status.summary(5) == f"FAILED, step 40 of 5; {where}: too many"
    assert status.tasks[0].exit_code == 137
    for follow in (False, True):
        assert list(send.logs(plan.submission, plan.cluster, follow=follow)) == [line]

    send.cancel(plan.submission, plan.cluster)
    assert not api.objects
    send.cancel(plan.submission, plan.cluster)


FORBIDDEN = (
    'jobsets.jobset.x-k8s.io is forbidden: User "me" cannot create resource "jobsets" in the namespace "training"'
)
QUOTA = 'jobsets "lemons" is forbidden: exceeded quota: gpus, requested: count/jobsets=1, used: 2, limited: 2'


@pytest.mark.parametrize(
    ("refusal", "says"),
    [
        (("Forbidden", FORBIDDEN), "your account may not do that in this namespace"),
        (("Forbidden", QUOTA), "the quota of the namespace is used up"),
        (("Unauthorized", "Unauthorized"), "log in again"),
        (("NotFound", 'namespaces "training" not found'), "check kubernetes.namespace in the job file"),
    ],
)
def test_refusals_are_one_line(api: Api, refusal: tuple[str, str], says: str) -> None:
    api.refusal = refusal
    plan = planned("estimator", "kubernetes_jobset")
    for ask in (jobs_of(plan).submit, jobs_of(plan).status, lambda *job: list(jobs_of(plan).logs(*job, follow=True))):
        with pytest.raises(EngineError) as caught:
            ask(plan.submission, plan.cluster)
        assert refusal[1].removeprefix("Unauthorized") in str(caught.value)
        assert says in str(caught.value)
        assert "\n" not in str(caught.value)


def test_a_cluster_without_the_operator(api: Api) -> None:
    api.kinds = kubernetes_api.KINDS[1:]
    plan = planned("estimator", "kubernetes_jobset")
    for ask in (jobs_of(plan).submit, jobs_of(plan).status):
        with pytest.raises(EngineError, match="does not know this kind of job; install its operator") as caught:
            ask(plan.submission, plan.cluster)
        assert "\n" not in str(caught.value)


def test_a_cluster_that_does_not_answer(api: Api, tmp_path: Path) -> None:
    with socket.socket() as unused:  # bound, but nobody listens
        unused.bind(("127.0.0.1", 0))
        kubernetes_api.kubeconfig(tmp_path, unused.getsockname()[1])
        plan = planned("estimator", "kubernetes_jobset")
        for ask in (jobs_of(plan).submit, jobs_of(plan).status):
            with pytest.raises(
                EngineError, match="the cluster does not answer; check the context of kubectl"
            ) as caught:
                ask(plan.submission, plan.cluster)
            assert len(str(caught.value)) < 400  # and not all that kubectl logs of it


def test_a_pod_that_has_not_started(api: Api) -> None:
    plan = planned("estimator", "kubernetes_jobset")
    jobs_of(plan).submit(plan.submission, plan.cluster)
    waiting = pod("kubernetes_jobset", plan.submission.name, "chief", kubernetes_api.WAITING)
    api.pods = {"chief": waiting}
    assert jobs_of(plan).status(plan.submission, plan.cluster).step is None
    with pytest.raises(EngineError, match="a pod has not started yet"):
        list(jobs_of(plan).logs(plan.submission, plan.cluster, follow=False))


def test_logs_follow_from_when_all_pods_have_started(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    plan = planned("estimator", "kubernetes_jobset")
    jobs_of(plan).submit(plan.submission, plan.cluster)
    line = "chief-0: step 1 of 200000, loss 2"
    running = pod("kubernetes_jobset", plan.submission.name, "chief", f"{line}\n")
    waiting = {**running, "status": {"phase": "Pending"}, "log": kubernetes_api.WAITING}
    answer, asked = api.answer, []

    def starting(method: str, target: str, body: bytes) -> kubernetes_api.Answer:
        """First there is no pod. Then a pod waits, also during the request for its log. Then it runs."""
        if "/pods?" in target:
            asked.append(target)
            api.pods = {} if len(asked) == 1 else {"chief": waiting if len(asked) <= 3 else running}
        return answer(method, target, body)

    monkeypatch.setattr(api, "answer", starting)
    monkeypatch.setattr(kubectl, "_POLL_S", 0.05)
    assert list(jobs_of(plan).logs(plan.submission, plan.cluster, follow=True)) == [line]
    assert len(asked) > 4


def test_the_cluster_refuses_unknown_keys(api: Api) -> None:
    plan = planned("estimator", "kubernetes_jobset").submission
    ((name, text),) = plan.files.items()
    wrong = dataclasses.replace(plan, files={name: text.replace("successPolicy:", "succesPolicy:")})
    api.unknown = lambda found: [f"spec.{key}" for key in found["spec"] if key == "succesPolicy"]
    cluster = planned("estimator", "kubernetes_jobset").cluster
    with pytest.raises(ConfigError, match=r'refuses the document: .*unknown field "spec\.succesPolicy"'):
        jobs_of(planned("estimator", "kubernetes_jobset")).submit(wrong, cluster)


def test_the_words_by_hand(api: Api, tmp_path: Path) -> None:
    """The command in the plan has the same effect as `run`."""
    plan = planned("estimator", "kubernetes_tfjob").submission
    for name, text in plan.files.items():
        (tmp_path / name).write_text(text)
    subprocess.run(plan.command, cwd=tmp_path, check=True, capture_output=True)
    assert api.objects == {("training", plan.name): document("estimator", "kubernetes_tfjob")}
