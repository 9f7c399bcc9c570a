"""From a plan to files: the records, shard by shard in several processes, then label map and manifest."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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

# A disk that answers late has some to do meanwhile.
_FILES_AHEAD = 8


def write(
    planned: Plan,
    on_progress: workers.Advance,
    processes: int | None = None,
    beam_options: str | None = None,
    when_idle: Callable[[], object] = lambda: None,
) -> Manifest:
    """Writes records, label map and, last, the manifest; then removes what only an earlier run had written.

    Nothing appears under its final name before all of it is written. A run that was stopped or killed is taken up where
    it was, as far as the images and what is written of them are still the same. Each process holds one image at a time,
    and the files do not depend on their number.

    Args:
      planned: what to write.
      on_progress: told the number of images done since it was last told.
      processes: how many write; by default one for few images, else as many as there are CPUs.
      beam_options: the workers of an Apache Beam pipeline with these options write instead; see `beam.write`.
      when_idle: see `workers.run`.

    Raises:
      ImageError: an image can no longer be read.
      RecordError: the output folder cannot be written to, or a process was killed.
      Interrupted: the user stopped it.
    """
    output, classes = planned.request.output, planned.label_map.ids_by_name()
    shards = {spec.name: images for split in planned.splits for spec, images in split.files()}
    if processes is None:
        processes = workers.for_images(len(planned.outlines), sum(image.size_bytes for image in planned.outlines))
    try:
        with staging.opened(output, planned.request.target, shards) as staged:
            write_shard = partial(_write_shard, staged, classes, _makers())
            with workers.stoppable("Stopped. Shards that were finished are kept: run it again to go on."):
                if beam_options is None:
                    tasks = [partial(write_shard, name, images) for name, images in shards.items()]
                    written = workers.run(tasks, processes, on_progress, when_idle)
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
    """The versions of all that has a part in the bytes of a record."""
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
    if left:  # It was finished before.
        on_progress(left)
    return written


def _fingerprint(images: StoredImages, classes: Mapping[str, int], made_by: str) -> str:
    """A hash of all that determines a shard's bytes; of files their sizes and times of change stand for the content."""
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
    """Each image and what its file holds, while the system reads the files of the next ones ahead."""
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
        with contextlib.suppress(OSError):  # Not all that can be opened takes advice.
            os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_WILLNEED)
    return descriptor


def _content(image: AnnotatedImage, descriptor: int) -> tuple[AnnotatedImage, bytes]:
    """The image and its file, which must be the one that was planned with. Closes it."""
    try:
        stat = os.fstat(descriptor)
        content = os.read(descriptor, stat.st_size)
    except OSError as exc:
        raise _unreadable(image, exc) from exc
    finally:
        os.close(descriptor)
    if (len(content), stat.st_mtime_ns) != (image.header.size_bytes, image.header.modified_ns):
        raise ImageError("the image was changed in the meantime. Run it again.", path=image.image_path)
    return image, content


def _unreadable(image: AnnotatedImage, error: OSError) -> ImageError:
    return ImageError(f"cannot read the image: {error.strerror}.", path=image.image_path)
