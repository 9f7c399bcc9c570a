"""Writes shards with the workers of an Apache Beam pipeline, on any runner.

The workers need the images and the output folder under the same paths as here. They find their work in the staging
folder, and write into it.

    .make_records/train.record-00000-of-00004.images   the images of a shard, packed
    .make_records/train.record-00000-of-00004.error    why it could not be written
"""

from __future__ import annotations

import pickle
import shlex
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from record_builders.output.staging import Staging
from record_builders.planning import stored_images
from record_builders.planning.stored_images import Store, StoredImages
from record_builders.records import tfrecord
from record_builders.records.tfrecord import WrittenFile
from record_builders.workers import Advance
from tfod_tools.base.errors import MissingPackageError, RecordError, TfodError, UsageError

_IMAGES, _ERROR = ".images", ".error"

Write = Callable[[str, StoredImages, Advance], WrittenFile]


def write(staged: Staging, shards: Mapping[str, StoredImages], write_shard: Write, options: str) -> list[WrittenFile]:
    """Writes shards. Each shard is one element of the pipeline.

    Args:
      staged: the staging folder.
      shards: the images of each shard, by name.
      write_shard: a function that can be pickled.
      options: of the pipeline, as on a command line.

    Raises:
      TfodError: the first error of `write_shard`. OSError in the same way.
      Interrupted: the user stopped it.
      RecordError: the pipeline failed.
      UsageError: an option cannot be used.
      MissingPackageError: Beam is not installed.
    """
    beam, pipeline = _pipeline(options)
    for name, images in shards.items():
        tfrecord.write(staged.path(name + _IMAGES), images.packed())
    names = pipeline | "Shards" >> beam.Create(list(shards))
    _ = names | "Write" >> beam.Map(partial(_write, staged, write_shard))
    try:
        pipeline.run().wait_until_finish()
    except TfodError:
        raise
    except Exception as exc:  # Each runner has its own errors.
        reason = str(exc).strip().rpartition("\n")[2]
        raise RecordError(f"the Beam pipeline failed: {reason}", path=staged.output) from exc
    return [_written(staged, name) for name in shards]


def _pipeline(options: str) -> tuple[Any, Any]:
    try:
        import apache_beam as beam
        from apache_beam.options.pipeline_options import PipelineOptions
    except ImportError as exc:
        raise MissingPackageError("apache-beam", "beam") from exc
    try:
        return beam, beam.Pipeline(options=PipelineOptions(shlex.split(options)))
    except (ValueError, SystemExit) as exc:
        raise UsageError(f"--beam_options={options} cannot be used: {exc}. Correct the options.") from exc


def _write(staged: Staging, write_shard: Write, name: str) -> None:
    """The work of one worker. It saves an error in a file, because a runner would return it as a page of text."""
    try:
        store = Store()
        images = map(stored_images.unpack, tfrecord.read(staged.path(name + _IMAGES)))
        outlines = [next(store.add((outline,), packed)) for outline, packed in map(stored_images.outlined, images)]
        write_shard(name, StoredImages(outlines, store), lambda count: None)
    except (TfodError, OSError) as error:
        staged.path(name + _ERROR).write_bytes(pickle.dumps(error))


def _written(staged: Staging, name: str) -> WrittenFile:
    error = staged.path(name + _ERROR)
    if error.exists():
        raise pickle.loads(error.read_bytes())
    if (found := staged.vouched(name)) is None:
        message = f"the Beam pipeline ended, but {name} is missing. Its workers need the same paths as this machine."
        raise RecordError(message, path=staged.output)
    return found
