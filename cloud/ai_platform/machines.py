"""The machines of AI Platform, and what replaces them.

Sources: Google's table of machine types, kept in the README of an R package for AI Platform, and the text of the API
`ml.googleapis.com` v1. The table had no rows for V100. Their sizes follow from their names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from cloud.cluster import Role
from cloud.estimates import hardware


@dataclass(frozen=True, slots=True)
class Legacy:
    """A machine type of AI Platform.

    Attributes:
      was: its machine in Compute Engine.
      now: what a job asks for instead.
      why: why the machine is another one; empty if it is the same.
    """

    was: str
    now: Role
    why: str = ""


_NO_K80 = "K80 is out of service; T4 and L4 have more memory"
_OLD_GPU = "few regions still have it"


def _plain(cpus: int, gib: float) -> Role:
    return Role(count=1, cpus=cpus, memory_gib=gib)


def _gpu(cpus: int, gib: float, kind: str, count: int) -> Role:
    return Role(count=1, cpus=cpus, memory_gib=gib, accelerator=kind, accelerators=count)


MACHINES: Mapping[str, Legacy] = {
    "standard": Legacy("n1-standard-4", _plain(4, 15)),
    "large_model": Legacy("n1-highmem-8", _plain(8, 52)),
    "complex_model_s": Legacy(
        "n1-highcpu-8", _plain(8, 7.2), "the smallest machine of that family is now n1-highcpu-16"
    ),
    "complex_model_m": Legacy("n1-highcpu-16", _plain(16, 14.4)),
    "complex_model_l": Legacy("n1-highcpu-32", _plain(32, 28.8)),
    "standard_gpu": Legacy("n1-standard-8 + 1 K80", _gpu(8, 30, "T4", 1), _NO_K80),
    "complex_model_m_gpu": Legacy("n1-standard-16 + 4 K80", _gpu(16, 60, "T4", 4), _NO_K80),
    "complex_model_l_gpu": Legacy(
        "n1-standard-32 + 8 K80", _gpu(96, 384, "L4", 8), f"{_NO_K80}, and a machine has at most 4 T4"
    ),
    "standard_p100": Legacy("n1-standard-8 + 1 P100", _gpu(8, 32, "L4", 1), _OLD_GPU),
    "complex_model_m_p100": Legacy("n1-standard-16 + 4 P100", _gpu(48, 192, "L4", 4), _OLD_GPU),
    "standard_v100": Legacy("n1-standard-8 + 1 V100", _gpu(12, 85, "A100", 1), _OLD_GPU),
    "large_model_v100": Legacy("n1-highmem-8 + 1 V100", _gpu(12, 85, "A100", 1), _OLD_GPU),
    "complex_model_m_v100": Legacy("n1-standard-16 + 4 V100", _gpu(48, 340, "A100", 4), _OLD_GPU),
    "complex_model_l_v100": Legacy("n1-standard-32 + 8 V100", _gpu(96, 680, "A100", 8), _OLD_GPU),
}

_N1 = re.compile(r"n1-(standard|highmem|highcpu)-(4|8|16|32|64|96)")
_GIB = {"standard": 3.75, "highmem": 6.5, "highcpu": 0.9}
_STAND_INS = {"K80": "T4"}


def named(name: str) -> Legacy | None:
    """The machine type `name`: one of AI Platform, or an N1 of Compute Engine; None if it is neither."""
    if match := _N1.fullmatch(name):
        cpus = int(match[2])
        return Legacy(name, _plain(cpus, cpus * _GIB[match[1]]))
    return MACHINES.get(name)


def accelerator(named_type: str) -> tuple[str | None, str]:
    """The GPU for an `acceleratorConfig.type`, and why it is another one, if so; None for an unknown type."""
    kind = named_type.removeprefix("NVIDIA_TESLA_").removeprefix("NVIDIA_")
    if kind in _STAND_INS:
        return _STAND_INS[kind], _NO_K80
    return (kind, "") if kind in hardware.ACCELERATORS else (None, "")
