"""What is packed comes back the same, with the same bytes, and little of it stays in memory."""

from __future__ import annotations

import resource
import signal
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from record_builders.annotations import AnnotatedImage, Box, ImageLabel, Keypoint, ObjectAnnotation
from record_builders.images.image_header import Conversion, ImageHeader
from record_builders.images.masks import IndexImage, Polygons, RunLengths, Turned
from record_builders.planning import stored_images
from record_builders.planning.stored_images import Outline, Store, StoredImages
from tfod_tools.base.errors import RecordError

NUMBERS = st.floats(allow_nan=False) | st.integers(-(2**70), 2**70)
# Names of files that are not UTF-8 have surrogates.
NAMES = st.text(st.characters(), min_size=1, max_size=9)
BOXES = st.builds(Box, xmin=NUMBERS, ymin=NUMBERS, xmax=NUMBERS, ymax=NUMBERS)
PLAIN_MASKS = (
    st.builds(Polygons, rings=st.lists(st.lists(NUMBERS).map(tuple)).map(tuple))
    | st.builds(RunLengths, counts=st.text() | st.lists(st.integers()).map(tuple), width=st.just(3), height=st.just(4))
    | st.builds(IndexImage, path=NAMES, number=st.integers(), modified_ns=st.integers())
)
MASKS = PLAIN_MASKS | st.builds(Turned, mask=PLAIN_MASKS, orientation=st.just(6), width=st.just(3), height=st.just(4))
KEYPOINTS = st.builds(Keypoint, name=NAMES, x=NUMBERS, y=NUMBERS, visibility=st.integers(0, 2))
OBJECTS = st.builds(
    ObjectAnnotation,
    label=NAMES, box=BOXES, difficult=st.booleans(), clipped=st.booleans(), area=st.none() | NUMBERS, weight=NUMBERS,
    mask=st.none() | MASKS, keypoints=st.lists(KEYPOINTS, max_size=3).map(tuple), line=st.none() | st.integers(),
)  # fmt: skip
HEADERS = st.builds(
    ImageHeader,
    width=st.integers(1), height=st.integers(1), format=NAMES, size_bytes=st.integers(0), modified_ns=st.integers(),
    conversion=st.none() | st.builds(Conversion, kind=NAMES, orientation=st.integers(1, 8)),
)  # fmt: skip
IMAGES = st.builds(
    AnnotatedImage,
    image_id=NAMES, image_path=NAMES, image_name=NAMES, header=HEADERS,
    objects=st.lists(OBJECTS, max_size=3).map(tuple), source=NAMES, line=st.none() | st.integers(),
    labels=st.lists(st.builds(ImageLabel, label=NAMES, present=st.booleans()), max_size=3).map(tuple),
    notes=st.lists(NAMES, max_size=2).map(tuple),
)  # fmt: skip


@given(IMAGES)
def test_all_comes_back(image: AnnotatedImage) -> None:
    """Also what equality passes over."""
    packed = stored_images.pack(image)
    assert repr(stored_images.unpack(packed)) == repr(image)
    assert stored_images.pack(stored_images.unpack(packed)) == packed


def image_of(number: int, objects: int = 3) -> AnnotatedImage:
    box = Box(xmin=1.0, ymin=2.0, xmax=30.0, ymax=40.0)
    marked = (
        ObjectAnnotation(label=f"class{n}", box=box, clipped=n == 0, weight=float(n != 1)) for n in range(objects)
    )
    return AnnotatedImage(
        image_id=f"image{number:06d}",
        image_path=f"/data/images/image{number:06d}.jpg",
        image_name=f"images/image{number:06d}.jpg",
        header=ImageHeader(width=100, height=50, format="jpeg", size_bytes=70_000 + number, sample=number << 20),
        objects=tuple(marked),
        source=f"/data/annotations/image{number:06d}.xml",
        notes=("seen",),
    )


def test_a_sequence() -> None:
    """Slices too; equal lists of classes are one."""
    store, images = Store(), [image_of(number) for number in range(5)]
    outlines, packed = zip(*map(stored_images.outlined, images), strict=True)
    stored = StoredImages(
        [*store.add(outlines[:2], b"".join(packed[:2])), *store.add(outlines[2:], b"".join(packed[2:]))], store
    )
    assert (list(stored), len(stored), stored[-1], list(stored[1:3])) == (images, 5, images[-1], images[1:3])
    first, second, *_ = stored.outlines
    assert first[:8] == ("image000000", ("class0", "class1", "class2"), 70_000, 0, 1, 1, "", ("seen",))
    assert first.labels is second.labels
    assert first.notes is second.notes


def test_equal_images_have_equal_bytes() -> None:
    """Whether or not their strings are the same object in memory."""
    image = image_of(1)
    name = image.objects[0].label
    same, other = (image._replace(image_id=text) for text in (name, "".join(name)))
    assert stored_images.pack(same) == stored_images.pack(other)


def test_what_stays_in_memory() -> None:
    """Less than half a kilobyte of each image, however many objects it has."""
    store, count = Store(), 500
    images = [image_of(number, objects=20) for number in range(count)]
    tracemalloc.start()
    try:
        outlines: list[Outline] = []
        for outline, packed in map(stored_images.outlined, images):
            outlines += store.add((outline,), packed)
        images.clear()
        assert tracemalloc.get_traced_memory()[0] < 450 * count
    finally:
        tracemalloc.stop()
    assert len(StoredImages(outlines, store)[-1].objects) == 20


def test_a_full_disk() -> None:
    """Here a limit on the size of files, which the system enforces just so."""
    outline, packed = stored_images.outlined(image_of(1))
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    store = Store()
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(packed) + 5, before[1]))
        store.add((outline,), packed)
        with pytest.raises(
            RecordError, match=r"cannot store annotations in a temporary file: .*\. Set TMPDIR to a folder with more"
        ):
            store.add((outline,), packed)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
