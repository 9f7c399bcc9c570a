"""Kubernetes: pods by the API's own schema, TFJob and JobSet by their published models, and kubectl's answers."""

from __future__ import annotations

import json
import os
import stat
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cloud import job_file, planning, prices
from cloud.planning import Planned
from tfod_tools.base.errors import CheckpointError, ConfigError, EngineError

JOBS = sorted((Path(__file__).parents[1] / "data" / "cloud" / "jobs").glob("*.yaml"))
BACKENDS = ("kubernetes_jobset", "kubernetes_tfjob")


def planned(name: str, backend: str) -> Planned:
    path = next(path for path in JOBS if path.stem == name)
    return planning.plan(job_file.parse(path.read_text(encoding="utf-8"), path.name), backend, None, prices.load())


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
    """The longest name that a job may have still makes host names that DNS takes."""
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
            "model_dir is /data/lemons/model, which kubernetes_jobset cannot see",
        ),
        ("gke-accelerator=nvidia-tesla-t4", "gke-accelerator", "expected KEY=VALUE, a label of nodes"),
        ("steps: 200000", "steps: 200000\nscheduling: {spot: true}", "spot needs kubernetes.spot_node_selector"),
        ("image:", "records:", "kubernetes_jobset runs containers, and the job file names no image"),
    ],
)
def test_what_no_pod_could_do(old: str, new: str, says: str) -> None:
    text = (JOBS[0].parent / "estimator.yaml").read_text(encoding="utf-8")
    assert old in text
    with pytest.raises(ConfigError) as caught:
        planning.plan(job_file.parse(text.replace(old, new), "job.yaml"), "kubernetes_jobset", None, prices.load())
    assert says in str(caught.value)


KUBECTL = r"""#!/usr/bin/env python3
import json, os, pathlib, sys
state = pathlib.Path(os.environ["STATE"])
words = [word for word in sys.argv[1:] if not word.startswith("--namespace")]
(state / "calls").open("a").write(json.dumps(words) + "\n")
refusal = state / "refusal"
if refusal.exists():
    sys.exit(refusal.read_text())
there = state / "there"
if words[0] == "create":
    if there.exists():
        sys.exit('Error from server (AlreadyExists): error when creating "STDIN": jobsets "x" already exists')
    there.write_text(sys.stdin.read())
elif words[:2] == ["get", "pods"]:
    print((state / "pods").read_text())
elif words[0] == "get":
    if not there.exists():
        sys.exit('Error from server (NotFound): jobsets.jobset.x-k8s.io "x" not found')
    print((state / "object").read_text())
elif words[0] == "delete":
    there.unlink(missing_ok=True)
elif words[0] == "logs":
    print("chief-0: step 40 of 200000, loss 2")
"""


@pytest.fixture
def kubectl(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program of kubectl's name that answers as the API server does; returns the folder of its state."""
    program = tmp_path / "bin" / "kubectl"
    program.parent.mkdir()
    program.write_text(KUBECTL)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    monkeypatch.setenv("STATE", str(tmp_path))
    conditions = [{"type": "Created", "status": "True"}]
    (tmp_path / "object").write_text(json.dumps({"status": {"conditions": conditions}}))
    (tmp_path / "pods").write_text(json.dumps({"items": []}))
    return tmp_path


@pytest.mark.parametrize("backend", BACKENDS)
def test_submit_status_logs_cancel(kubectl: Path, backend: str) -> None:
    plan = planned("estimator", backend)
    send = plan.backend
    with pytest.raises(CheckpointError, match="nothing of that name is in the cluster"):
        send.status(plan.submission, plan.cluster)
    where = send.submit(plan.submission, plan.cluster)
    assert where.endswith(f"/{plan.submission.name}")
    assert (kubectl / "there").read_text() == next(iter(plan.submission.files.values()))
    assert send.submit(plan.submission, plan.cluster) == f"{where} (it was there already)"
    assert send.status(plan.submission, plan.cluster).state == "QUEUED"
    role, index = (
        ("jobset.sigs.k8s.io/replicatedjob-name", "batch.kubernetes.io/job-completion-index")
        if backend == "kubernetes_jobset"
        else ("training.kubeflow.org/replica-type", "training.kubeflow.org/replica-index")
    )
    pod = {
        "metadata": {"labels": {role: "worker", index: "3"}},
        "status": {"phase": "Running", "containerStatuses": [{"restartCount": 2, "state": {"running": {}}}]},
    }
    (kubectl / "pods").write_text(json.dumps({"items": [pod]}))
    status = send.status(plan.submission, plan.cluster)
    assert (status.state, status.step) == ("RUNNING", 40)
    assert [task.row() for task in status.tasks] == [("worker-3", "RUNNING", 2, None)]
    conditions = [{"type": "Created", "status": "True"}, {"type": "Failed", "status": "True", "message": "too many"}]
    (kubectl / "object").write_text(json.dumps({"status": {"conditions": conditions}}))
    assert send.status(plan.submission, plan.cluster).summary(5) == f"FAILED, step 40 of 5; {where}: too many"
    assert list(send.logs(plan.submission, plan.cluster, follow=False)) == ["chief-0: step 40 of 200000, loss 2"]
    send.cancel(plan.submission, plan.cluster)
    assert not (kubectl / "there").exists()


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ("Error from server (Forbidden): jobsets is forbidden", "your account may not do that in this namespace"),
        ("Error from server (Forbidden): exceeded quota: gpus", "the namespace's quota is used up"),
        ('error: no matches for kind "JobSet" in version "x"', "the cluster does not know this kind of job"),
        ("The connection to the server 1.2.3.4 was refused - connection refused", "the cluster does not answer"),
        ("error: You must be logged in to the server (Unauthorized)", "log in again"),
    ],
)
def test_refusals_are_one_line(kubectl: Path, said: str, says: str) -> None:
    (kubectl / "refusal").write_text(said)
    plan = planned("estimator", "kubernetes_jobset")
    with pytest.raises(EngineError) as caught:
        plan.backend.submit(plan.submission, plan.cluster)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
