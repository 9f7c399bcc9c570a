"""Paths of configs, records and label maps: here and for the job, and whether the files exist."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence

from cloud import backends
from cloud.job_files.job_file import JobFile
from tfod_tools.base import buckets, files
from tfod_tools.base.errors import ConfigError, Problems

_COUNTED = re.compile(r"-of-(\d{5})(?!\d)")


def moved(paths: Sequence[str], folder: str) -> list[str]:
    """The paths after all files were moved to `folder`. Below it, they keep their place.

    Args:
      paths: patterns of records, and label maps. Their deepest common folder becomes `folder`.
      folder: as the job sees it; may be a URL.
    """
    if not paths:
        return []
    common = posixpath.commonpath([posixpath.dirname(path) or "." for path in map(_normal, paths)])
    return [f"{folder.rstrip('/')}/{posixpath.relpath(_normal(path), common)}" for path in paths]


def shards(pattern: str) -> int | None:
    """The number of files according to the name itself, as in `train-?????-of-00010.tfrecord`; None without it."""
    match = _COUNTED.search(pattern)
    return int(match[1]) if match else None


def only_there(path: str, file: JobFile) -> bool:
    """Whether only the machines of the job need to see `path`: it is a URL, or in a folder that a back-end mounts."""
    mounts: list[str] = []
    for facts in backends.all_facts().values():
        named = file.options.get(facts.block, {}).get(facts.mount_option or "")
        mounts += [*facts.mounts, *([named] if named else [])]
    return files.is_remote(path) or path.startswith(tuple(mounts))


def check_seen(paths: Sequence[str], file: JobFile, backend: str | None) -> None:
    """Makes sure that the machines of the job see all of `paths`.

    Raises:
      ConfigError: one of them is only on this machine.
    """
    unseen = [path for path in paths if not only_there(path, file)]
    if unseen:
        message = (
            f"the config reads {unseen[0]}, which {backend or 'another machine'} cannot see. Copy the records to a "
        )
        message += "place that the job sees, and add 'records: FOLDER' to the job file."
        raise ConfigError(message, path=file.path, line=file.lines["config"])


def unchecked(paths: Sequence[str]) -> tuple[str, ...]:
    """A warning for each kind of URL in `paths` that cannot be checked, because a package is not installed."""
    lacking = {path.partition("://")[0]: buckets.lacking(path) for path in paths if files.is_remote(path)}
    return tuple(
        f"it is not checked whether the config and the records at {protocol}:// exist: {error}"
        for protocol, error in lacking.items()
        if error
    )


def look_for(paths: Sequence[str], source: str) -> None:
    """Makes sure that the URLs in `paths` exist. Skips those about which `unchecked` warns.

    Args:
      paths: what a job reads, with patterns of records.
      source: the job file, for errors.

    Raises:
      Problems: some of them do not exist.
      RecordError, UsageError: the file system does not answer, or is unknown.
    """
    sought = [path for path in paths if files.is_remote(path) and not buckets.lacking(path)]
    problems = []
    for path in dict.fromkeys(sought):
        folder, _, pattern = path.rpartition("/")
        if not buckets.folder(folder).matching(pattern):
            problems.append(
                ConfigError(f"there is nothing at {path}. Copy the files there, or correct the path.", path=source)
            )
    if problems:
        raise Problems(problems)


def _normal(path: str) -> str:
    scheme, mark, rest = path.rpartition("://")
    return posixpath.normpath(f"/{scheme}/{rest}" if mark else path)
