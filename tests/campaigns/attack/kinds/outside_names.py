"""Names that lead out of the folders that a command was given, and XML that names other files."""

from __future__ import annotations

import json
import os
import random
import re
from collections.abc import Iterator
from functools import partial

from campaigns.attack.case import Case, Result
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples, coco, png, voc_xml

_SECRET = "outside-content-4711"
_FILE_URL = "file" + "://"


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """Image sets, names of pictures in each format, data.yaml, entities, an output inside the input."""
    outside = (
        "../../../outside/{:04}",
        "/outside/{:04}",
        "../others/secret",
        "..\\..\\outside\\{:04}",
        "~/{:04}",
        "a/../../../{:04}",
    )
    for name in outside:
        name = name.format(draw.randrange(1, 9999))
        for line in (name, f"{name} 1", f"pet0\n{name}", f"{name}\0"):
            argv = [
                "make_records",
                "--annotations=voc/Annotations",
                "--images=voc/JPEGImages",
                "--image_sets=train",
                "--output=out",
            ]
            yield _case(f"image set has {line!r}", argv, partial(_image_set, line=line))
        for sets in (name, f"train,{name}"):
            argv = [
                "make_records",
                "--annotations=voc/Annotations",
                "--images=voc/JPEGImages",
                f"--image_sets={sets}",
                "--output=out",
            ]
            yield _case(f"image set is called {sets!r}", argv, partial(_image_set, line="pet0"))
        for kind in ("voc", "coco", "yolo", "csv", "labelme", "open_images"):
            argv = ["make_records", "--annotations=given", "--images=given", "--output=out", f"--format={kind}"]
            yield _case(f"{kind} names {name!r}", argv, partial(_named, kind=kind, name=name))
    for about, head, value in _entities():
        argv = ["make_records", "--annotations=given", "--output=out", "--on_problem=skip", "--val_fraction=0"]
        yield _case(about, argv, partial(_entity, head=head, value=value))
    yield from _nested(samples)
    for name in (*outside, "../others", "."):
        argv = ["make_config", f"--template={name.format(1)}", "--records=given", "--output=out.config"]
        yield _case(f"a template called {name!r}", argv, partial(_named, kind="voc", name="a.png"))
        yield _case(
            f"a back-end called {name!r}", ["submit", "plan", f"--backend={name.format(1)}", "--job=job.yaml"], _job
        )
        yield _case(f"a code called {name!r}", ["check_config", f"--explain={name.format(1)}"], _job)


def _case(about: str, argv: list[str], prepare: object) -> Case:
    return Case(about=about, argv=argv, prepare=prepare, judge=_nothing_from_outside)  # type: ignore[arg-type]


def _nothing_from_outside(result: Result) -> str | None:
    """No file has what stands outside, nor has a name been cut at an entity."""
    for ended in result.ended:
        if _SECRET.encode() in ended.out + ended.err:
            return "what stands in a file outside is on the screen"
    for path in (result.place.work / "out").rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            if _SECRET.encode() in content:
                return f"what stands in a file outside is in {path.name}"
            if path.name == "label_map.pbtxt" and re.search(rb"name: ['\"](cat|catdog)['\"]", content):
                return "'cat&s;dog', or what is like it, has become another class"
    return None


def _outside(place: Place) -> None:
    place.write(place.others / "secret.txt", f"{_SECRET}\n")
    place.write(place.others / "secret.xml", voc_xml("secret.png", _SECRET))
    place.write(place.others / "secret.png", png(9, 9) + _SECRET.encode())


def _image_set(place: Place, line: str) -> None:
    _outside(place)
    place.write("voc/ImageSets/Main/train.txt", line + "\n")
    place.write("voc/Annotations/pet0.xml", voc_xml("pet0.png", "bird"))
    place.write("voc/JPEGImages/pet0.png", png(60, 40))


def _named(place: Place, kind: str, name: str) -> None:
    _outside(place)
    place.write("given/a.png", png(60, 40))
    if kind == "voc":
        place.write(
            "given/a.xml", voc_xml(f"{name}.png", "bird").replace("<annotation>", f"<annotation><path>{name}</path>")
        )
    elif kind == "coco":
        place.write("given/a.json", json.dumps(coco(f"{name}.png", "bird")))
    elif kind == "yolo":
        place.write("given/data.yaml", f"path: {name}\ntrain: {name}\nval: {name}\nnames: [bird]\n")
        place.write("given/a.txt", "0 0.5 0.5 0.2 0.2\n")
    elif kind == "csv":
        place.write(
            "given/a.csv", f"filename,width,height,class,xmin,ymin,xmax,ymax\n{name}.png,60,40,bird,1,2,30,35\n"
        )
    elif kind == "labelme":
        shape = {"label": "bird", "shape_type": "rectangle", "points": [[1, 2], [30, 35]]}
        place.write("given/a.json", json.dumps({"imagePath": f"{name}.png", "shapes": [shape], "imageData": None}))
    else:
        head = "ImageID,Source,LabelName,Confidence,XMin,XMax,YMin,YMax"
        place.write("given/train-a.csv", f"{head}\n{name},xclick,/m/cat,1,0.1,0.3,0.1,0.5\n")


def _entities() -> Iterator[tuple[str, str, str]]:
    """What is said, the head of the document, and the name of its object."""
    external = "<!DOCTYPE annotation [<!ENTITY s SYSTEM '{}'>]>"
    inside = "<!DOCTYPE annotation [<!ENTITY s '{}'>]>"
    for target in (
        "../others/secret.txt",
        "{}/others/secret.txt",
        _FILE_URL + "{}/others/secret.txt",
        "http://localhost:9/x",
    ):
        for value in ("cat&s;dog", "&s;"):
            yield f"external entity {target}", external.format(target), value
    yield "entity", inside.format("bird"), "cat&s;dog"
    yield "entity that is not declared", "", "cat&s;dog"
    yield (
        "entity of a parameter",
        "<!DOCTYPE annotation [<!ENTITY % p SYSTEM '../others/secret.txt'> %p;]>",
        "cat&s;dog",
    )
    yield "entity in the DTD", "<!DOCTYPE annotation SYSTEM '../others/secret.txt'>", "cat&s;dog"
    bomb = "<!ENTITY a0 '" + "ha" * 50 + "'>" + "".join(f"<!ENTITY a{i} '{f'&a{i - 1};' * 10}'>" for i in range(1, 9))
    yield "bomb of entities", f"<!DOCTYPE annotation [{bomb}]>", "cat&a8;dog"
    yield "CDATA in a name", "", "cat<![CDATA[&s;]]>dog"
    yield "element in a name", "", "cat<b/>dog"


def _entity(place: Place, head: str, value: str) -> None:
    _outside(place)
    place.write("given/a.png", png(60, 40))
    place.write("given/a.xml", head.replace("{}", str(place.root)) + voc_xml("a.png", value))
    place.write("given/b.png", png(60, 40, 1))
    place.write("given/b.xml", voc_xml("b.png", "bird"))


def _nested(samples: Samples) -> Iterator[Case]:
    """The output inside the input, and the same again."""
    for output in ("voc/out", "voc/a/b", "voc/.hidden", "./voc/../voc/out2"):
        for more in ((), ("--on_problem=fix",), ("--format=voc",)):
            argv = ["make_records", "--annotations=voc", f"--output={output}", *more]
            for again in (False, True):
                yield Case(
                    about=f"the output is inside the annotations{', twice' if again else ''}",
                    argv=argv,
                    prepare=partial(_voc, samples=samples, again=output if again else ""),
                    judge=partial(_twelve, output=output),
                    may_add=("voc/out", "voc/out2", "voc/a", "voc", "voc/a/b", "voc/.hidden"),
                    may_change=tuple(os.path.normpath(f"{output}/{path.name}") for path in samples.records.iterdir()),
                )


def _twelve(result: Result, output: str) -> str | None:
    """The records of the first run are no annotations of the second."""
    written = result.written(f"{output}/manifest.json")
    if result.first.status or not written:
        return None
    annotated = json.loads(written.read_bytes())["images"]["annotated"]
    return None if annotated == 12 else f"{annotated} images are annotated, not 12"


def _voc(place: Place, samples: Samples, again: str) -> None:
    place.copy(samples.voc, "voc")
    if again:
        place.copy(samples.records, os.path.normpath(again))


def _job(place: Place) -> None:
    place.write("job.yaml", "name: a\n")
