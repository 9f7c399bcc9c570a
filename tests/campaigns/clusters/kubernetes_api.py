"""A stand-in for the API server of Kubernetes, over HTTP. It has what kubectl needs to submit and watch a job.

It takes the two kinds of objects that the back-ends make. A test gives it their pods and logs, and can make it refuse
requests in the form of the real API.
"""

from __future__ import annotations

import contextlib
import http.server
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# Group, version, kind and plural of the objects that the operators of the cluster add.
KINDS = (
    ("jobset.x-k8s.io", "v1alpha2", "JobSet", "jobsets"),
    ("kubeflow.org", "v1", "TFJob", "tfjobs"),
)
_OBJECTS = re.compile(
    r"/apis/(?P<group>[^/]+)/(?P<version>[^/]+)/namespaces/(?P<namespace>[^/]+)/(?P<plural>[^/]+)(?:/(?P<name>[^/]+))?"
)
_PODS = re.compile(r"/api/v1/namespaces/(?P<namespace>[^/]+)/pods(?:/(?P<name>[^/]+)(?P<log>/log)?)?")
_NAMESPACE = re.compile(r"/api/v1/namespaces/(?P<name>[^/]+)")
_CODES = {"AlreadyExists": 409, "NotFound": 404, "Forbidden": 403, "Unauthorized": 401, "BadRequest": 400}
# A log that does not exist yet.
WAITING = "(waiting)"
Answer = tuple[int, "dict[str, Any] | str"]


@dataclass
class Api:
    """The state of the cluster.

    Attributes:
      kinds: those of KINDS that the cluster knows.
      unknown: finds the unknown keys of an object, as strict decoding does.
      objects: by namespace and name.
      pods: as the API shows them, each with its log under the extra key `log`.
      refusal: reason and message with which every request is refused; None if none is.
      requests: method and path with the query, of the requests about objects.
    """

    kinds: tuple[tuple[str, str, str, str], ...] = KINDS
    unknown: Callable[[dict[str, Any]], list[str]] = lambda found: []
    objects: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    pods: dict[str, dict[str, Any]] = field(default_factory=dict)
    refusal: tuple[str, str] | None = None
    requests: list[str] = field(default_factory=list)

    def answer(self, method: str, target: str, body: bytes) -> Answer:
        """Status and document, or text, for a request."""
        path, _, query = target.partition("?")
        asked = {key: values[0] for key, values in urllib.parse.parse_qs(query).items()}
        if path == "/openapi/v2":
            return 200, ""  # an empty message in the form of protobuf
        if (found := self._discovery(path)) is not None:
            return 200, found
        self.requests.append(f"{method} {target}")
        if self.refusal:
            return refused(*self.refusal)
        if match := _OBJECTS.fullmatch(path):
            return self._object(method, match, asked, body)
        if match := _NAMESPACE.fullmatch(path):
            return 200, {"kind": "Namespace", "apiVersion": "v1", "metadata": {"name": match["name"]}}
        if match := _PODS.fullmatch(path):
            return self._pod(match, asked)
        return refused("NotFound", "the server could not find the requested resource")

    def _object(self, method: str, match: re.Match[str], asked: dict[str, str], body: bytes) -> Answer:
        full = f"{match['plural']}.{match['group']}"
        if method == "POST":
            found = json.loads(body)
            name = found["metadata"]["name"]
            if unknown := self.unknown(found) if asked.get("fieldValidation") == "Strict" else []:
                named = ", ".join(f'unknown field "{key}"' for key in unknown)
                return refused("BadRequest", f'{found["kind"]} in version "{match["version"]}" cannot be handled as a '
                                             f"{found['kind']}: strict decoding error: {named}")  # fmt: skip
            if (match["namespace"], name) in self.objects:
                return refused("AlreadyExists", f'{full} "{name}" already exists')
            self.objects[match["namespace"], name] = found
            return 201, found
        key = (match["namespace"], match["name"])
        if key not in self.objects:
            return refused("NotFound", f'{full} "{match["name"]}" not found')
        if method == "DELETE":
            del self.objects[key]
            return 200, {"kind": "Status", "apiVersion": "v1", "status": "Success"}
        return 200, self.objects[key]

    def _pod(self, match: re.Match[str], asked: dict[str, str]) -> Answer:
        if match["log"]:
            log = next(pod["log"] for pod in self.pods.values() if pod["metadata"]["name"] == match["name"])
            if log == WAITING:
                said = f'container "tensorflow" in pod "{match["name"]}" is waiting to start: ContainerCreating'
                return refused("BadRequest", said)
            lines = log.splitlines(keepends=True)
            return 200, "".join(lines[-int(asked.get("tailLines", len(lines))) :])
        shown = [{key: part for key, part in pod.items() if key != "log"} for pod in self.pods.values()]
        key, _, value = asked.get("labelSelector", "").partition("=")
        items = [pod for pod in shown if not key or pod["metadata"]["labels"].get(key) == value]
        return 200, {"kind": "PodList", "apiVersion": "v1", "metadata": {}, "items": items}

    def _discovery(self, path: str) -> dict[str, Any] | None:
        """The answer about the kinds. It says that the server checks their fields."""
        versions = {
            f"apis/{group}/{version}": (group, version, kind, plural) for group, version, kind, plural in self.kinds
        }
        fixed: dict[str, dict[str, Any]] = {
            "version": {"major": "1", "minor": "32", "gitVersion": "v1.32.4"},
            "api": {"kind": "APIVersions", "versions": ["v1"]},
            "apis": {
                "kind": "APIGroupList",
                "apiVersion": "v1",
                "groups": [_group(group, version) for group, version, *_ in self.kinds],
            },
            "api/v1": _resources("v1", ("pods", "Pod"), ("pods/log", "Pod")),
            "openapi/v3": {"paths": {name: {"serverRelativeURL": f"/openapi/v3/{name}"} for name in versions}},
            **{
                name: _resources(f"{group}/{version}", (plural, kind))
                for name, (group, version, kind, plural) in versions.items()
            },
            **{f"openapi/v3/{name}": _schema(*kind) for name, kind in versions.items()},
        }
        return fixed.get(path.strip("/"))


def refused(reason: str, message: str) -> Answer:
    """A refusal in the form of the API."""
    code = _CODES[reason]
    return code, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure", "code": code,
                  "reason": reason, "message": message}  # fmt: skip


def _group(group: str, version: str) -> dict[str, Any]:
    named = {"groupVersion": f"{group}/{version}", "version": version}
    return {"name": group, "versions": [named], "preferredVersion": named}


def _resources(version: str, *plurals: tuple[str, str]) -> dict[str, Any]:
    verbs = ["create", "delete", "get", "list", "watch"]
    resources = [
        {"name": plural, "singularName": kind.lower(), "namespaced": True, "kind": kind, "verbs": verbs}
        for plural, kind in plurals
    ]
    return {"kind": "APIResourceList", "apiVersion": "v1", "groupVersion": version, "resources": resources}


def _schema(group: str, version: str, kind: str, plural: str) -> dict[str, Any]:
    named = {"group": group, "version": version, "kind": kind}
    checked = {"in": "query", "name": "fieldValidation", "schema": {"type": "string"}}
    operation = {"parameters": [checked], "x-kubernetes-group-version-kind": named, "responses": {}}
    path = f"/apis/{group}/{version}/namespaces/{{namespace}}/{plural}/{{name}}"
    return {"openapi": "3.0.0", "info": {"title": kind, "version": version}, "paths": {path: {"patch": operation}}}


@contextlib.contextmanager
def serving(api: Api, folder: Path) -> Iterator[Path]:
    """Serves `api`. Yields a kubeconfig in `folder` for it."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            status, answer = api.answer(self.command, self.path, body)
            content = (answer if isinstance(answer, str) else json.dumps(answer)).encode()
            self.send_response(status)
            self.send_header("Content-Type", "text/plain" if isinstance(answer, str) else "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = handle_one

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield kubeconfig(folder, server.server_port)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def kubeconfig(folder: Path, port: int) -> Path:
    """A kubeconfig in `folder` for the server at `port` of this machine."""
    path = folder / "kubeconfig"
    cluster = {"name": "here", "cluster": {"server": f"http://127.0.0.1:{port}"}}
    context = {"name": "here", "context": {"cluster": "here", "user": "me"}}
    user = {"name": "me", "user": {"token": "none"}}
    document = {"apiVersion": "v1", "kind": "Config", "clusters": [cluster], "contexts": [context], "users": [user]}
    path.write_text(json.dumps({**document, "current-context": "here"}))
    return path
