"""The price of a cluster per hour, from a dated table. The user can replace its entries."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cloud.cluster import ClusterSpec
from cloud.estimates.hardware import ACCELERATORS, Machine
from cloud.job_files import reader, yaml_lines
from cloud.job_files.reader import Block, Log

_OWN = Path(__file__).with_name("prices.yaml")
_FAMILIES = ("n1", "g2", "a2", "a3", "any")
_MOST_PER_HOUR = 100.0  # catalogues hold placeholders such as 700
_STALE_DAYS = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Prices:
    """Prices per hour.

    Attributes:
      date: of the older table, in ISO form.
      currency: such as USD.
      cpus: price of one virtual CPU by machine family; `any` is for machines without a family.
      memory_gib: price of one GiB, in the same form.
      accelerators: price of one GPU by kind.
    """

    date: str
    currency: str
    cpus: Mapping[str, float]
    memory_gib: Mapping[str, float]
    accelerators: Mapping[str, float]

    def age_days(self, today: datetime.date) -> int:
        """The age of the table on the day `today`."""
        return (today - datetime.date.fromisoformat(self.date)).days

    def is_stale(self, today: datetime.date) -> bool:
        """Whether the table is older than half a year, so that prices have probably changed."""
        return self.age_days(today) > _STALE_DAYS


def load(override: Path | None = None) -> Prices:
    """The table of this package; entries of the file `override` replace its own.

    Raises:
      ConfigError, Problems: the file is not such a table.
    """
    own = _read(_OWN)
    if override is None:
        return own
    given = _read(override)
    return Prices(
        date=min(own.date, given.date),
        currency=given.currency,
        cpus={**own.cpus, **given.cpus},
        memory_gib={**own.memory_gib, **given.memory_gib},
        accelerators={**own.accelerators, **given.accelerators},
    )


def per_hour(cluster: ClusterSpec, machines: Mapping[str, Machine], prices: Prices) -> tuple[float | None, list[str]]:
    """The price of the cluster per hour, and what has no price. If anything has none, the first value is None.

    Args:
      cluster: its roles.
      machines: the machine type of each role. If it is empty, the CPUs and memory of the role count, at the price of
        `any`.
      prices: the table.
    """
    total, unknown = 0.0, set()
    for role, wanted in cluster.roles.items():
        machine = machines.get(role)
        family = machine.family if machine else "any"
        cpus, gib = (machine.cpus, machine.memory_gib) if machine else (wanted.cpus, wanted.memory_gib)
        if family not in prices.cpus or family not in prices.memory_gib:
            unknown.add(f"{family} machines" if machine else "your own machines")
            continue
        if wanted.accelerator and wanted.accelerator not in prices.accelerators:
            unknown.add(f"{wanted.accelerator} GPUs")
            continue
        gpus = prices.accelerators[wanted.accelerator] * wanted.accelerators if wanted.accelerator else 0.0
        total += wanted.count * (cpus * prices.cpus[family] + gib * prices.memory_gib[family] + gpus)
    return (None if unknown else total), sorted(unknown)


def _read(path: Path) -> Prices:
    log = Log(str(path))
    top = Block(yaml_lines.read(path.read_text(encoding="utf-8"), str(path)), "", log)
    date = reader.checked(top, "date", r"\d{4}-[01]\d-[0-3]\d", "a day such as 2026-11-22")
    found = Prices(
        date=date or "2000-01-01",
        currency=top.text("currency", "USD") or "USD",
        cpus=_table(top.block("cpus"), _FAMILIES),
        memory_gib=_table(top.block("memory_gib"), _FAMILIES),
        accelerators=_table(top.block("accelerators"), tuple(ACCELERATORS)),
    )
    if "date" not in top:
        top.text("date", required=True)
    top.end()
    log.raise_all()
    return found


def _table(block: Block, known: tuple[str, ...]) -> dict[str, float]:
    found = {}
    for key in known:
        text = block.text(key)
        if text is None:
            continue
        try:
            found[key] = float(text)
        except ValueError:
            found[key] = -1.0
        if not 0 <= found[key] < _MOST_PER_HOUR:
            block.log.add(
                block.line_of(key), f"{block.name}.{key} is '{text}'. Write the price per hour, a number below 100."
            )
    block.end()
    return found
