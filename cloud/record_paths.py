"""Paths of configs, records and label maps: where they are here, where a job finds them, and whether they are there."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from cloud.job_files.job_file import JobFile
from tfod_tools.base import buckets, files
from tfod_tools.base.errors import ConfigError, Problems

# Where containers of Google, SkyPilot and Azure, and of SageMaker, find buckets and disks.
_MOUNTS = ("/gcs/", "/mnt/", "/opt/ml/")
_COUNTED = re.compile(r"-of-(\d{5})(?!\d)")


def moved(paths: Sequence[str], folder: str) -> list[str]:
    """Each of `paths` below `folder`, as it was below the deepest folder that holds them all.

    Args:
      paths: patterns of records, and label maps.
      folder: where the job sees that deepest folder; may be a URL.
    """
    if not paths:
        return []
    common = posixpath.commonpath([posixpath.dirname(path) or "." for path in map(_normal, paths)])
    return [f"{folder.rstrip('/')}/{posixpath.relpath(_normal(path), common)}" for path in paths]


def shards(pattern: str) -> int | None:
    """How many files the name of `pattern` itself says there are, as in `train-?????-of-00010.tfrecord`."""
    match = _COUNTED.search(pattern)
    return int(match[1]) if match else None


def only_there(path: str, file: JobFile) -> bool:
    """Whether the machines of the job see `path`, and this one need not: a URL, or below a mount of theirs."""
    mounts = (*_MOUNTS, file.options.get("kubernetes", {}).get("mount_path", _MOUNTS[0]))
    return files.is_remote(path) or path.startswith(mounts)


def check_seen(paths: Sequence[str], file: JobFile, backend: str | None) -> None:
    """Makes sure that the machines of the job see every one of `paths`.

    Raises:
      ConfigError: one is a path of this machine alone.
    """
    unseen = [path for path in paths if not only_there(path, file)]
    if unseen:
        message = f"the config reads {unseen[0]}, which {backend or 'another machine'} cannot see."
        raise ConfigError(
            f"{message} Add 'records: ...', their folder there.", path=file.path, line=file.lines["config"]
        )


def blind(paths: Sequence[str]) -> tuple[str, ...]:
    """A line for each kind of URL among `paths` that cannot be looked for, because a package is not installed."""
    lacking = {path.partition("://")[0]: buckets.lacking(path) for path in paths if files.is_remote(path)}
    return tuple(
        f"nobody looks whether the config and the records at {protocol}:// are there: {error}"
        for protocol, error in lacking.items()
        if error
    )


def look_for(paths: Sequence[str], source: str) -> None:
    """Makes sure that there are files at those of `paths` that are URLs, unless `blind` tells why nobody can.

    Args:
      paths: what a job reads; patterns of records among them.
      source: the job file.

    Raises:
      Problems: nothing is at some of them.
      RecordError, UsageError: their file system does not answer, or there is no such kind.
    """
    sought = [path for path in paths if files.is_remote(path) and not buckets.lacking(path)]
    problems = []
    for path in dict.fromkeys(sought):
        folder, _, pattern = path.rpartition("/")
        if not buckets.folder(folder).matching(pattern):
            problems.append(ConfigError(f"nothing is at {path}. Copy it there, or mend the path.", path=source))
    if problems:
        raise Problems(problems)


def _normal(path: str) -> str:
    scheme, mark, rest = path.rpartition("://")
    return posixpath.normpath(f"/{scheme}/{rest}" if mark else path)
