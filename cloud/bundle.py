"""All that an image needs, in one folder: code, config, label map and job file, checksums, Dockerfiles for CPU and GPU.

The Dockerfiles install exactly what was tested. The same input gives the same bytes, so that the image's digest changes
only when something in it did.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cloud.job_files.job_file import JobFile
from cloud.planning import Config
from tfod_tools.base.errors import UsageError
from tfod_tools.base.files import publishing

ARCHIVE, SUMS, LOCK = "bundle.tar.gz", "SHA256SUMS", "requirements.lock"
_ROOT = Path(__file__).parents[1]
_PACKAGES = ("cloud", "pipeline_configs", "record_builders", "tfod_tools")
_SUFFIXES = (".py", ".config", ".yaml")
_PYTHON = "3.11"

# Debian's own Python 3.11, and NVIDIA's libraries as packages of the extra that TensorFlow names for them.
_DOCKERFILE = """\
# {what}. Build it beside {archive}: docker build --file={name} --tag=NAME .
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
# The libraries of CUDA that the locked TensorFlow asks for; it finds them where pip puts them.
RUN pip install --no-cache-dir "tensorflow[and-cuda]=={tensorflow}"
"""


@dataclass(frozen=True, slots=True)
class Bundle:
    """What is to be written.

    Attributes:
      files: content by name in the archive.
      beside: text by name beside the archive.
    """

    files: Mapping[str, bytes]
    beside: Mapping[str, str]

    def listing(self) -> list[tuple[str, int]]:
        """Each file and its size in bytes."""
        packed = [(f"{ARCHIVE}: {name}", len(content)) for name, content in self.files.items()]
        return [*packed, *((name, len(text)) for name, text in self.beside.items())]

    def write(self, folder: Path) -> str:
        """Writes everything into `folder`, the checksums last; returns the words that build the image."""
        contents = {ARCHIVE: _packed(self.files), **{name: text.encode() for name, text in self.beside.items()}}
        contents[SUMS] = _sums({name: content for name, content in contents.items() if name != SUMS}).encode()
        with publishing([folder / name for name in contents]) as partials:
            for partial, content in zip(partials, contents.values(), strict=True):
                partial.write_bytes(content)
        return f"docker build --file={folder}/Dockerfile.cpu --tag=NAME {folder}"


def plan(file: JobFile, config: Config | None) -> Bundle:
    """The bundle of a job.

    Args:
      file: the job file.
      config: its pipeline.config; None where only the job sees it.

    Raises:
      UsageError: this is an installed package without its lock file, which only a checkout has.
    """
    lock = _ROOT / LOCK
    if not lock.is_file():
        raise UsageError(f"there is no {LOCK} beside the packages. Run this from a checkout of tfod-tools.")
    files = {
        path.relative_to(_ROOT).as_posix(): path.read_bytes()
        for package in _PACKAGES
        for path in sorted((_ROOT / package).rglob("*"))
        if path.suffix in _SUFFIXES and "__pycache__" not in path.parts
    }
    files[f"jobs/{file.cluster.name}.yaml"] = Path(file.path).read_bytes()
    if config:
        files["jobs/pipeline.config"] = config.text.encode()
    if config and config.label_map is not None:
        files["jobs/label_map.pbtxt"] = config.label_map
    files[SUMS] = _sums(files).encode()
    text = lock.read_text(encoding="utf-8")
    return Bundle(files=files, beside={LOCK: text, **dockerfiles(text)})


def dockerfiles(lock: str) -> dict[str, str]:
    """The Dockerfiles that install the lock file `lock`."""
    version = next(line.split("==")[1].split()[0] for line in lock.splitlines() if line.startswith("tensorflow=="))
    cuda = _CUDA.format(tensorflow=version)
    kinds = {"Dockerfile.cpu": ("Training on CPUs", ""), "Dockerfile.gpu": ("Training on GPUs", cuda)}
    return {
        name: _DOCKERFILE.format(what=what, name=name, archive=ARCHIVE, python=_PYTHON, more=more)
        for name, (what, more) in kinds.items()
    }


def _sums(files: Mapping[str, bytes]) -> str:
    """As sha256sum writes and checks them."""
    return "".join(f"{hashlib.sha256(content).hexdigest()}  {name}\n" for name, content in sorted(files.items()))


def _packed(files: Mapping[str, bytes]) -> bytes:
    """A tar.gz that is the same for the same files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for name, content in sorted(files.items()):
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), 0o644
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(packed.getvalue(), mtime=0)
