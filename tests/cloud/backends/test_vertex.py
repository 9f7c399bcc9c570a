"""Vertex AI: documents against the messages of the service, and Google's client against a stand-in for the service."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from concurrent import futures
from pathlib import Path
from typing import Any

import pytest

from cloud import planning
from cloud.backends.vertex import jobs as vertex_jobs
from cloud.estimates import prices
from cloud.job_files import job_file
from cloud.planning import Planned
from tfod_tools.base.errors import CheckpointError, ConfigError, EngineError

service = pytest.importorskip("google.cloud.aiplatform_v1", reason="the extra [cloud] is not installed")
grpc = pytest.importorskip("grpc")

JOBS = sorted((Path(__file__).parents[2] / "data" / "cloud" / "jobs").glob("*.yaml"))
PARENT = "projects/my-project/locations/us-central1"


def planned(name: str = "estimator") -> Planned:
    path = next(path for path in JOBS if path.stem == name)
    return planning.plan(job_file.parse(path.read_text(encoding="utf-8"), path.name), "vertex", None, prices.load())


class StandIn:
    """Keeps the jobs that a client makes, over a real connection. With `refusal`, it refuses every request."""

    def __init__(self) -> None:
        self.jobs: list[Any] = []
        self.refusal: tuple[Any, str] | None = None

    def _check(self, context: Any) -> None:
        if self.refusal:
            context.abort(*self.refusal)

    def create(self, request: Any, context: Any) -> Any:
        self._check(context)
        job = request.custom_job
        job.name = f"{request.parent}/customJobs/{len(self.jobs) + 1}"
        job.state = service.JobState.JOB_STATE_PENDING
        job.create_time = {"seconds": 1_700_000_000 + len(self.jobs)}
        self.jobs.append(job)
        return job

    def listing(self, request: Any, context: Any) -> Any:
        self._check(context)
        key, _, value = request.filter.removeprefix("labels.").partition("=")
        found = [job for job in self.jobs if job.labels.get(key) == value and job.name.startswith(request.parent)]
        return service.ListCustomJobsResponse(custom_jobs=found)

    def cancel(self, request: Any, context: Any) -> Any:
        self._check(context)
        (job,) = [job for job in self.jobs if job.name == request.name]
        job.state = service.JobState.JOB_STATE_CANCELLED
        from google.protobuf import empty_pb2

        return empty_pb2.Empty()


@pytest.fixture
def stand_in() -> Iterator[tuple[StandIn, vertex_jobs.Jobs]]:
    """The stand-in, and the client that talks to it."""
    from google.cloud.aiplatform_v1.services.job_service.transports import JobServiceGrpcTransport

    state = StandIn()

    def handler(method: Any, request: Any, response: Any) -> Any:
        serialise = response.serialize if response else (lambda message: message.SerializeToString())
        return grpc.unary_unary_rpc_method_handler(method, request.deserialize, serialise)

    handlers = {
        "CreateCustomJob": handler(state.create, service.CreateCustomJobRequest, service.CustomJob),
        "ListCustomJobs": handler(state.listing, service.ListCustomJobsRequest, service.ListCustomJobsResponse),
        "CancelCustomJob": handler(state.cancel, service.CancelCustomJobRequest, None),
    }
    server = grpc.server(futures.ThreadPoolExecutor(2))
    server.add_generic_rpc_handlers(
        [grpc.method_handlers_generic_handler("google.cloud.aiplatform.v1.JobService", handlers)]
    )
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        client = service.JobServiceClient(transport=JobServiceGrpcTransport(channel=channel))
        yield state, vertex_jobs.Jobs(client, PARENT)
    server.stop(None)


@pytest.mark.parametrize("name", [path.stem for path in JOBS if path.stem != "with_secrets"])
def test_the_document_is_a_custom_job_spec(name: str) -> None:
    plan = planned(name)
    job = vertex_jobs.custom_job(plan.submission)
    assert job.display_name == plan.submission.name
    pools = job.job_spec.worker_pool_specs
    counts = {
        role: pool.replica_count for role, pool in zip(("chief", "worker", "ps", "evaluator"), pools, strict=False)
    }
    assert {role: count for role, count in counts.items() if count} == plan.cluster.counts
    assert job.job_spec.scheduling.timeout.total_seconds() == plan.cluster.scheduling.time_limit_s
    types = {pool.machine_spec.accelerator_type.name for pool in pools}
    assert types - {"ACCELERATOR_TYPE_UNSPECIFIED"} <= {"NVIDIA_TESLA_T4", "NVIDIA_L4"}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("replicaCount: 5", "replicas: 5"),
        ("NVIDIA_TESLA_T4", "nvidia-tesla-t4"),
        ("timeout: 86400s", "timeout: 86400"),
        ("strategy: STANDARD", "strategy: standard"),
        ("workerPoolSpecs:", "trainingInput:"),
    ],
)
def test_what_gcloud_would_send_is_refused(old: str, new: str) -> None:
    plan = planned().submission
    (text,) = plan.files.values()
    assert old in text
    broken = dataclasses.replace(plan, files={"custom_job.yaml": text.replace(old, new)})
    with pytest.raises(ConfigError, match=r"custom_job\.yaml: is not a CustomJobSpec"):
        vertex_jobs.custom_job(broken)


def test_submit_status_cancel(stand_in: tuple[StandIn, vertex_jobs.Jobs]) -> None:
    state, jobs = stand_in
    plan = planned().submission
    with pytest.raises(CheckpointError, match="has no job of this plan"):
        jobs.status(plan)
    name = jobs.submit(plan)
    assert name == f"{PARENT}/customJobs/1"
    assert jobs.submit(plan) == f"{name} (it was there already)"
    assert jobs.status(plan).state == "QUEUED"
    state.jobs[0].state = service.JobState.JOB_STATE_RUNNING
    assert jobs.status(plan).state == "RUNNING"
    jobs.cancel(plan)
    assert jobs.status(plan).state == "CANCELLED"
    jobs.cancel(plan)
    assert jobs.submit(plan) == f"{PARENT}/customJobs/2"
    assert jobs.status(plan).where.endswith("/2")


def test_a_failure_is_told(stand_in: tuple[StandIn, vertex_jobs.Jobs]) -> None:
    state, jobs = stand_in
    plan = planned().submission
    jobs.submit(plan)
    state.jobs[0].state = service.JobState.JOB_STATE_FAILED
    state.jobs[0].error = {"code": 3, "message": "The replica workerpool0-0 exited with 4."}
    assert (
        jobs.status(plan).summary(200000) == f"FAILED; {PARENT}/customJobs/1: The replica workerpool0-0 exited with 4."
    )


def test_another_plan_is_another_job(stand_in: tuple[StandIn, vertex_jobs.Jobs]) -> None:
    state, jobs = stand_in
    for name in ("estimator", "one_machine"):
        jobs.submit(planned(name).submission)
    assert len(state.jobs) == 2
    assert {dict(job.labels)["tfod-run"] for job in state.jobs} == {
        planned(n).submission.run_id for n in ("estimator", "one_machine")
    }


@pytest.mark.parametrize(
    ("code", "said", "kind", "says"),
    [
        ("INVALID_ARGUMENT", "bad machine", ConfigError, "Vertex AI refuses the job: bad machine"),
        (
            "RESOURCE_EXHAUSTED",
            "T4 quota",
            EngineError,
            "T4 quota (ResourceExhausted: the quota of the project is used up.",
        ),
        ("PERMISSION_DENIED", "no", EngineError, "no (PermissionDenied: your account may not do that."),
        ("UNAVAILABLE", "later", EngineError, "later (ServiceUnavailable: the service does not answer."),
        ("NOT_FOUND", "p", EngineError, "p (NotFound: there is no such project, region or job."),
        ("ALREADY_EXISTS", "job", EngineError, "job (AlreadyExists: the service already has it)"),
    ],
)
def test_errors_are_one_line(
    stand_in: tuple[StandIn, vertex_jobs.Jobs], code: str, said: str, kind: type[Exception], says: str
) -> None:
    state, jobs = stand_in
    state.refusal = (getattr(grpc.StatusCode, code), said)
    with pytest.raises(kind) as caught:
        vertex_jobs._asked(
            lambda: jobs.client.create_custom_job(
                parent=PARENT, custom_job=vertex_jobs.custom_job(planned().submission), retry=None, timeout=5
            )
        )
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
