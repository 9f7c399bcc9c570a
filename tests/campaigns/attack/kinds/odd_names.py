"""Names that no person gives: of files, classes, images; with escapes, undecodable bytes, NUL, line ends."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from functools import partial

from campaigns.attack.case import Case, Result
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples, coco, png, voc_xml

_NAMES = (
    *(
        "\x1b[31mred\x1b[0m",
        "\x1b]0;title\x07",
        "a\rb",
        "a\x08b",
        "\x9b31m",
        "\u202egnp.exe",
        "\udcff\udcfe",
        "\ud800",
        "a\nb",
    ),
    *(
        "-rf",
        "--help",
        "a b",
        " ",
        "'",
        '"',
        "$(touch out-of-shell)",
        "%s%n",
        "{0}",
        "\N{PILE OF POO}",
        "x" * 250,
        "a" * 5000,
    ),
    *(
        "con",
        "~",
        "*",
        "?",
        "[a]",
        "a:b",
        "a,b",
        "e\u0301",
        "\ufeffa",
        "\u2028",
        "\u0000",
        "</name>",
        "&#27;[31m",
        "\\x1b",
        "...",
    ),
)


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """As a flag's value, as a file's name, as a class, as an image id."""
    for name in _NAMES:
        for argv in draw.sample(list(_arguments(name)), 5):
            if not any("\0" in word or _cannot_be_an_argument(word) for word in argv):
                yield Case(
                    about=f"a path is {name[:30]!r}",
                    argv=argv,
                    prepare=partial(_prepare, samples=samples),
                    judge=_no_shell,
                    may_add=(".",) if "=out" not in " ".join(argv) else (),
                )
        yield from _classes(name, draw)
        if "/" not in name and "\0" not in name and not _cannot_be_an_argument(name):
            yield from _files(name, samples)


def _cannot_be_an_argument(word: str) -> bool:
    try:
        word.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return True
    return False


def _no_shell(result: Result) -> str | None:
    return (
        "a name was run by a shell" if any(path.rpartition("/")[2] == "out-of-shell" for path in result.new) else None
    )


def _arguments(name: str) -> Iterator[list[str]]:
    config = ["make_config", "--template=ssd_mobilenet_v2_300x300"]
    yield ["make_records", f"--annotations={name}", "--output=out"]
    yield ["make_records", "--annotations=voc", f"--output=out{name}"]
    yield ["make_records", "--annotations=voc", "--output=out", f"--classes={name}"]
    yield ["make_records", "--annotations=voc", "--output=out", f"--group_by={name}"]
    yield ["make_records", "--annotations=voc", "--output=out", f"--drop={name}"]
    yield ["make_records", "--annotations=voc", f"--output=memory://{name}", "--dry_run"]
    yield ["inspect_records", f"--records={name}"]
    yield ["check_config", f"--config={name}"]
    yield ["check_config", f"--explain={name}"]
    yield ["check_config", "--config=sample.config", f"--extension={name}"]
    yield [*config, "--records=records", f"--output=out{name}"]
    yield [*config, "--records=records", "--output=out.config", f"--set={name}"]
    yield [*config, "--records=records", "--output=out.config", f"--set=model.ssd.num_classes={name}"]
    yield [*config, "--records=records", "--output=out.config", f"--set=train_config.fine_tune_checkpoint={name}"]
    yield ["make_config", f"--template={name}"]
    yield ["make_label_map", f"--from={name}"]
    yield ["submit", "plan", "--job=job.yaml", f"--backend={name}"]
    yield ["submit", name]
    yield ["train", "--config=sample.config", f"--model_dir=out{name}", "--dry_run"]
    yield ["evaluate", f"--model_dir={name}"]
    yield ["export", f"--model_dir={name}", "--output=out"]
    yield ["predict", f"--model={name}", f"--images={name}", "--output=out"]
    yield ["engine", f"--install={name}", "--dry_run"]
    yield ["demo", f"--output=out{name}", f"--template={name}", "--dry_run"]
    yield ["check_config", f"--{name}"]


def _classes(name: str, draw: random.Random) -> Iterator[Case]:
    """A class and an image of that name, in COCO and in VOC; then what looks at the records."""
    more = draw.choice(((), ("--on_problem=skip",), ("--dry_run",)))
    document = json.dumps(coco("a.png", name))
    argv = ["make_records", "--annotations=given", "--output=out", "--val_fraction=0", *more]
    yield Case(
        about=f"a class of COCO is {name[:30]!r}", argv=argv, prepare=partial(_given, name="a.json", text=document)
    )
    document = json.dumps(coco(f"{name}.png"))
    yield Case(
        about=f"an image of COCO is {name[:30]!r}", argv=argv, prepare=partial(_given, name="a.json", text=document)
    )
    text = f'item {{ id: 1 name: "{name}" }}\nitem {{ id: 1 name: "x" }}\n'
    text = text.encode("utf-8", "replace").decode()
    yield Case(
        about=f"a label map has {name[:30]!r}",
        argv=["make_label_map", "--from=given/map.pbtxt"],
        prepare=partial(_given, name="map.pbtxt", text=text),
    )
    if not any(ord(letter) < 32 or 0xD800 <= ord(letter) < 0xE000 for letter in name):
        escaped = name.replace("&", "&amp;").replace("<", "&lt;")
        yield Case(
            about=f"a class of VOC is {name[:30]!r}",
            argv=argv,
            prepare=partial(_given, name="a.xml", text=voc_xml("a.png", escaped)),
        )


def _files(name: str, samples: Samples) -> Iterator[Case]:
    """Files of that name among the pictures and the annotations."""
    if len(name) > 240:
        return
    for command in (
        ["make_records", "--annotations=odd", "--output=out", "--on_problem=skip"],
        ["predict", "--model=model", "--images=odd", "--output=out", "--dry_run"],
        ["inspect_records", "--records=odd"],
        ["make_records", "--annotations=odd", "--output=out", "--on_problem=fix", "--val_fraction=0"],
    ):
        yield Case(
            about=f"a file is called {name[:30]!r}",
            argv=command,
            prepare=partial(_odd_file, samples=samples, name=name),
        )


def _odd_file(place: Place, samples: Samples, name: str) -> None:
    _prepare(place, samples)
    place.copy(samples.voc, "odd")
    place.write(f"odd/{name}.png", png(60, 40, 77))
    place.write(f"odd/{name}.xml", voc_xml("other.png", "cat"))
    place.write(f"odd/{name}2.xml", "<annotation>")
    place.write(f"odd/{name}.record-00000-of-00001", b"garbage")


def _given(place: Place, name: str, text: str) -> None:
    place.write("given/a.png", png(60, 40))
    place.write(f"given/{name}", text)


def _prepare(place: Place, samples: Samples) -> None:
    place.copy(samples.voc, "voc")
    place.copy(samples.records, "records")
    place.copy(samples.config, "sample.config")
    place.copy(samples.jobs["estimator"], "job.yaml")
    place.write("model/frozen_inference_graph.pb", b"")
    place.copy(samples.records / "label_map.pbtxt", "model/label_map.pbtxt")
