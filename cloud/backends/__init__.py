"""The back-ends, one file each; the listing of this folder is their registry.

A back-end is a module as `cloud.submission.Backend` describes: its `plan(job, cluster)` is pure and imports nothing but
this project's own. `OPTIONS` names the block of the job file with what only it needs to know. One that has no `submit`
only writes its document.
"""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

from tfod_tools.base import plugins

_FOLDER = Path(__file__).parent


def names() -> tuple[str, ...]:
    """Every back-end there is."""
    return plugins.names(_FOLDER)


def load(name: str) -> ModuleType:
    """The back-end called `name`.

    Raises:
      UsageError: there is none.
    """
    return plugins.load(__name__, _FOLDER, name, "back-end")
