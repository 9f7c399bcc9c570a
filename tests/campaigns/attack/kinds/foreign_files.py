"""Files of others where a command wants to write: each stays, whatever the command says."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial

from campaigns.attack.case import Case
from campaigns.attack.kinds import words_in_documents
from campaigns.attack.place import Place
from campaigns.attack.samples import LEGACY, Samples

_MINE = "this is mine, and nobody's output\n"
_BACKEND_FILES = {
    "azureml": "job.yaml",
    "skypilot": "task.yaml",
    "sagemaker": "training_job.yaml",
    "vertex": "custom_job.yaml",
    "slurm": "job.sbatch",
    "kubernetes_jobset": "jobset.yaml",
    "kubernetes_tfjob": "tfjob.yaml",
}
_BUNDLE = ("Dockerfile.cpu", "Dockerfile.gpu", "requirements.lock", "SHA256SUMS", "bundle.tar.gz")


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """An output that is there already: as a file, a link to one, a folder, the input itself."""
    for command, name in _outputs():
        for how in ("file", "link", "folder", "dangling link", "hard link", "read-only file"):
            yield _case(f"{name} is there: {how}", command, samples, {name: how})
    for backend, name in _BACKEND_FILES.items():
        for output, job in ((".", name), (".", "mine.yml"), ("given", "given/" + name)):
            beside = {name: "file"} if job == "mine.yml" else {}
            plan = ["submit", "plan", f"--backend={backend}", f"--job={job}", f"--output={output}"]
            yield _case(f"plan over {name}, of {job}", plan, samples, beside, job=job, backend=backend)
    for name in _BUNDLE:
        for how in ("file", "link", "folder"):
            bundle = ["submit", "bundle", "--job=mine.yml", "--output=."]
            yield _case(f"bundle over {name}: {how}", bundle, samples, {name: how}, job="mine.yml", backend="vertex")
    for output in ("legacy.yml", "./legacy.yml", "given/../legacy.yml", "thesis.txt"):
        yield _case(
            f"import-legacy over {output}",
            ["submit", "import-legacy", "--from=legacy.yml", f"--output={output}"],
            samples,
            {},
        )
    yield from _records(samples)
    yield from _pictures(samples)


def _outputs() -> Iterator[tuple[list[str], str]]:
    """Commands whose output is one file, and its name."""
    template = "--template=ssd_mobilenet_v2_small_192x192"
    yield ["make_config", template, "--records=records", "--output=mine.config"], "mine.config"
    yield ["make_config", template, "--records=records", "--output=outside.config", "--plot=mine.png"], "mine.png"
    yield ["check_config", "--config=sample.config", "--fix=mine.config"], "mine.config"
    yield ["check_config", "--config=sample.config", "--plot=mine.png"], "mine.png"
    yield ["fit_anchors", "--config=sample.config", "--records=records", "--output=mine.yaml"], "mine.yaml"
    yield ["fit_anchors", "--config=sample.config", "--records=records", "--plot=mine.png"], "mine.png"
    yield ["make_label_map", "--from=records/label_map.pbtxt", "--output=mine.pbtxt"], "mine.pbtxt"
    yield ["inspect_records", "--records=records", "--contact_sheet=mine.png"], "mine.png"
    yield ["inspect_records", "--records=records", "--extract=0", "--output=."], "record-00000.json"
    yield ["inspect_records", "--records=records", "--extract=0", "--output=."], "record-00000.png"
    yield ["submit", "import-legacy", "--from=legacy.yml", "--output=mine.yaml"], "mine.yaml"
    yield ["make_records", "--annotations=voc", "--output=out", "--missing_images=mine.txt"], "mine.txt"


def _records(samples: Samples) -> Iterator[Case]:
    """Records beside files of others, which bear names that records have."""
    make = ["make_records", "--annotations=voc", "--output=mine"]
    for name in ("train.record-00000-of-00001", "label_map.pbtxt", "manifest.json", "val.record-00000-of-00001"):
        for how in ("file", "link", "folder", "dangling link"):
            yield _case(f"records over {name}: {how}", make, samples, {f"mine/{name}": how}, may_stay=("mine",))
    for output in ("voc", "voc/", ".", "voc/../voc"):
        for _ in range(2):
            again = ["make_records", "--annotations=voc", f"--output={output}"]
            yield _case(f"records into {output}", again, samples, {}, may_stay=("voc", "."))
    yield _case("records in a file", ["make_records", "--annotations=voc", "--output=thesis.txt"], samples, {})
    yield _case("records below a file", ["make_records", "--annotations=voc", "--output=thesis.txt/x"], samples, {})


def _pictures(samples: Samples) -> Iterator[Case]:
    """Pictures that predict would paint over; it stops before TensorFlow."""
    for images, output in (
        ("voc", "voc"),
        ("photos/a.jpg", "photos"),
        ("photos", "photos"),
        ("photos/a.jpg,voc", "photos"),
    ):
        yield _case(
            f"predict paints {images} into {output}",
            ["predict", "--model=model", f"--images={images}", f"--output={output}", "--dry_run"], samples, {},
        )  # fmt: skip


def _case(
    about: str, argv: list[str], samples: Samples, there: dict[str, str], *,
    job: str = "", backend: str = "", may_stay: tuple[str, ...] = (),
) -> Case:  # fmt: skip
    prepare = partial(_prepare, samples=samples, there=there, job=job, backend=backend)
    return Case(about=about, argv=argv, prepare=prepare, may_add=may_stay or ("given", ".", "mine"))


def _prepare(place: Place, samples: Samples, there: dict[str, str], job: str, backend: str) -> None:
    place.copy(samples.records, "records")
    place.copy(samples.voc, "voc")
    place.write("sample.config", samples.config.read_text().replace("num_steps: 1000", "num_steps: 10"))
    place.write("legacy.yml", LEGACY)
    place.write("given/note.txt", _MINE)
    place.copy(samples.voc / "pet0.png", "photos/a.jpg")
    place.write("model/frozen_inference_graph.pb", b"")
    place.copy(samples.records / "label_map.pbtxt", "model/label_map.pbtxt")
    if job:
        place.write(job, words_in_documents.written(words_in_documents.document(backend)))
    for name, how in there.items():
        _put(place, name, how)


def _put(place: Place, name: str, how: str) -> None:
    path = place.work / name
    path.parent.mkdir(exist_ok=True, parents=True)
    if how == "folder":
        place.write(f"{name}/note.txt", _MINE)
    elif how == "link":
        path.symlink_to(place.others / "thesis.txt")
    elif how == "dangling link":
        path.symlink_to(place.others / "not there")
    elif how == "hard link":
        path.hardlink_to(place.others / "thesis.txt")
    else:
        place.write(name, _MINE).chmod(0o444 if how.startswith("read-only") else 0o644)
