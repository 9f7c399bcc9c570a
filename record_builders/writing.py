"""From a plan to files: the records, shard by shard in several processes, then label map and manifest."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

from record_builders import example, manifest, tfrecord, workers
from record_builders.annotations import AnnotatedImage
from record_builders.plan import LABEL_MAP, MANIFEST, Plan
from tfod_tools.base import files
from tfod_tools.base.errors import ImageError, RecordError

# One process writes some thousands of images a second; to start others takes some hundredths of one.
_IMAGES_FOR_ONE_PROCESS = 500


def write(planned: Plan, on_progress: workers.Advance, processes: int | None = None) -> manifest.Manifest:
    """Writes records, label map and, last, the manifest; then removes what only an earlier run had written.

    Nothing appears under its final name before all of it is written. Each process holds one image at a time, and the
    files do not depend on their number.

    Args:
      planned: what to write.
      on_progress: told the number of images done since it was last told.
      processes: how many write; by default one for few images, else as many as there are CPUs.

    Raises:
      ImageError: an image can no longer be read.
      RecordError: the output folder cannot be written to, or a process was killed.
      Interrupted: the user stopped it.
    """
    output = planned.request.output
    shard_files = [(spec.name, images) for split in planned.splits for spec, images in split.files()]
    names = [*(name for name, _ in shard_files), LABEL_MAP, MANIFEST]
    ids = planned.label_map.ids_by_name()
    if processes is None:
        processes = 1 if len(planned.images) <= _IMAGES_FOR_ONE_PROCESS else workers.cpus()
    try:
        with (
            workers.stoppable("Stopped; nothing was written."),
            files.publishing([output / name for name in names]) as partials,
        ):
            paths = zip(shard_files, partials, strict=False)
            tasks = [partial(_write_shard, path, images, ids) for (_, images), path in paths]
            written = workers.run(tasks, processes, on_progress)
            result = manifest.build(planned, dict(zip(names, written, strict=False)))
            partials[-2].write_bytes(planned.label_map_text.encode())
            partials[-1].write_bytes(manifest.to_json(result))
        for name in planned.superseded:
            (output / name).unlink(missing_ok=True)
    except OSError as exc:
        raise RecordError(f"cannot write the records: {exc.strerror}.", path=output) from exc
    return result


def _write_shard(
    path: Path, images: Sequence[AnnotatedImage], ids: Mapping[str, int], on_progress: workers.Advance
) -> tfrecord.WrittenFile:
    return tfrecord.write(path, _records(images, ids, on_progress))


def _records(images: Sequence[AnnotatedImage], ids: Mapping[str, int], on_progress: workers.Advance) -> Iterator[bytes]:
    for image in images:
        try:
            encoded = image.image_path.read_bytes()
        except OSError as exc:
            raise ImageError(f"cannot read the image: {exc.strerror}.", path=image.image_path) from exc
        yield example.serialize(image, encoded, ids)
        on_progress(1)
