"""Secrets in job files and configs: refused, or in no file that others can read, and never on the screen."""

from __future__ import annotations

import random
import string
from collections.abc import Iterator
from functools import partial

from campaigns.attack.case import Case, Result
from campaigns.attack.kinds import words_in_documents
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples

_BACKENDS = ("vertex", "slurm", "kubernetes_jobset", "kubernetes_tfjob", "skypilot", "sagemaker", "azureml")
_NAMES = (
    *(
        "DB_PASS",
        "MYSQL_PWD",
        "PGPASSWORD",
        "GITHUB_PAT",
        "OPENAI_KEY",
        "WANDB_API_KEY",
        "AWS_SESSION_TOKEN",
        "PASS",
        "PWD_DB",
    ),
    *(
        "dbPassword",
        "apikey",
        "SECRETKEY",
        "CLIENT_SECRET",
        "HF_AUTH",
        "DOCKER_AUTH",
        "PASSPHRASE",
        "SSH_KEY",
        "COOKIE",
        "BEARER",
    ),
)


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """By the name of a variable, by the look of a value, and in other places of the job file."""
    for name in _NAMES:
        for backend in draw.sample(_BACKENDS, 2):
            secret = _letters(draw, 24)
            yield _job(f"environment.{name}", {"environment": {name: secret}}, backend, secret)
    for what, value in _values(draw):
        for backend in draw.sample(_BACKENDS, 2):
            name = draw.choice(("SETTING", "LOGIN", "REMOTE", "EXTRA"))
            yield _job(f"a value like that of {what}", {"environment": {name: value}}, backend, value)
        yield _job(f"slurm.setup with {what}", {"slurm": {"setup": f"export X={value}"}}, "slurm", value)
        yield _job(f"model_dir with {what}", {"model_dir": f"gs://{value}@bucket/model"}, "vertex", value)
    for name in ("PASSWORD", "API_KEY"):
        secret = _letters(draw, 24)
        yield _job(f"secrets.{name} itself", {"secrets": {name: secret}}, draw.choice(_BACKENDS), secret)


def _letters(draw: random.Random, count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    return "".join(draw.choices(alphabet, k=count))


def _values(draw: random.Random) -> Iterator[tuple[str, str]]:
    """Made up at random, in the forms that their services give them; none was ever issued."""
    upper = string.ascii_uppercase + string.digits
    yield "GitHub", "ghp" + "_" + _letters(draw, 36)
    yield "GitHub, fine-grained", "github" + "_pat_" + _letters(draw, 22) + "_" + _letters(draw, 59)
    yield "GitLab", "glpat" + "-" + _letters(draw, 20)
    yield "OpenAI", "sk" + "-proj-" + _letters(draw, 48)
    yield "AWS", "AKIA" + _letters(draw, 16, upper)
    yield "AWS for a session", "ASIA" + _letters(draw, 16, upper)
    yield "Slack", "xoxb" + "-" + _letters(draw, 12, string.digits) + "-" + _letters(draw, 24)
    yield "Hugging Face", "hf" + "_" + _letters(draw, 34)
    yield "npm", "npm" + "_" + _letters(draw, 36)
    yield "Stripe", "sk" + "_live_" + _letters(draw, 24)
    yield "a URL with a password", f"postgres://me:{_letters(draw, 16)}@db.example.com/x"
    yield "an https URL with a token", f"https://user:{_letters(draw, 20)}@example.com/r.git"
    yield "a JSON Web Token", f"eyJ{_letters(draw, 20)}.eyJ{_letters(draw, 30)}.{_letters(draw, 30)}"
    yield "a private key", "-----BEGIN " + "OPENSSH PRIVATE KEY-----" + _letters(draw, 40)


def _job(about: str, more: dict[str, object], backend: str, secret: str) -> Case:
    document = words_in_documents.document(backend)
    for key, value in more.items():
        document[key] = {**document.get(key, {}), **value} if isinstance(value, dict) else value
    action = ["plan", f"--backend={backend}", "--output=out"]
    return Case(
        about=about,
        argv=["submit", *action, "--job=job.yaml"],
        prepare=partial(_write, text=words_in_documents.written(document)),
        judge=partial(_stays_secret, secret=secret),
    )


def _write(place: Place, text: str) -> None:
    place.write("job.yaml", text).chmod(0o600)


def _stays_secret(result: Result, secret: str) -> str | None:
    for path in sorted((result.place.work / "out").rglob("*")):
        if path.is_file() and path.stat().st_mode & 0o077 and secret in path.read_text(errors="replace"):
            return f"{path.name}, of mode {path.stat().st_mode & 0o777:o}, holds it"
    for name, said in (("standard output", result.first.out), ("standard error", result.first.err)):
        if secret.encode() in said:
            return f"{name} holds it"
    return None
