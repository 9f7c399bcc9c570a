"""Words of a job file or a legacy document that mean something to YAML or a shell: they come out as they went in.

Or they are refused. A document is read back as its reader would: YAML with safe_load, a script with bash -n and shlex.
"""

from __future__ import annotations

import json
import random
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from campaigns.attack.case import Case, Result
from campaigns.attack.place import Place
from campaigns.attack.samples import LEGACY, Samples

_WORDS = (
    *(
        "1e3",
        "y",
        "no",
        "on",
        "0x1f",
        "1_000",
        "2024-01-02",
        "null",
        "~",
        "12:30:45",
        "true",
        ".5",
        "0b1",
        "=",
        "<<",
        "1e-7",
    ),
    *(
        "a\nb",
        "a\n#SBATCH --uid=0",
        "a\nrm -rf x",
        "a\r\nb",
        "a: b",
        "a #b",
        "- a",
        "[a",
        "{a: b",
        "&a",
        "*a",
        "!!int 3",
        "%a",
        "@a",
    ),
    *(
        "$(touch out-of-shell)",
        "`touch out-of-shell`",
        "a;touch out-of-shell",
        "a&&touch out-of-shell",
        "a|b",
        "$HOME",
        "${X}",
    ),
    *(
        "a'b",
        'a"b',
        "a\\b",
        "'",
        '"',
        "a b",
        " a ",
        "--flag",
        "-x",
        "é",
        "\N{PILE OF POO}",
        "a\tb",
        "x" * 300,
        "a\u2028b",
    ),
    *(
        "a\x1b[31mb",
        "a\x00b",
        "a\x85b",
        "\u202eab",
        "%(x)s",
        "{x}",
        "$$",
        "!a",
        "a>out-of-shell",
        "\ud800",
        "a\nvertex:\n  project: evil",
    ),
)
_WHERE = {
    "vertex": (
        "model_dir",
        "config",
        "vertex.project",
        "vertex.region",
        "vertex.service_account",
        "vertex.network",
        "environment.NOTE",
    ),
    "slurm": (
        "model_dir",
        "config",
        "slurm.partition",
        "slurm.account",
        "slurm.qos",
        "slurm.python",
        "environment.NOTE",
    ),
    "kubernetes_jobset": (
        "model_dir",
        "kubernetes.namespace",
        "kubernetes.service_account",
        "environment.NOTE",
        "kubernetes.volume_claim",
    ),
    "kubernetes_tfjob": ("model_dir", "kubernetes.namespace", "kubernetes.gpu_node_selector", "environment.NOTE"),
    "skypilot": ("model_dir", "skypilot.bucket", "skypilot.infra", "environment.NOTE"),
    "sagemaker": ("model_dir", "sagemaker.bucket", "sagemaker.role_arn", "sagemaker.region", "environment.NOTE"),
    "azureml": ("model_dir", "azureml.compute", "azureml.experiment", "environment.NOTE"),
}
_STARTS = {"slurm": "/shared/", "azureml": "/mnt/", "skypilot": "/mnt/bucket/", "sagemaker": "/opt/ml/checkpoints/"}
_LEGACY = ("jobDir", "region", "serviceAccount", "network", "pipeline_config_path", "num_train_steps", "masterType")
_EACH = 11


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """Some words for each place of each back-end, then for legacy documents."""
    for backend, places in _WHERE.items():
        for where in places:
            for word in draw.sample(_WORDS, _EACH):
                yield _job(backend, where, word)
    for where in _LEGACY:
        for word in draw.sample(_WORDS, _EACH + 4):
            yield _legacy(where, word)
    for backend in _WHERE:
        for word in draw.sample(_WORDS, 3):
            job = written(document(backend) | {"name": word})
            argv = ["submit", "plan", "--job=job.yaml", f"--backend={backend}", "--output=out"]
            yield Case(about=f"name is {word!r}", argv=argv, prepare=partial(_write, name="job.yaml", text=job))


def _write(place: Place, name: str, text: str) -> None:
    place.write(name, text)


def written(document: dict[str, Any]) -> str:
    """A document as YAML, each word of it quoted where it must be."""
    import yaml

    text: str = yaml.safe_dump(document, width=1_000_000, sort_keys=False)
    return text


def document(backend: str) -> dict[str, Any]:
    """A job file that the back-end takes."""
    start = _STARTS.get(backend, "gs://bucket/")
    style = "multi_worker_mirrored" if backend in ("skypilot", "azureml", "sagemaker") else "estimator"
    return {
        "name": "lemons",
        "style": style,
        "config": "gs://bucket/pipeline.config",
        "model_dir": f"{start}model",
        "steps": "500",
        "image": "registry.example.com/train@sha256:" + "0123456789abcdef" * 4,
        "cluster": {"chief": {"cpus": "4", "memory": "15Gi"}},
        "vertex": {"project": "my-project", "region": "us-central1"},
        "kubernetes": {"namespace": "training"},
        "slurm": {"partition": "gpu"},
        "skypilot": {"bucket": "gs://bucket"},
        "sagemaker": {"role_arn": "arn:aws:iam::123456789012:role/trainer", "bucket": "s3://bucket"},
        "azureml": {"compute": "azureml:cluster"},
    }


def _job(backend: str, where: str, word: str) -> Case:
    given = document(backend)
    block, _, key = where.rpartition(".")
    value = given["model_dir"] + word if where == "model_dir" else "gs://b/" + word if where == "config" else word
    if block:
        given[block] = {**given.get(block, {}), key: value}
    else:
        given[key] = value
    return Case(
        about=f"{where} is {value!r}",
        argv=["submit", "plan", "--job=job.yaml", f"--backend={backend}", "--output=out"],
        prepare=partial(_write, name="job.yaml", text=written(given)),
        judge=partial(_comes_out, word=value),
    )


def _legacy(where: str, word: str) -> Case:
    import yaml

    document: Any = yaml.safe_load(LEGACY)
    inner, value = document["trainingInput"], word
    if where in ("pipeline_config_path", "num_train_steps"):
        value = f"gs://b/{word}" if where.startswith("p") else word
        inner["args"] = ["--pipeline_config_path=gs://b/p.config", "--num_train_steps", "700", f"--{where}={value}"]
    else:
        inner[where] = value = f"gs://b/{word}" if where == "jobDir" else word
    argv = ["submit", "import-legacy", "--from=given.yaml", "--output=out.yaml"]
    prepare = partial(_write, name="given.yaml", text=written(document))
    judge = partial(_imported, where=where, word=value)
    return Case(about=f"{where} is {value!r}", argv=argv, prepare=prepare, judge=judge)


def _comes_out(result: Result, word: str) -> str | None:
    """What is wrong with the documents of a plan, if it wrote any."""
    if result.first.status:
        return None
    for path in sorted((result.place.work / "out").rglob("*")):
        wrong = _wrong_script(path) if path.suffix == ".sbatch" else _wrong_yaml(path, word)
        if wrong:
            return f"{path.name}: {wrong}"
    if any("out-of-shell" in path for path in result.new):
        return "a word was run by a shell"
    return _wrong_command(result.first.out.decode("utf-8", "replace"))


def _wrong_yaml(path: Path, word: str) -> str | None:
    import yaml

    try:
        values = list(_values(yaml.safe_load(path.read_text(encoding="utf-8", errors="surrogateescape"))))
    except yaml.YAMLError as error:
        return f"is no YAML: {' '.join(str(error).split())[:150]}"
    texts = [value for value in values if isinstance(value, str)]
    joined = "\0".join(texts)
    quoted = shlex.quote(word)
    said = any(part in joined for part in (word, quoted, json.dumps(word)[1:-1], word.replace("=", "\0")))
    if not said and len(word.strip()) > 3 and word.strip() in path.read_text(encoding="utf-8", errors="replace"):
        return f"{word!r} is there, and reads back as something else"
    return None


def _values(content: Any) -> Iterator[Any]:
    if isinstance(content, dict):
        for key, value in content.items():
            yield from (key, *_values(value))
    elif isinstance(content, list):
        for value in content:
            yield from _values(value)
    else:
        yield content


def _wrong_script(path: Path) -> str | None:
    checked = subprocess.run(["bash", "-n", str(path)], capture_output=True, check=False)
    if checked.returncode:
        return f"bash cannot read it: {checked.stderr.decode('utf-8', 'replace')[:150]}"
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    known = ("job-name", "output", "open-mode", "time", "requeue", "no-requeue", "account", "qos", "partition", "nodes")
    known += ("ntasks-per-node", "cpus-per-task", "mem", "gres")
    for line in text.splitlines():
        if line.startswith("#SBATCH"):
            words = line.split()
            name = words[1].lstrip("-").partition("=")[0] if len(words) > 1 else ""
            if name != "hetjob" and (name not in known or len(words) > 2):
                return f"sbatch would not read this as one option: {line!r}"
        elif re.match(r"(rm|touch)\b", line):
            return f"a word has become a command: {line!r}"
    return _ran(path)


def _ran(path: Path) -> str | None:
    """Runs the script in a shell where each command is a function that does nothing; a word must not do anything."""
    stubs = "srun() { :; }; mkdir() { :; }; env() { :; }; PATH=/nowhere; touch() { echo RAN; }; rm() { echo RAN; }\n"
    text = path.read_text(encoding="utf-8", errors="surrogateescape")
    words = ["bash", "--noprofile", "--norc", "-c", stubs + text]
    try:
        done = subprocess.run(
            words, capture_output=True, check=False, timeout=10, cwd=path.parent, stdin=subprocess.DEVNULL
        )
    except (subprocess.TimeoutExpired, ValueError) as error:
        return f"a shell cannot run it: {type(error).__name__}"
    return "a word was run by the shell" if b"RAN" in done.stdout else None


def _wrong_command(out: str) -> str | None:
    """The line that a person is to copy into a shell."""
    _, found, line = out.partition("\nby hand: ")
    try:
        shlex.split(line)
    except ValueError as error:
        return f"a shell cannot read the line that is to be copied: {error}" if found else None
    return None


def _imported(result: Result, where: str, word: str) -> str | None:
    import yaml

    written = result.written("out.yaml")
    if not written or result.first.status not in (0, 3):
        return None
    text = written.read_text(encoding="utf-8", errors="surrogateescape")
    try:
        found = yaml.load(text, Loader=yaml.BaseLoader)
    except yaml.YAMLError as error:
        return f"is no YAML: {' '.join(str(error).split())[:150]}"
    key = {"jobDir": "model_dir", "pipeline_config_path": "config", "num_train_steps": "steps"}.get(where)
    value = (
        found.get(key, "")
        if key
        else (found.get("vertex") or {}).get({"serviceAccount": "service_account"}.get(where, where))
    )
    if where != "masterType" and word not in (value, f"{value} "):
        return f"{where} {word!r} has become {value!r}"
    if extra := set(found) - {
        "name",
        "style",
        "config",
        "model_dir",
        "steps",
        "image",
        "cluster",
        "scheduling",
        "vertex",
    }:
        return f"{where} has made further keys: {extra}"
    try:
        own = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError) as error:
        return f"safe_load fails: {error}"
    plain = own.get(key) if key else None
    if where in ("jobDir", "pipeline_config_path") and not isinstance(plain, str):
        return f"{where} {word!r} reads back as {plain!r}"
    return None
