"""Custom jobs of Vertex AI, through Google's Python client. Only the log comes from gcloud."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from cloud import processes, submission
from cloud.cluster import ClusterSpec
from cloud.submission import ENDED, LABEL, RunStatus, State, Submission
from tfod_tools.base.errors import CheckpointError, ConfigError, EngineError, MissingPackageError

_STATES: Mapping[str, State] = {
    "QUEUED": "QUEUED", "PENDING": "QUEUED", "RUNNING": "RUNNING", "UPDATING": "RUNNING", "CANCELLING": "RUNNING",
    "PAUSED": "QUEUED", "SUCCEEDED": "SUCCEEDED", "PARTIALLY_SUCCEEDED": "FAILED", "FAILED": "FAILED",
    "EXPIRED": "FAILED", "CANCELLED": "CANCELLED",
}  # fmt: skip
_ADVICE = {
    "ResourceExhausted": "the quota of the project is used up. Ask for more, or use fewer GPUs or another region",
    "PermissionDenied": "your account may not do that. It needs the role Vertex AI User in the project",
    "Unauthenticated": "there are no credentials. Run: gcloud auth application-default login",
    "NotFound": "there is no such project, region or job. Check vertex.project and vertex.region",
    "ServiceUnavailable": "the service does not answer. Try again; the same plan is never sent twice",
    "DeadlineExceeded": "the service does not answer. Try again; the same plan is never sent twice",
    "AlreadyExists": "the service already has it",
}


def submit(plan: Submission, cluster: ClusterSpec) -> str:
    """See `Jobs.submit`."""
    return Jobs.of(cluster).submit(plan)


def status(plan: Submission, cluster: ClusterSpec) -> RunStatus:
    """See `Jobs.status`."""
    return Jobs.of(cluster).status(plan)


def logs(plan: Submission, cluster: ClusterSpec, *, follow: bool) -> Iterator[str]:
    """See `Jobs.logs`."""
    return Jobs.of(cluster).logs(plan, follow=follow)


def cancel(plan: Submission, cluster: ClusterSpec) -> None:
    """See `Jobs.cancel`."""
    Jobs.of(cluster).cancel(plan)


@dataclass(frozen=True, slots=True)
class Jobs:
    """The custom jobs of one project and region.

    Attributes:
      client: a JobServiceClient.
      parent: `projects/P/locations/R`.
    """

    client: Any
    parent: str

    @classmethod
    def of(cls, cluster: ClusterSpec) -> Jobs:
        """The jobs in the project and region of the job file.

        Raises:
          MissingPackageError: the client is not installed.
          EngineError: there are no credentials.
        """
        project, region = (submission.option(cluster, "vertex", key) for key in ("project", "region"))
        service = _service()
        endpoint = {"api_endpoint": f"{region}-aiplatform.googleapis.com"}
        client = _asked(lambda: service.JobServiceClient(client_options=endpoint))
        return cls(client, f"projects/{project}/locations/{region}")

    def submit(self, plan: Submission) -> str:
        """Creates the job, unless one of this plan has not ended. Returns its resource name.

        Raises:
          ConfigError: the document is not a CustomJobSpec, or the service refuses it.
          EngineError: the service refuses the request for another reason.
        """
        latest = self._latest(plan)
        if latest is not None and _state(latest) not in ENDED:
            return f"{latest.name} (it was there already)"
        job = custom_job(plan)
        created = _asked(lambda: self.client.create_custom_job(parent=self.parent, custom_job=job))
        return str(created.name)

    def status(self, plan: Submission) -> RunStatus:
        """The state of the latest job of the plan.

        Raises:
          CheckpointError: there is no such job.
          EngineError: the service refuses the request.
        """
        job = self._there(plan)
        return RunStatus(state=_state(job), where=str(job.name), message=str(job.error.message))

    def logs(self, plan: Submission, *, follow: bool) -> Iterator[str]:
        """The log of the job in Cloud Logging; with `follow`, until the job ends.

        Raises:
          CheckpointError: there is no such job.
          EngineError: the service or gcloud refuses the request.
        """
        name = str(self._there(plan).name)
        project, region, number = name.split("/")[1], name.split("/")[3], name.rsplit("/", 1)[1]
        if follow:
            words = ["gcloud", "ai", "custom-jobs", "stream-logs", number, f"--region={region}", f"--project={project}"]
        else:
            wanted = f'resource.type="ml_job" resource.labels.job_id="{number}"'
            shown = "--format=value(jsonPayload.message,textPayload)"
            words = ["gcloud", "logging", "read", wanted, "--order=asc", shown, f"--project={project}"]
        yield from processes.lines(words, lambda said: EngineError(f"gcloud: {said}"))

    def cancel(self, plan: Submission) -> None:
        """Asks the service to end the job. Does nothing if it has ended.

        Raises:
          CheckpointError: there is no such job.
          EngineError: the service refuses the request.
        """
        job = self._there(plan)
        if _state(job) not in ENDED:
            _asked(lambda: self.client.cancel_custom_job(name=job.name))

    def _latest(self, plan: Submission) -> Any:
        request = {"parent": self.parent, "filter": f"labels.{LABEL}={plan.run_id}"}
        found = _asked(lambda: list(self.client.list_custom_jobs(request=request)))
        return max(found, key=lambda job: job.create_time.timestamp() if job.create_time else 0.0, default=None)

    def _there(self, plan: Submission) -> Any:
        job = self._latest(plan)
        if job is None:
            raise CheckpointError(
                f"{self.parent} has no job of this plan. Start it with `tfod submit run`.", path=plan.name
            )
        return job


def custom_job(plan: Submission) -> Any:
    """The message of a plan. Unknown fields are errors, as in the service; gcloud would accept them.

    Raises:
      ConfigError: the document is not a CustomJobSpec.
      MissingPackageError: the client is not installed.
    """
    from google.protobuf import json_format

    service = _service()
    (text,) = plan.files.values()
    spec = service.CustomJobSpec()
    try:
        json_format.ParseDict(yaml.safe_load(text), service.CustomJobSpec.pb(spec))
    except json_format.ParseError as error:
        raise ConfigError(f"is not a CustomJobSpec: {error}", path=next(iter(plan.files))) from error
    return service.CustomJob(display_name=plan.name, job_spec=spec, labels={LABEL: plan.run_id})


def _service() -> Any:
    try:
        from google.cloud import aiplatform_v1  # type: ignore[import-untyped,unused-ignore]
    except ImportError as error:
        raise MissingPackageError("google-cloud-aiplatform", "cloud") from error
    return aiplatform_v1


def _state(job: Any) -> State:
    return _STATES.get(job.state.name.removeprefix("JOB_STATE_"), "UNKNOWN")


def _asked(call: Callable[[], Any]) -> Any:
    """The answer of the service. Its errors become errors of one line."""
    from google.api_core import exceptions
    from google.auth import exceptions as credentials

    try:
        return call()
    except (exceptions.InvalidArgument, exceptions.FailedPrecondition) as error:
        raise ConfigError(f"Vertex AI refuses the job: {error.message}") from error
    except exceptions.GoogleAPICallError as error:
        advice = _ADVICE.get(type(error).__name__, "see the message")
        raise EngineError(f"Vertex AI: {error.message} ({type(error).__name__}: {advice}).") from error
    except credentials.GoogleAuthError as error:
        raise EngineError(f"Vertex AI: {_ADVICE['Unauthenticated']}. ({error})") from error
