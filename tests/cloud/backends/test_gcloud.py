"""The command in the plan, run with the real gcloud against a stand-in for the service over HTTP."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from cloud import planning
from cloud.estimates import prices
from cloud.job_files import job_file

JOB = Path(__file__).parents[2] / "data" / "cloud" / "jobs" / "estimator.yaml"

pytestmark = pytest.mark.skipif(shutil.which("gcloud") is None, reason="gcloud is not installed")


@pytest.fixture
def service() -> Iterator[tuple[str, list[tuple[str, Any]]]]:
    """The address of the stand-in, and the requests that it got."""
    requests: list[tuple[str, Any]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            job = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            requests.append((self.path.partition("?")[0], job))
            answer = {**job, "name": "projects/1/locations/us-central1/customJobs/42", "state": "JOB_STATE_PENDING"}
            body = json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", requests
    server.shutdown()
    thread.join()
    server.server_close()


def test_gcloud_sends_the_plan(service: tuple[str, list[tuple[str, Any]]], tmp_path: Path) -> None:
    address, requests = service
    file = job_file.parse(JOB.read_text(encoding="utf-8"), JOB.name)
    plan = planning.plan(file, "vertex", None, prices.load()).submission
    for name, text in plan.files.items():
        (tmp_path / name).write_text(text)
    environment = {
        **os.environ,
        "CLOUDSDK_CONFIG": str(tmp_path / "gcloud"),
        "CLOUDSDK_AUTH_DISABLE_CREDENTIALS": "true",
        "CLOUDSDK_API_ENDPOINT_OVERRIDES_AIPLATFORM": address,
        "CLOUDSDK_CORE_DISABLE_PROMPTS": "1",
        "CLOUDSDK_CORE_DISABLE_USAGE_REPORTING": "true",
        "CLOUDSDK_COMPONENT_MANAGER_DISABLE_UPDATE_CHECK": "true",
    }
    done = subprocess.run(
        plan.command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    ((path, sent),) = requests
    assert path.endswith("/projects/my-project/locations/us-central1/customJobs")
    assert sent["displayName"] == plan.name
    assert sent["labels"] == {"tfod-run": plan.run_id}
    spec = yaml.safe_load(plan.files["custom_job.yaml"])
    assert [pool["machineSpec"] for pool in sent["jobSpec"]["workerPoolSpecs"]] == [
        pool["machineSpec"] for pool in spec["workerPoolSpecs"]
    ]
    assert [int(pool["replicaCount"]) for pool in sent["jobSpec"]["workerPoolSpecs"]] == [1, 5, 3]
    assert sent["jobSpec"]["scheduling"] == spec["scheduling"]
