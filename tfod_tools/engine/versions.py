"""The table of TensorFlow and Python versions that work together, with the packages that the engine needs.

`make matrix` tries every pair, the README shows the table, and setup.py declares its range. Imports no TensorFlow.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tfod_tools.base.errors import UsageError

# The oldest and the newest Python 3.x on which tfod-tools is tested.
PYTHONS = (10, 13)

ENGINE = "tf-object-detection-api"

# The version that requirements.lock pins. It is recommended where no engine is installed.
LOCKED = "2.20.0"

# What the engine imports besides TensorFlow. TensorFlow itself allows fewer versions of protobuf and NumPy.
_IMPORTED = (
    "protobuf>=4.25,<7",  # protobuf 7 has no float_format, which the engine's config printing uses
    "tensorflow-estimator==2.15.0",
    "tf-slim==1.1.0",
    "contextlib2",
    "gin-config",
    "matplotlib",
    "opencv-python-headless",
    "pandas",
    "pillow>=10.1",
    "pycocotools",
    "pyyaml",
    "scipy",
    "six",
    "tensorboard",  # writes the summaries of images; TensorFlow 2.21 does not install it any more
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Release:
    """A minor version of TensorFlow: its tested release, and the packages that were tested with it.

    Attributes:
      tensorflow: its last patch release.
      newest_python: the newest Python 3.x for which it has builds. The oldest is that of `PYTHONS`.
      keras: release of tf-keras, of the same minor version.
      models: release of tf-models-official.
    """

    tensorflow: str
    newest_python: int
    keras: str
    models: str

    @property
    def minor(self) -> str:
        """The version without its patch number."""
        return self.tensorflow.rpartition(".")[0]

    def pythons(self) -> range:
        """Each Python 3.x of this row."""
        return range(PYTHONS[0], self.newest_python + 1)


RELEASES = (
    Release(tensorflow="2.15.1", newest_python=11, keras="2.15.1", models="2.15.0"),
    Release(tensorflow="2.16.2", newest_python=12, keras="2.16.0", models="2.16.0"),
    Release(tensorflow="2.17.1", newest_python=12, keras="2.17.0", models="2.17.0"),
    Release(tensorflow="2.18.1", newest_python=12, keras="2.18.0", models="2.18.0"),
    Release(tensorflow="2.19.1", newest_python=12, keras="2.19.0", models="2.19.1"),
    Release(tensorflow="2.20.0", newest_python=13, keras="2.20.1", models="2.20.0"),
    # tf-models-official has no release 2.21. The parts of 2.20 that the engine imports run on TensorFlow 2.21.
    Release(tensorflow="2.21.0", newest_python=13, keras="2.21.0", models="2.20.0"),
)


def pairs() -> Iterator[tuple[Release, int]]:
    """Every TensorFlow with every Python 3.x, including the pairs that do not exist."""
    return ((release, python) for release in RELEASES for python in range(PYTHONS[0], PYTHONS[1] + 1))


def find(version: str) -> Release:
    """The row of `version`, which names a minor version ("2.17") or a tested release ("2.17.1").

    Raises:
      UsageError: there is no such row.
    """
    for release in RELEASES:
        if version in (release.minor, release.tensorflow):
            return release
        if version.startswith(f"{release.minor}."):
            raise UsageError(
                f"TensorFlow {version} is not tested. Pass {release.tensorflow}, which is tested, or {release.minor}."
            )
    known = ", ".join(release.tensorflow for release in RELEASES)
    raise UsageError(f"TensorFlow {version} is not supported. Supported are {known}.")


def impossible(release: Release, python: int) -> str | None:
    """Why `release` cannot be installed on Python 3.`python`, with the versions that can; None if it can."""
    if python in release.pythons():
        return None
    others = [other.tensorflow for other in RELEASES if python in other.pythons()]
    if not others:
        return f"Python 3.{python} is not supported. Use Python 3.{PYTHONS[0]} to 3.{PYTHONS[1]}."
    return (
        f"TensorFlow {release.tensorflow} has no build for Python 3.{python}. Use Python 3.{PYTHONS[0]} to "
        f"3.{release.newest_python}, or TensorFlow {', '.join(others)}."
    )


def resolved(release: Release) -> tuple[str, ...]:
    """Requirements of `release` that pip installs with their dependencies."""
    return (f"tensorflow=={release.tensorflow}", f"tf-keras=={release.keras}", *_IMPORTED)


def alone(release: Release) -> tuple[str, ...]:
    """Requirements of `release` that pip installs without their dependencies.

    The parts of them that the engine imports need only `resolved`. Their declared dependencies have no build for some
    Pythons (tensorflow-text, tensorflow-io), contradict each other, and take a gigabyte that is never imported.
    """
    return (f"{ENGINE}==0.1", f"tf-models-official=={release.models}", "lvis==0.5.3")
