"""Carries out a plan: writes the records, one shard at a time in each process, then label map and manifest."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import partial

from google import protobuf

import tfod_tools
from record_builders import workers
from record_builders.annotations import AnnotatedImage
from record_builders.images import conversion
from record_builders.output import beam, manifest, staging
from record_builders.output.manifest import Manifest
from record_builders.output.staging import Staging
from record_builders.planning.plan import Plan
from record_builders.planning.stored_images import StoredImages
from record_builders.records import example, tfrecord
from tfod_tools.base.errors import ImageError, RecordError

# While we wait for one file, a slow disk can already read others.
_FILES_AHEAD = 8


def write(
    planned: Plan,
    on_progress: workers.Advance,
    processes: int | None = None,
    beam_options: str | None = None,
) -> Manifest:
    """Writes records, label map and, last, the manifest. Removes files that only an earlier run wrote.

    No file gets its final name before all files are written. If an earlier run was stopped or killed, its finished
    shards are used again, provided that the images and their annotations are still the same. Each process has one image
    in memory at a time. The number of processes does not change the files.

    Args:
      planned: what to write.
      on_progress: called with the number of images done since the last call.
      processes: number of processes that write; by default one for few images, else one for each CPU.
      beam_options: if given, the workers of an Apache Beam pipeline with these options write; see `beam.write`.

    Raises:
      ImageError: an image cannot be read any more.
      RecordError: the output folder cannot be written, or a process was killed.
      Interrupted: the user stopped it.
    """
    output, classes = planned.request.output, planned.label_map.ids_by_name()
    shards = {spec.name: images for split in planned.splits for spec, images in split.files()}
    if processes is None:
        processes = workers.for_images(len(planned.outlines), sum(image.size_bytes for image in planned.outlines))
    try:
        with staging.opened(output, planned.request.target, shards) as staged:
            write_shard = partial(_write_shard, staged, classes, _makers())
            with workers.stoppable("Stopped. Finished shards are kept. Run the same command again to continue."):
                if beam_options is None:
                    tasks = [partial(write_shard, name, images) for name, images in shards.items()]
                    written = workers.run(tasks, processes, on_progress)
                else:
                    written = beam.write(staged, shards, write_shard, beam_options)
                    on_progress(len(planned.outlines))
            result = manifest.build(planned, dict(zip(shards, written, strict=True)))
            staged.publish(planned.label_map_text, result)
        if planned.request.remote:
            output.rmdir()
    except OSError as exc:
        raise RecordError(f"cannot write the records: {exc.strerror}.", path=output) from exc
    return result


def _makers() -> str:
    """The versions of everything that can change the bytes of a record."""
    import PIL

    return f"{tfod_tools.__version__} {PIL.__version__} {protobuf.__version__}"


def _write_shard(
    staged: Staging,
    classes: Mapping[str, int],
    made_by: str,
    name: str,
    images: StoredImages,
    on_progress: workers.Advance,
) -> tfrecord.WrittenFile:
    left = len(images)

    def advance(count: int) -> None:
        nonlocal left
        left -= count
        on_progress(count)

    written = staged.shard(name, _fingerprint(images, classes, made_by), _records(images, classes, advance))
    if left:  # An earlier run had finished the shard.
        on_progress(left)
    return written


def _fingerprint(images: StoredImages, classes: Mapping[str, int], made_by: str) -> str:
    """A hash of everything that decides the bytes of a shard; of files, size and modification time count."""
    digest = hashlib.sha256(f"{made_by} {sorted(classes.items())}".encode("utf-8", "surrogateescape"))
    for packed in images.packed():
        digest.update(packed)
    return digest.hexdigest()


def _records(
    images: Sequence[AnnotatedImage], classes: Mapping[str, int], on_progress: workers.Advance
) -> Iterator[bytes]:
    for image, content in _contents(images):
        yield example.serialize(image, conversion.convert(content, image.header), classes)
        on_progress(1)


def _contents(images: Iterable[AnnotatedImage]) -> Iterator[tuple[AnnotatedImage, bytes]]:
    """Each image with the content of its file, while the system already reads the next files."""
    ahead: deque[tuple[AnnotatedImage, int]] = deque()
    try:
        for image in images:
            ahead.append((image, _opened(image)))
            if len(ahead) > _FILES_AHEAD:
                yield _content(*ahead.popleft())
        while ahead:
            yield _content(*ahead.popleft())
    finally:
        for _, descriptor in ahead:
            os.close(descriptor)


def _opened(image: AnnotatedImage) -> int:
    try:
        descriptor = os.open(image.image_path, os.O_RDONLY)
    except OSError as exc:
        raise _unreadable(image, exc) from exc
    if hasattr(os, "posix_fadvise"):
        with contextlib.suppress(OSError):  # Some files, such as pipes, do not support it.
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)
    return descriptor


def _content(image: AnnotatedImage, descriptor: int) -> tuple[AnnotatedImage, bytes]:
    """The image and the content of its file, which must be unchanged since planning. Closes the file."""
    try:
        stat = os.fstat(descriptor)
        content = os.read(descriptor, stat.st_size)
    except OSError as exc:
        raise _unreadable(image, exc) from exc
    finally:
        os.close(descriptor)
    if (len(content), stat.st_mtime_ns) != (image.header.size_bytes, image.header.modified_ns):
        raise ImageError(
            "the image changed while the command was running. Run the command again.", path=image.image_path
        )
    return image, content


def _unreadable(image: AnnotatedImage, error: OSError) -> ImageError:
    return ImageError(f"cannot read the image: {error.strerror}.", path=image.image_path)
