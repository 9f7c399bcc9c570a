"""The folder from which an image is built: code, config, label map, job file, checksums, Dockerfiles for CPU and GPU.

The Dockerfiles install exactly the packages that were tested. The same input gives the same bytes, so the digest of the
image changes only if its content changes.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cloud import job_config, record_paths
from cloud.job_config import JobConfig
from cloud.job_files import job_file
from cloud.job_files.job_file import JobFile
from tfod_tools.base.errors import UsageError

ARCHIVE, SUMS, LOCK = "bundle.tar.gz", "SHA256SUMS", "requirements.lock"
_ROOT = Path(__file__).parents[1]
_PACKAGES = ("cloud", "pipeline_configs", "record_builders", "tfod_tools")
_SUFFIXES = (".py", ".config", ".yaml")
_PYTHON = "3.11"

# The images have Debian's Python 3.11. NVIDIA's libraries come from TensorFlow's extra and-cuda.
_DOCKERFILE = """\
# {what}. Build it in the folder of {archive}: docker build --file={name} --tag=NAME .
FROM python:{python}-slim-bookworm
WORKDIR /opt/tfod
COPY requirements.lock ./
RUN pip install --no-cache-dir --no-deps --require-hashes --requirement=requirements.lock
{more}ADD bundle.tar.gz ./
ENV PYTHONPATH=/opt/tfod TF_CPP_MIN_LOG_LEVEL=1
ENTRYPOINT []
CMD ["python", "-m", "tfod_tools.engine", "--dry_run"]
"""
_CUDA = """\
# The CUDA libraries that the locked TensorFlow needs. It finds them where pip puts them.
RUN pip install --no-cache-dir "tensorflow[and-cuda]=={tensorflow}"
"""


@dataclass(frozen=True, slots=True)
class Bundle:
    """The content of a bundle.

    Attributes:
      packed: the content of the archive, by name.
      others: the text of the other files, by name.
    """

    packed: Mapping[str, bytes]
    others: Mapping[str, str]

    def listing(self) -> list[tuple[str, int]]:
        """Each file and its size in bytes."""
        archived = [(f"{ARCHIVE}: {name}", len(content)) for name, content in self.packed.items()]
        return [*archived, *((name, len(text)) for name, text in self.others.items())]

    def contents(self) -> dict[str, bytes]:
        """The files of the folder, by name. The checksums are last."""
        contents = {ARCHIVE: _packed(self.packed), **{name: text.encode() for name, text in self.others.items()}}
        return {**contents, SUMS: _sums(contents).encode()}


def read(path: Path, backend: str | None) -> Bundle:
    """The bundle of a job file, whose config and records must exist.

    Args:
      path: the job file.
      backend: the name of the back-end; None if it is not known yet.

    Raises:
      TfodError: the job file, its config or its records are wrong.
    """
    file = job_file.read(path)
    config = job_config.read(file, backend)
    record_paths.look_for(config.reads if config else (file.config,), file.path)
    return plan(file, config)


def plan(file: JobFile, config: JobConfig | None) -> Bundle:
    """The bundle of a job.

    Args:
      file: the job file.
      config: its pipeline.config; None if only the job sees it.

    Raises:
      UsageError: this is an installed package. Only a checkout has the lock file.
    """
    lock = _ROOT / LOCK
    if not lock.is_file():
        raise UsageError(f"{LOCK} is not part of the installed package. Run this command in a checkout of tfod-tools.")
    files = {
        path.relative_to(_ROOT).as_posix(): path.read_bytes()
        for package in _PACKAGES
        for path in sorted((_ROOT / package).rglob("*"))
        if path.suffix in _SUFFIXES and "__pycache__" not in path.parts
    }
    files[f"jobs/{file.cluster.name}.yaml"] = Path(file.path).read_bytes()
    if config:
        files["jobs/pipeline.config"] = config.plan.config.encode()
    if config and config.label_map is not None:
        files["jobs/label_map.pbtxt"] = config.label_map
    files[SUMS] = _sums(files).encode()
    text = lock.read_text(encoding="utf-8")
    return Bundle(packed=files, others={LOCK: text, **dockerfiles(text)})


def build_command(folder: Path) -> tuple[str, ...]:
    """The command that builds the image from a bundle in `folder`."""
    return ("docker", "build", f"--file={folder}/Dockerfile.cpu", "--tag=NAME", str(folder))


def dockerfiles(lock: str) -> dict[str, str]:
    """The Dockerfiles that install the packages of the lock file `lock`."""
    version = next(line.split("==")[1].split()[0] for line in lock.splitlines() if line.startswith("tensorflow=="))
    cuda = _CUDA.format(tensorflow=version)
    kinds = {"Dockerfile.cpu": ("Training on CPUs", ""), "Dockerfile.gpu": ("Training on GPUs", cuda)}
    return {
        name: _DOCKERFILE.format(what=what, name=name, archive=ARCHIVE, python=_PYTHON, more=more)
        for name, (what, more) in kinds.items()
    }


def _sums(files: Mapping[str, bytes]) -> str:
    """The checksums, in the form that sha256sum writes and checks."""
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))


def _packed(files: Mapping[str, bytes]) -> bytes:
    """A tar.gz. The same files give the same bytes."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)
