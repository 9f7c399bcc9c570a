"""Inputs that are large, or say that they are: boxes, classes, masks, records, checkpoints, workers."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Iterator
from functools import partial
from typing import Any

from campaigns.attack.case import Case, Result
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples, coco, png, record, voc_xml

_MAKE = ("make_records", "--annotations=given", "--output=out", "--val_fraction=0")
_MOST_PROCESSES = 260


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """Each of them for each command that reads it."""
    yield from _boxes(draw)
    yield from _masks(draw)
    yield from _label_maps(draw, samples)
    yield from _records(draw, samples)
    yield from _checkpoints(draw, samples)
    for workers in (0, -1, 1, 200, 2000, 60_000, 10**9, 10**30):
        for more in ((), ("--verify=decode",), ("--shards=7",)):
            argv = ["make_records", "--annotations=voc", "--output=out", f"--workers={workers}", *more]
            yield Case(about=f"{workers} workers", argv=argv, prepare=partial(_copy, samples=samples))
    for workers in (150, 60_000):
        argv = ["make_records", "--annotations=many", "--output=out", f"--workers={workers}", "--shards=400"]
        yield Case(about=f"{workers} workers for 400 shards", argv=argv, prepare=_many, judge=_few_processes)


def _copy(place: Place, samples: Samples) -> None:
    place.copy(samples.voc, "voc")
    place.copy(samples.records, "records")
    place.copy(samples.config, "sample.config")


def _many(place: Place) -> None:
    for number in range(500):
        place.write(f"many/{number}.png", png(8, 8, number))
        place.write(f"many/{number}.xml", voc_xml(f"{number}.png", "cat"))


def _few_processes(result: Result) -> str | None:
    """Each takes memory of its own; the machine of the user has not as many CPUs."""
    return f"{result.first.processes} processes at once" if result.first.processes > _MOST_PROCESSES else None


def _boxes(draw: random.Random) -> Iterator[Case]:
    """Twenty thousand boxes, of known classes and of unknown ones, in one file or in as many."""
    for count in (2000, 20_000):
        for about, names in (
            ("of one class", ["cat"] * count),
            ("of as many classes", [f"k{i}" for i in range(count)]),
            ("of long names", ["x" * 500 + str(i) for i in range(count // 10)]),
        ):
            for more in (
                (),
                ("--classes=cat",),
                ("--label_map=map.pbtxt",),
                ("--label_map=map.pbtxt", "--on_problem=skip"),
            ):
                prepare = partial(_voc, names=names)
                yield Case(about=f"{len(names)} boxes {about}", argv=[*_MAKE, *more], prepare=prepare)
    for kind, make in (("coco", _coco_boxes), ("csv", _csv_boxes), ("yolo", _yolo_boxes)):
        for more in ((), ("--on_problem=skip",)):
            yield Case(about=f"20000 boxes of unknown classes in {kind}", argv=[*_MAKE, *more], prepare=make)


def _voc(place: Place, names: list[str]) -> None:
    place.write("given/a.png", png(60, 40))
    place.write("given/a.xml", voc_xml("a.png", *names))
    place.write("map.pbtxt", 'item { id: 1 name: "dog" }\n')


def _coco_boxes(place: Place) -> None:
    document: dict[str, Any] = coco("a.png")
    document["annotations"] = [{"image_id": 1, "category_id": i, "bbox": [1, 2, 9, 9]} for i in range(20_000)]
    place.write("given/a.png", png(60, 40))
    place.write("given/a.json", json.dumps(document))


def _csv_boxes(place: Place) -> None:
    rows = "".join(f"a{i}.png,60,40,k{i},1,2,9,9\n" for i in range(20_000))
    place.write("given/a.png", png(60, 40))
    place.write("given/a.csv", "filename,width,height,class,xmin,ymin,xmax,ymax\n" + rows)


def _yolo_boxes(place: Place) -> None:
    place.write("given/a.png", png(60, 40))
    place.write("given/obj.names", "cat\n")
    place.write("given/a.txt", "".join(f"{i} 0.5 0.5 0.2 0.2\n" for i in range(20_000)))


def _masks(draw: random.Random) -> Iterator[Case]:
    """Run lengths and polygons of huge numbers, and sizes that are not the picture's."""
    huge = 10 ** draw.randrange(9, 16)
    segmentations: dict[str, Any] = {
        "huge runs": {"counts": [0, huge], "size": [40, 60]},
        "runs of a huge size": {"counts": [0, 2400], "size": [huge, huge]},
        "negative runs": {"counts": [10, -huge, huge], "size": [40, 60]},
        "a million runs": {"counts": [1] * 1_000_000, "size": [40, 60]},
        "runs as numbers that are none": {"counts": [1e308, "x", None], "size": [40, 60]},
        "compressed garbage": {"counts": "o" * 3000, "size": [40, 60]},
        "compressed and endless": {"counts": "~" * 200_000, "size": [40, 60]},
        "compressed, not ASCII": {"counts": "\u0660\x1b\0é" * 30, "size": [40, 60]},
        "a polygon of huge numbers": [[1, 2, huge, huge, 1e300, 5]],
        "a polygon of 300000 points": [[i % 60 for i in range(600_000)]],
        "a polygon that is infinite": [[float("inf"), 1, 2, float("nan"), 3, 4]],
        "nested polygons": [[[[[1, 2, 3, 4, 5, 6]]]]],
    }
    for about, segmentation in segmentations.items():
        for more in ((), ("--on_problem=skip",)):
            prepare = partial(_coco_mask, segmentation=segmentation)
            yield Case(about=f"a mask: {about}", argv=[*_MAKE, "--masks", *more], prepare=prepare)
    for size in ((60, 40), (50_000, 50_000), (2**31 - 1, 2**31 - 1)):
        yield Case(
            about=f"a picture of {size} with a mask", argv=[*_MAKE, "--masks"], prepare=partial(_coco_size, size=size)
        )
    for about, content in (
        ("lies", png(60, 40, said=(50_000, 50_000))),
        ("is cut", png(60, 40)[:50]),
        ("is empty", b""),
        ("is small", png(6, 4)),
    ):
        yield Case(
            about=f"the picture of a VOC mask {about}",
            argv=[*_MAKE, "--masks"],
            prepare=partial(_voc_mask, content=content),
        )


def _coco_mask(place: Place, segmentation: object) -> None:
    document: dict[str, Any] = coco("a.png")
    document["annotations"][0]["segmentation"] = segmentation
    place.write("given/a.png", png(60, 40))
    place.write("given/a.json", json.dumps(document))


def _coco_size(place: Place, size: tuple[int, int]) -> None:
    document: dict[str, Any] = coco("a.png")
    document["images"][0] |= {"width": size[0], "height": size[1]}
    document["annotations"][0] |= {"segmentation": [[1, 2, 30, 2, 30, 35]]}
    place.write("given/a.png", png(60, 40, said=size))
    place.write("given/a.json", json.dumps(document))


def _voc_mask(place: Place, content: bytes) -> None:
    place.write("given/JPEGImages/a.png", png(60, 40))
    place.write(
        "given/Annotations/a.xml", voc_xml("a.png", "cat").replace("<object>", "<segmented>1</segmented><object>")
    )
    place.write("given/SegmentationObject/a.png", content)


def _label_maps(draw: random.Random, samples: Samples) -> Iterator[Case]:
    texts = {
        "20000 items": "".join(f'item {{ id: {i} name: "k{i}" }}\n' for i in range(1, 20_001)),
        "20000 items of one id": "".join(f'item {{ id: 1 name: "k{i}" }}\n' for i in range(20_000)),
        "20000 items of one name": "".join(f'item {{ id: {i} name: "k" }}\n' for i in range(1, 20_001)),
        "20000 unknown fields": "".join(f'item {{ id: {i} nam: "k" }}\n' for i in range(1, 20_001)),
        "a name of 3 MB": f'item {{ id: 1 name: "{"x" * 3_000_000}" }}\n',
        "an id of 400 digits": f'item {{ id: {"9" * 400} name: "a" }}\n',
        "a negative id": 'item { id: -5 name: "a" }\n',
        "20000 lines": "".join(f"k{i}\n" for i in range(20_000)),
    }
    for about, text in texts.items():
        for argv in (
            ["make_label_map", "--from=map.pbtxt", "--output=out.pbtxt"],
            ["make_records", "--annotations=voc", "--output=out", "--label_map=map.pbtxt"],
            ["inspect_records", "--records=records", "--label_map=map.pbtxt"],
            ["make_label_map", "--from=map.pbtxt", "--json"],
        ):
            yield Case(
                about=f"a label map: {about}", argv=argv, prepare=partial(_label_map, samples=samples, text=text)
            )


def _label_map(place: Place, samples: Samples, text: str) -> None:
    _copy(place, samples)
    place.write("map.pbtxt", text)


def _records(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """Files of records that are mostly holes, or say that a record is huge."""

    def length(size: int) -> bytes:
        head = record(b"x" * 8)
        return struct.pack("<Q", size) + head[8:]

    contents: dict[str, tuple[int, bytes]] = {
        "6 GB of zeros": (6 << 30, b""),
        "a record, then 6 GB of zeros": (6 << 30, record(b"")),
        "a record of 5 GB": (6 << 30, _claiming(5 << 30)),
        "a record of 2**63 bytes": (1000, _claiming(2**63)),
        "a record of 2**64 - 1 bytes": (1000, _claiming(2**64 - 1)),
        "a record of 3 GB in a short file": (0, _claiming(3 << 30)),
        "100000 empty records": (0, record(b"") * 100_000),
        "a length without its checksum": (0, length(8)),
    }
    for about, (size, head) in contents.items():
        for argv in (
            ["inspect_records", "--records=given"],
            ["inspect_records", "--records=given/train.record-00000-of-00001", "--extract=0", "--output=out"],
            ["check_config", "--config=sample.config", "--records=records"],
            ["fit_anchors", "--config=sample.config", "--records=records"],
            ["make_config", "--template=ssd_mobilenet_v2_300x300", "--records=records", "--output=out.config"],
        ):
            prepare = partial(_sparse, samples=samples, size=size, head=head)
            yield Case(about=f"a record file: {about}", argv=argv, prepare=prepare)


def _claiming(size: int) -> bytes:
    """The head of a record that says how long it is, with its checksum right."""
    import google_crc32c

    head = struct.pack("<Q", size)
    crc = google_crc32c.value(head)
    return head + struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF)


def _sparse(place: Place, samples: Samples, size: int, head: bytes) -> None:
    _copy(place, samples)
    place.sparse("given/train.record-00000-of-00001", max(size, len(head)), head)
    place.sparse("records/train.record-00000-of-00002", max(size, len(head)), head)


def _checkpoints(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """Indexes of checkpoints of garbage, from nothing to hundreds of kB, with and without the right end."""
    end = bytes.fromhex("57fb808b247547db")
    for size in (0, 1, 48, 100, 5000, 200_000, 700_000):
        for about, content in (
            ("random bytes", draw.randbytes(size)),
            ("random bytes with the right end", draw.randbytes(size) + end),
            ("small numbers with the right end", bytes(draw.choices(range(5), k=size)) + end),
            ("high bits with the right end", b"\xff" * size + end),
            ("zeros", b"\0" * size + end),
        ):
            argv = ["check_config", "--config=sample.config", "--checkpoint=model/ckpt-1"]
            prepare = partial(_checkpoint, samples=samples, content=content)
            yield Case(about=f"a checkpoint's index: {size} {about}", argv=argv, prepare=prepare)
    for content in (
        b"",
        b"\0",
        b'model_checkpoint_path: "' + b"x" * 100_000 + b'"',
        b"model_checkpoint_path: 1",
        draw.randbytes(300),
    ):
        for argv in (
            ["evaluate", "--model_dir=model", "--dry_run"],
            ["export", "--model_dir=model", "--output=out", "--dry_run"],
        ):
            yield Case(
                about=f"the file `checkpoint`: {content[:20]!r}",
                argv=argv,
                prepare=partial(_latest, samples=samples, content=content),
            )


def _checkpoint(place: Place, samples: Samples, content: bytes) -> None:
    _copy(place, samples)
    place.write("model/ckpt-1.index", content)
    place.write("model/ckpt-1.data-00000-of-00001", b"")


def _latest(place: Place, samples: Samples, content: bytes) -> None:
    _checkpoint(place, samples, b"\0" * 60)
    place.copy(samples.config, "model/pipeline.config")
    place.write("model/checkpoint", content)
