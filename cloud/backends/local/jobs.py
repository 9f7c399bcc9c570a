"""Jobs on this machine: each call finds the folder of the run in its plan."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path

from cloud.backends.local import runs
from cloud.cluster import ClusterSpec
from cloud.submission import RunStatus, Submission
from tfod_tools.base.errors import UsageError


def submit(plan: Submission, cluster: ClusterSpec) -> str:
    """Starts the supervisor, unless one works on this plan. Returns the folder of the run.

    Raises:
      UsageError: a secret is not in the environment of this command, from which the tasks get it.
    """
    missing = [name for name in cluster.secrets if name not in os.environ]
    if missing:
        raise UsageError(
            f"the secrets {', '.join(missing)} are not set. local takes secrets from your environment. Set them there."
        )
    (text,) = plan.files.values()
    return runs.start(_folder(plan), text)


def status(plan: Submission, cluster: ClusterSpec) -> RunStatus:
    """The state of the run."""
    return runs.status(_folder(plan))


def logs(plan: Submission, cluster: ClusterSpec, *, follow: bool) -> Iterator[str]:
    """The logs of the tasks. Each line begins with its task."""
    return runs.logs(_folder(plan), follow=follow)


def cancel(plan: Submission, cluster: ClusterSpec) -> None:
    """Ends the run. Trainers save a checkpoint."""
    runs.cancel(_folder(plan))


def _folder(plan: Submission) -> Path:
    (text,) = plan.files.values()
    return Path(json.loads(text)["folder"])
