"""The facts of a pipeline.config that matter for a cluster, and the paths in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from cloud import record_paths
from cloud.estimates.fit import Facts

if TYPE_CHECKING:
    from pipeline_configs.text.text_proto import Config

_RATES = ("learning_rate", "learning_rate_base", "initial_learning_rate")


def of(pipeline: Config, steps: int, matching: Callable[[str], list[Path] | None]) -> Facts:
    """The facts of a config.

    Args:
      pipeline: the config.
      steps: the last step of the training.
      matching: finds the files of a pattern; None if the pattern is remote.
    """
    train = pipeline.train_config
    model = next((value for _, value in pipeline.model.ListFields()), None)
    extractor = getattr(model, "feature_extractor", None)
    return Facts(
        steps=steps,
        batch_size=train.batch_size,
        learning_rate=_highest_rate(train.optimizer),
        shards=_shards(_records(pipeline.train_input_reader), matching),
        pixels=_pixels(model.image_resizer) if model else None,
        batches_ahead=pipeline.train_input_reader.num_prefetch_batches,
        extractor=extractor.type if extractor else "",
        width=getattr(extractor, "depth_multiplier", 1.0),
    )


def paths(pipeline: Config) -> list[str]:
    """The paths of all records and label maps that the config reads."""
    readers = (pipeline.train_input_reader, *pipeline.eval_input_reader)
    return [path for reader in readers for path in (*_records(reader), reader.label_map_path) if path]


def move_records(pipeline: Config, folder: str) -> None:
    """Changes the paths of records and label maps in the config to `folder`, where the job sees them."""
    here = paths(pipeline)
    there = dict(zip(here, record_paths.moved(here, folder), strict=True))
    for reader in (pipeline.train_input_reader, *pipeline.eval_input_reader):
        reader.tf_record_input_reader.input_path[:] = [there[path] for path in _records(reader)]
        if reader.label_map_path:
            reader.label_map_path = there[reader.label_map_path]


def _pixels(resizer: Any) -> tuple[int, int] | None:
    """Height and width of every resized image; None if images have different sizes."""
    if resizer.HasField("fixed_shape_resizer"):
        return resizer.fixed_shape_resizer.height, resizer.fixed_shape_resizer.width
    keeping = resizer.keep_aspect_ratio_resizer
    return (keeping.max_dimension, keeping.max_dimension) if keeping.pad_to_max_dimension else None


def _highest_rate(optimizer: Any) -> float | None:
    kind = optimizer.WhichOneof("optimizer")
    rates = getattr(optimizer, kind).learning_rate if kind else None
    schedule = rates.WhichOneof("learning_rate") if rates else None
    if schedule is None:
        return None
    message = getattr(rates, schedule)
    return float(max(getattr(message, name) for name in _RATES if name in message.DESCRIPTOR.fields_by_name))


def _shards(patterns: Sequence[str], matching: Callable[[str], list[Path] | None]) -> int | None:
    """The number of files with records; None if it cannot be found from here."""
    counts = []
    for pattern in patterns:
        found = matching(pattern)
        counts.append(len(found) if found else record_paths.shards(pattern))
    return sum(count for count in counts if count) if counts and None not in counts else None


def _records(reader: Any) -> list[str]:
    return list(reader.tf_record_input_reader.input_path)
