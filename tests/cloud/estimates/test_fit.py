"""Cost, and whether a job fits its cluster."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

import pytest

from cloud.cluster import ClusterSpec, Role, Scheduling
from cloud.estimates import fit, hardware, prices
from cloud.estimates.fit import Facts
from tfod_tools.base.errors import ConfigError, Problems

T4 = Role(count=1, cpus=8, memory_gib=30, accelerator="T4", accelerators=1)
SERVER = Role(count=3, cpus=4, memory_gib=15)
# The cluster of the users' documents: 1 + 5 workers and 3 parameter servers.
SEED = ClusterSpec(
    name="lemons", strategy="estimator", roles={"chief": T4, "worker": dataclasses.replace(T4, count=5), "ps": SERVER}
)
MIRRORED = ClusterSpec(
    name="lemons",
    strategy="multi_worker_mirrored",
    roles={
        "chief": dataclasses.replace(T4, accelerators=2),
        "worker": dataclasses.replace(T4, count=3, accelerators=2),
    },
)
FACTS = Facts(steps=200000, batch_size=24, learning_rate=0.004, shards=10, pixels=(300, 300))


def machines(cluster: ClusterSpec) -> dict[str, hardware.Machine]:
    return {role: hardware.machine(role, wanted) for role, wanted in cluster.roles.items()}


def assess(cluster: ClusterSpec, facts: Facts | None = FACTS) -> fit.Fit:
    return fit.assess(cluster, facts, machines(cluster), prices.load())


def test_the_price_of_the_users_cluster() -> None:
    """6 n1-standard-8 with a T4 and 3 n1-standard-4: 6 (0.38 + 0.35) + 3 * 0.19 dollars an hour."""
    rate, unknown = prices.per_hour(SEED, machines(SEED), prices.load())
    assert not unknown
    assert rate == pytest.approx(4.95, abs=0.005)
    figures = dict(assess(SEED).figures)
    assert figures["price"].startswith("4.95 USD/h (on demand; table of 2026-11-22")
    assert figures["cost"] == "at most 118.80 USD"
    assert figures["time"] == "at most 24 h"


def test_list_prices_are_reproduced() -> None:
    table = prices.load()
    for name, wanted, listed in [
        ("n1-standard-4", Role(count=1, cpus=4, memory_gib=15), 0.1900),
        ("g2-standard-4", Role(count=1, cpus=4, memory_gib=16, accelerator="L4", accelerators=1), 0.706832),
        ("g2-standard-8", Role(count=1, cpus=8, memory_gib=32, accelerator="L4", accelerators=1), 0.853624),
        ("a2-highgpu-1g", Role(count=1, cpus=12, memory_gib=85, accelerator="A100", accelerators=1), 3.673385),
    ]:
        cluster = ClusterSpec(name="a", strategy="estimator", roles={"chief": wanted})
        assert machines(cluster)["chief"].name == name
        assert prices.per_hour(cluster, machines(cluster), table)[0] == pytest.approx(listed, rel=1e-4)


def test_a_price_that_nobody_knows() -> None:
    cluster = dataclasses.replace(SEED, roles={"chief": dataclasses.replace(T4, accelerator="H100", cpus=8)})
    assert dict(assess(cluster).figures)["price"].startswith("unknown: the table has no price for a3 machines.")
    own = fit.assess(SEED, None, {}, prices.load())
    assert dict(own.figures)["price"].startswith("unknown: the table has no price for your own machines.")


def test_prices_of_ones_own(tmp_path: Path) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(
        "date: 2026-01-31\ncurrency: EUR\ncpus: {any: 0.01}\nmemory_gib: {any: 0}\naccelerators: {T4: 0.1}\n"
    )
    table = prices.load(file)
    assert prices.per_hour(SEED, {}, table)[0] == pytest.approx(6 * (8 * 0.01 + 0.1) + 3 * 4 * 0.01)
    assert table.accelerators["L4"] == 0.56004
    assert (table.date, table.currency) == ("2026-01-31", "EUR")
    assert table.is_stale(datetime.date(2026, 11, 1))
    assert not table.is_stale(datetime.date(2026, 3, 1))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("date: 2026-01-31\naccelerators: {T5: 1}\n", "2: no field of accelerators is called 'T5'. Known: A100"),
        ("date: 2026-01-31\naccelerators: {T4: 700}\n", "2: accelerators.T4 is '700'. Write the price per hour"),
        ("date: soon\n", "1: date is 'soon'. Write a day such as 2026-11-22."),
        ("currency: EUR\n", "1: date is missing. Add 'date: ...'."),
    ],
)  # fmt: skip
def test_a_table_that_is_none(tmp_path: Path, text: str, line: str) -> None:
    file = tmp_path / "prices.yaml"
    file.write_text(text)
    with pytest.raises(Problems) as caught:
        prices.load(file)
    assert str(caught.value).startswith(f"{file}:{line}")


def test_asynchronous_workers_are_the_users_problem() -> None:
    (warning,) = assess(SEED).warnings
    assert "the 6 workers are asynchronous. A gradient is 5 updates old on average" in warning
    assert not assess(MIRRORED).warnings
    assert not assess(dataclasses.replace(SEED, roles={"chief": T4})).warnings


def test_batch_and_learning_rate() -> None:
    figures = dict(assess(SEED).figures)
    assert figures["batch"] == "24 images for each of 6 replicas; each makes its own updates"
    assert figures["learning rate"].startswith("0.004 for each update; 6 workers make 6 updates")
    assert figures["images"] == "4,800,000 in 200,000 steps of the whole cluster"
    mirrored = dict(assess(MIRRORED).figures)
    assert mirrored["batch"] == "24 images in all, 3 for each of 8 replicas"
    assert mirrored["learning rate"] == "0.004 for the whole batch"


def test_a_batch_that_replicas_cannot_share() -> None:
    (warning,) = assess(MIRRORED, dataclasses.replace(FACTS, batch_size=30)).warnings
    assert warning == "train_config.batch_size is 30, which 8 replicas cannot share evenly. Set it to 32."


@pytest.mark.parametrize(("shards", "warns"), [(3, True), (4, False), (None, False)])
def test_fewer_shards_than_trainers(shards: int | None, warns: bool) -> None:
    warnings = assess(MIRRORED, dataclasses.replace(FACTS, shards=shards)).warnings
    assert [
        w.startswith("there are only 3 shards of training records for 4 trainers; those without a shard would wait")
        for w in warnings
    ] == ([True] if warns else [])


def test_more_gpus_than_an_estimator_uses() -> None:
    cluster = dataclasses.replace(SEED, roles={"chief": dataclasses.replace(T4, accelerators=4, cpus=16)})
    assert "the strategy estimator uses one GPU per task, but chief has more" in assess(cluster).warnings[0]


def test_main_memory() -> None:
    """Two batches of 512 images of 1024 x 1024 pixels are 12 GiB."""
    cluster = dataclasses.replace(SEED, roles={"chief": dataclasses.replace(T4, memory_gib=20)})
    facts = dataclasses.replace(FACTS, batch_size=512, pixels=(1024, 1024))
    assert (
        "the 2 batches that are read ahead need 12.0 GiB, more than half of the memory of chief"
        in assess(cluster, facts).warnings[0]
    )
    assert not assess(dataclasses.replace(SEED, roles={"chief": T4}), facts).warnings


@pytest.mark.parametrize(
    ("wanted", "name"),
    [
        (Role(count=1, cpus=1, memory_gib=1), "n1-standard-4"),
        (Role(count=1, cpus=8, memory_gib=40), "n1-highmem-8"),
        (Role(count=1, cpus=16, memory_gib=14), "n1-highcpu-16"),
        (Role(count=1, cpus=8, memory_gib=30, accelerator="V100", accelerators=1), "n1-standard-8"),
        (Role(count=1, cpus=16, memory_gib=64, accelerator="L4", accelerators=4), "g2-standard-48"),
        (Role(count=1, cpus=8, memory_gib=60, accelerator="A100-80GB", accelerators=2), "a2-ultragpu-2g"),
    ],
)
def test_the_smallest_machine(wanted: Role, name: str) -> None:
    assert hardware.machine("chief", wanted).name == name


@pytest.mark.parametrize(
    ("wanted", "says"),
    [
        (Role(count=1, cpus=200, memory_gib=1), "The largest has 96 CPUs and 624 GiB."),
        (
            Role(count=1, cpus=8, memory_gib=30, accelerator="T4", accelerators=8),
            "A machine can have this number of T4",
        ),
        (Role(count=1, cpus=64, memory_gib=30, accelerator="T4", accelerators=1), "1: 48 CPUs, 2: 48 CPUs, 4: 96 CPUs"),
        (Role(count=1, cpus=8, memory_gib=30, accelerator="L4", accelerators=3), "A machine can have 1, 2, 4, 8 L4."),
    ],
)
def test_no_machine(wanted: Role, says: str) -> None:
    with pytest.raises(ConfigError, match=r"cluster\.worker: no machine type has") as caught:
        hardware.machine("worker", wanted)
    assert says in str(caught.value)


def test_time_limit_and_spot() -> None:
    cluster = dataclasses.replace(SEED, scheduling=Scheduling(spot=True, time_limit_s=5400))
    figures = dict(assess(cluster).figures)
    assert figures["time"] == "at most 1.5 h"
    assert "on demand; spot costs less" in figures["price"]


def test_memory_of_a_gpu() -> None:
    """The figure is for the images of one GPU, and the warning says how many would fit."""
    large = dataclasses.replace(FACTS, batch_size=64, pixels=(640, 640), extractor="ssd_resnet50_v1_fpn_keras")
    shared = assess(MIRRORED, large)
    assert dict(shared.figures)["GPU memory"].startswith("2.6 of 16 GiB for feature maps of 8 images;")
    assert not shared.warnings
    alone = assess(dataclasses.replace(SEED, roles={"chief": T4}), large)
    assert dict(alone.figures)["GPU memory"].startswith("20.6 of 16 GiB for feature maps of 64 images;")
    (warning,) = alone.warnings
    assert (
        "the feature maps alone need 20.6 GiB of a GPU, but T4 has 16. Lower train_config.batch_size to well below 49"
        in warning
    )


def test_memory_of_a_gpu_that_nobody_knows() -> None:
    on_cpus = dataclasses.replace(SEED, roles={"chief": dataclasses.replace(T4, accelerator=None, accelerators=0)})
    known = dataclasses.replace(FACTS, extractor="ssd_mobilenet_v2")
    assert "GPU memory" in dict(assess(SEED, known).figures)
    for cluster, facts in (
        (SEED, None),
        (SEED, FACTS),
        (on_cpus, known),
        (SEED, dataclasses.replace(known, pixels=None)),
    ):
        assert "GPU memory" not in dict(assess(cluster, facts).figures)
