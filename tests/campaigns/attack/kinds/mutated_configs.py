"""Configs, patches, job files, legacy documents and prices, spoilt at random."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

from campaigns.attack.case import Case
from campaigns.attack.child import ROOT
from campaigns.attack.kinds import words_in_documents
from campaigns.attack.mutation import spoilt
from campaigns.attack.place import Place
from campaigns.attack.samples import LEGACY, PATCH, PRICES, Samples

_CONFIGS, _YAMLS = 150, 170
_BACKENDS = ("vertex", "slurm", "kubernetes_jobset", "kubernetes_tfjob", "skypilot", "sagemaker", "azureml", "local")
_OF_CONFIG = (
    ("check_config", "--config=given.config"),
    ("check_config", "--config=given.config", "--fix=out.config"),
    ("check_config", "--config=given.config", "--format=json"),
    ("check_config", "--config=given.config", "--json"),
    ("check_config", "--config=given.config", "--plot=out.png"),
    ("make_config", "--from=given.config", "--output=out.config", "--set=train_config.num_steps=5"),
    ("make_config", "--from=given.config", "--output=out.config", "--epochs=4", "--batch_size=2"),
    ("fit_anchors", "--config=given.config", "--records=records", "--output=out.yaml"),
    ("train", "--config=given.config", "--model_dir=out", "--dry_run"),
    ("inspect_records", "--records=records", "--config=given.config"),
)


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """A template or the sample's config; then each kind of YAML."""
    templates = sorted((ROOT / "pipeline_configs/templates").glob("*.config"))
    for _ in range(_CONFIGS):
        template = draw.choice(templates)
        source = samples.config.read_bytes() if draw.random() < 0.8 else template.read_bytes()
        what, content = spoilt(source, draw)
        yield Case(
            about=f"config: {what}",
            argv=list(draw.choice(_OF_CONFIG)),
            prepare=partial(_prepare, samples=samples, name="given.config", content=content),
        )
    for _ in range(_YAMLS):
        yield _yaml(draw, samples)


def _yaml(draw: random.Random, samples: Samples) -> Case:
    kind = draw.choice(("job", "job", "job", "legacy", "patch", "prices"))
    backend = draw.choice(_BACKENDS)
    own = words_in_documents.written(words_in_documents.document(backend)).encode()
    job = own if draw.random() < 0.7 else draw.choice(list(samples.jobs.values())).read_bytes()
    plan = ["submit", "plan", f"--backend={backend}"]
    source, argv = {
        "job": (job, [*plan, "--job=given.yaml", "--output=out"]),
        "legacy": (LEGACY.encode(), ["submit", "import-legacy", "--from=given.yaml", "--output=out.yaml"]),
        "patch": (PATCH.encode(), ["make_config", "--from=sample.config", "--patch=given.yaml", "--output=out.config"]),
        "prices": (PRICES.encode(), ["submit", "plan", "--backend=vertex", "--job=sample.yaml", "--prices=given.yaml"]),
    }[kind]
    what, content = spoilt(source, draw)
    prepare = partial(_prepare, samples=samples, name="given.yaml", content=content)
    return Case(about=f"{kind}: {what}", argv=argv, prepare=prepare)


def _prepare(place: Place, samples: Samples, name: str, content: bytes) -> None:
    place.copy(samples.records, "records")
    place.copy(samples.config, "sample.config")
    place.copy(samples.jobs["estimator"], "sample.yaml")
    place.write(name, content)
