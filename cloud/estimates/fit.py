"""Whether a job fits its cluster, and what it costs: figures and warnings, before the job is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cloud.cluster import ClusterSpec
from cloud.estimates import feature_maps, prices
from cloud.estimates.hardware import ACCELERATORS, Machine
from cloud.estimates.prices import Prices

# From this age on, in updates, old gradients of asynchronous workers get a warning.
_STALE_UPDATES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What matters in the pipeline.config for the size of a cluster.

    Attributes:
      steps: last training step.
      batch_size: train_config.batch_size, in images.
      learning_rate: the highest rate of its schedule; None without one.
      shards: number of files with training records; None if it cannot be found from here.
      pixels: height and width of every resized image; None if images have different sizes.
      batches_ahead: number of batches that are read ahead.
      extractor: type of the feature extractor.
      width: its depth_multiplier.
    """

    steps: int
    batch_size: int
    learning_rate: float | None = None
    shards: int | None = None
    pixels: tuple[int, int] | None = None
    batches_ahead: int = 2
    extractor: str = ""
    width: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Fit:
    """The estimates for a job.

    Attributes:
      figures: name and value of each figure, as text.
      warnings: what is likely to go wrong, one line each.
    """

    figures: tuple[tuple[str, str], ...]
    warnings: tuple[str, ...]


def assess(cluster: ClusterSpec, facts: Facts | None, machines: Mapping[str, Machine], table: Prices) -> Fit:
    """Figures and warnings of a job on its cluster.

    Args:
      cluster: the cluster.
      facts: of the config; None if only the job sees it.
      machines: the machine type of each role; empty if the back-end has none that are known here.
      table: prices.
    """
    figures = [*_cost(cluster, machines, table), *(_batch(cluster, facts) if facts else [])]
    warnings = [*_gpus(cluster), *(_config_warnings(cluster, facts) if facts else [])]
    if facts:
        more_figures, more_warnings = _gpu_memory(cluster, facts)
        figures += more_figures
        warnings += more_warnings
    return Fit(figures=tuple(figures), warnings=tuple(warnings))


def replicas(cluster: ClusterSpec) -> int:
    """Number of copies of the model: one per trainer with the strategy estimator, else one per GPU."""
    if cluster.strategy == "estimator":
        return cluster.trainers
    return sum(max(1, cluster.roles[role].accelerators) * cluster.roles[role].count
               for role in ("chief", "worker") if role in cluster.roles)  # fmt: skip


def staleness(cluster: ClusterSpec) -> int:
    """Average number of updates from other workers between the time a worker reads the weights and its own update.

    Of N asynchronous workers with equal speed, each makes every N-th update.
    """
    return cluster.trainers - 1 if cluster.strategy == "estimator" else 0


def _cost(cluster: ClusterSpec, machines: Mapping[str, Machine], table: Prices) -> list[tuple[str, str]]:
    hours = cluster.scheduling.time_limit_s / 3600
    rate, unknown = prices.per_hour(cluster, machines, table)
    figures = [("time", f"at most {hours:g} h")]
    if rate is None:
        return [
            *figures,
            ("price", f"unknown: the table has no price for {', '.join(unknown)}. Pass your own with --prices."),
        ]
    kind = "on demand; spot costs less" if cluster.scheduling.spot else "on demand"
    return [
        *figures,
        ("price", f"{rate:.2f} {table.currency}/h ({kind}; table of {table.date}, without the fee of the service)"),
        ("cost", f"at most {rate * hours:.2f} {table.currency}"),
    ]


def _batch(cluster: ClusterSpec, facts: Facts) -> list[tuple[str, str]]:
    count = replicas(cluster)
    if cluster.strategy == "estimator":
        text = f"{facts.batch_size} images for each of {count} replicas; each makes its own updates"
        seen = facts.steps * facts.batch_size
    else:
        text = f"{facts.batch_size} images in all, {facts.batch_size / count:g} for each of {count} replicas"
        seen = facts.steps * facts.batch_size
    rate = [] if facts.learning_rate is None else [("learning rate", f"{facts.learning_rate:g}{_rate_of(cluster)}")]
    return [("batch", text), *rate, ("images", f"{seen:,} in {facts.steps:,} steps of the whole cluster")]


def _rate_of(cluster: ClusterSpec) -> str:
    if cluster.strategy == "estimator" and cluster.trainers > 1:
        return f" for each update; {cluster.trainers} workers make {cluster.trainers} updates in the time of one step"
    return " for the whole batch"


def _gpus(cluster: ClusterSpec) -> list[str]:
    found = []
    if cluster.strategy == "estimator":
        many = [role for role, wanted in cluster.roles.items() if wanted.accelerators > 1]
        if many:
            found.append(
                f"the strategy estimator uses one GPU per task, but {' and '.join(many)} has more. Use one GPU each, "
                "and more workers."
            )
    kinds = {wanted.accelerator for wanted in cluster.roles.values() if wanted.accelerator}
    old = sorted(kind for kind in kinds if kind and ACCELERATORS[kind].cuda_arch < 7)
    if old:
        found.append(f"few regions still have {' and '.join(old)}. A T4 or L4 costs less and does the same.")
    return found


def _gpu_memory(cluster: ClusterSpec, facts: Facts) -> tuple[list[tuple[str, str]], list[str]]:
    """Figure and warning about the memory of a trainer's GPU; empty without a GPU or for an unknown backbone."""
    roles = [cluster.roles[role] for role in ("chief", "worker") if role in cluster.roles]
    kinds = sorted({role.accelerator for role in roles if role.accelerator})
    images = facts.batch_size / (1 if cluster.strategy == "estimator" else replicas(cluster))
    needed = feature_maps.gib(facts.extractor, facts.width, facts.pixels, images) if facts.pixels else None
    if not kinds or needed is None:
        return [], []
    there = min(ACCELERATORS[kind].memory_gib for kind in kinds)
    figure = (
        "GPU memory",
        f"{needed:.1f} of {there} GiB for feature maps of {images:g} images; training needs more than that",
    )
    if needed < there:
        return [figure], []
    return [figure], [
        f"the feature maps alone need {needed:.1f} GiB of a GPU, but {' and '.join(kinds)} has {there}. Lower "
        f"train_config.batch_size to well below {int(facts.batch_size * there / needed)}, or use smaller images."
    ]


def _config_warnings(cluster: ClusterSpec, facts: Facts) -> list[str]:
    found = []
    trainers, count = cluster.trainers, replicas(cluster)
    if facts.shards is not None and facts.shards < trainers:
        what = (
            "those without a shard would wait forever"
            if cluster.strategy != "estimator"
            else "they would read the same files at the same time"
        )
        found.append(f"there are only {facts.shards} shards of training records for {trainers} trainers; {what}. "
                     f"Write at least {trainers}: make_records --shards={4 * trainers}.")  # fmt: skip
    if cluster.strategy != "estimator" and facts.batch_size % count:
        found.append(f"train_config.batch_size is {facts.batch_size}, which {count} replicas cannot share evenly. "
                     f"Set it to {max(1, round(facts.batch_size / count)) * count}.")  # fmt: skip
    late = staleness(cluster)
    if late >= _STALE_UPDATES:
        found.append(
            f"the {trainers} workers are asynchronous. A gradient is {late} updates old on average when it is applied. "
            "This often lowers the accuracy, above all on small data sets. Divide the learning rate by up to "
            f"{trainers}, use fewer workers, or set strategy: multi_worker_mirrored."
        )
    if (needed := _host_gib(cluster, facts)) and (short := _short_of(cluster, needed)):
        found.append(f"the {facts.batches_ahead} batches that are read ahead need {needed:.1f} GiB, more than half of "
                     f"the memory of {' and '.join(short)}. Lower batch_size or num_prefetch_batches.")  # fmt: skip
    return found


def _host_gib(cluster: ClusterSpec, facts: Facts) -> float:
    """Main memory of a trainer for the batches that are read ahead: float32 images with three colours."""
    if facts.pixels is None:
        return 0.0
    height, width = facts.pixels
    local = facts.batch_size if cluster.strategy == "estimator" else facts.batch_size / max(1, cluster.trainers)
    return facts.batches_ahead * local * height * width * 3 * 4 / 2**30


def _short_of(cluster: ClusterSpec, needed_gib: float) -> list[str]:
    trainers = [role for role in ("chief", "worker") if role in cluster.roles]
    return [role for role in trainers if needed_gib > cluster.roles[role].memory_gib / 2]
