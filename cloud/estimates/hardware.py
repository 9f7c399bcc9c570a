"""GPUs that a job can name, and the machine types of Google's cloud that have them.

Sources: Google's machine and GPU documentation, the limits table of SkyPilot 0.14's GCP catalogue, and the enum
AcceleratorType of google-cloud-aiplatform 2.7.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from cloud.cluster import Role
from tfod_tools.base import plugins
from tfod_tools.base.errors import ConfigError


@dataclass(frozen=True, slots=True)
class Accelerator:
    """A kind of GPU.

    Attributes:
      memory_gib: memory of one GPU, in GiB.
      vertex: its name in Vertex AI.
      cuda_arch: compute capability, such as 7.5.
    """

    memory_gib: int
    vertex: str
    cuda_arch: float


ACCELERATORS: Mapping[str, Accelerator] = {
    "P4": Accelerator(8, "NVIDIA_TESLA_P4", 6.1),
    "P100": Accelerator(16, "NVIDIA_TESLA_P100", 6.0),
    "V100": Accelerator(16, "NVIDIA_TESLA_V100", 7.0),
    "T4": Accelerator(16, "NVIDIA_TESLA_T4", 7.5),
    "L4": Accelerator(24, "NVIDIA_L4", 8.9),
    "A100": Accelerator(40, "NVIDIA_TESLA_A100", 8.0),
    "A100-80GB": Accelerator(80, "NVIDIA_A100_80GB", 8.0),
    "H100": Accelerator(80, "NVIDIA_H100_80GB", 9.0),
}


@dataclass(frozen=True, slots=True)
class Machine:
    """A machine type.

    Attributes:
      name: in its cloud.
      cpus: virtual CPUs.
      memory_gib: main memory, in GiB.
      accelerator: kind of the built-in GPUs; None if GPUs are attached, or without GPUs.
      accelerators: number of built-in GPUs.
    """

    name: str
    cpus: int
    memory_gib: float
    accelerator: str | None = None
    accelerators: int = 0

    @property
    def family(self) -> str:
        """`n1`, `g2`, ...: the machines of a family have the same prices per CPU and GiB."""
        return self.name.partition("-")[0]


_N1_GIB_PER_CPU = {"standard": 3.75, "highcpu": 0.9, "highmem": 6.5}
_N1_CPUS = (4, 8, 16, 32, 64, 96)

_BUILT_IN = (
    *(Machine(f"g2-standard-{cpus}", cpus, cpus * 4.0, "L4", 1) for cpus in (4, 8, 12, 16, 32)),
    Machine("g2-standard-24", 24, 96, "L4", 2),
    Machine("g2-standard-48", 48, 192, "L4", 4),
    Machine("g2-standard-96", 96, 384, "L4", 8),
    *(Machine(f"a2-highgpu-{n}g", 12 * n, 85.0 * n, "A100", n) for n in (1, 2, 4, 8)),
    *(Machine(f"a2-ultragpu-{n}g", 12 * n, 170.0 * n, "A100-80GB", n) for n in (1, 2, 4, 8)),
    *(Machine(f"a3-highgpu-{n}g", 26 * n, 234.0 * n, "H100", n) for n in (1, 2, 4, 8)),
)

# The largest number of virtual CPUs of an N1 machine, by kind and number of GPUs.
_N1_MOST_CPUS: Mapping[str, Mapping[int, int]] = {
    "T4": {1: 48, 2: 48, 4: 96},
    "P4": {1: 24, 2: 48, 4: 96},
    "P100": {1: 16, 2: 32, 4: 96},
    "V100": {1: 12, 2: 24, 4: 48, 8: 96},
}


def machine(role: str, wanted: Role) -> Machine:
    """The smallest machine type of Google's cloud that has what a role needs.

    Args:
      role: the name of the role, for messages.
      wanted: what it needs.

    Raises:
      ConfigError: there is no such machine type.
    """
    fits = [found for found in _candidates(wanted) if _has(found, wanted)]
    if fits:
        return min(fits, key=lambda found: (found.cpus, found.memory_gib, found.name))
    gpus = f" and {wanted.accelerators} {wanted.accelerator}" if wanted.accelerator else ""
    raise ConfigError(
        f"cluster.{role}: no machine type has {wanted.cpus} CPUs, {wanted.memory_gib:g} GiB{gpus}. {_largest(wanted)}"
    )


def _candidates(wanted: Role) -> Iterator[Machine]:
    kind = wanted.accelerator
    if kind is None or kind in _N1_MOST_CPUS:
        most = _N1_CPUS[-1] if kind is None else _N1_MOST_CPUS[kind].get(wanted.accelerators, 0)
        for shape, gib in _N1_GIB_PER_CPU.items():
            smallest = 16 if shape == "highcpu" else 4
            yield from (Machine(f"n1-{shape}-{n}", n, n * gib) for n in _N1_CPUS if smallest <= n <= most)
    else:
        yield from (found for found in _BUILT_IN if found.accelerator == kind)


def _has(found: Machine, wanted: Role) -> bool:
    enough = found.cpus >= wanted.cpus and found.memory_gib >= wanted.memory_gib
    return enough and found.accelerators in (0, wanted.accelerators)


def _largest(wanted: Role) -> str:
    kind = wanted.accelerator
    if kind and kind in _N1_MOST_CPUS:
        limits = ", ".join(f"{gpus}: {cpus} CPUs" for gpus, cpus in _N1_MOST_CPUS[kind].items())
        return f"A machine can have this number of {kind}, with at most so many CPUs: {limits}."
    if kind:
        counts = sorted({found.accelerators for found in _candidates(wanted)})
        return f"A machine can have {', '.join(map(str, counts))} {kind}."
    return "The largest has 96 CPUs and 624 GiB."


def refusal(kind: str) -> str | None:
    """Why a job cannot use the GPU `kind`, and what to use; None if it can."""
    if kind in ACCELERATORS:
        return None
    plain = kind.upper().replace("NVIDIA", "").replace("TESLA", "").strip("-_ ")
    if "TPU" in plain or plain in ("V2", "V3"):
        return "TPUs are not supported: the engine's code for them needs TensorFlow 1. Name a GPU, such as T4."
    if plain == "K80":
        return "K80 is out of service. Name T4 or L4, which have more memory and are faster."
    if plain.replace("_", "-") in ACCELERATORS:
        return f"write '{kind}' as {plain.replace('_', '-')}."
    return f"no GPU is called '{kind}'. {plugins.suggestion(kind, ACCELERATORS)}"
