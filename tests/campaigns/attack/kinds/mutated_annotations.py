"""Annotations, pictures and label maps of every format, spoilt at random, for make_records."""

from __future__ import annotations

import random
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from campaigns.attack.case import Case
from campaigns.attack.mutation import spoilt
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples

_EACH = 40
_MORE = (
    *((), (), ("--on_problem=skip",), ("--on_problem=fix",), ("--masks",), ("--verify=decode", "--on_problem=skip")),
    *(("--dry_run",), ("--missing_images=out.txt",), ("--group_by=^(.)",), ("--drop=difficult",), ("--workers=2",)),
)


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """Forty for each format: one file of it spoilt, or two."""
    for name, folder in samples.formats.items():
        files = sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
        for _ in range(_EACH):
            annotations = [file for file in files if file.parts[0] == "annotations"]
            chosen = draw.choices(annotations, k=2) if draw.random() < 0.8 else [draw.choice(files)]
            changed = {file: spoilt((folder / file).read_bytes(), draw) for file in chosen}
            about = ", ".join(f"{file.name}: {what}" for file, (what, _) in changed.items())
            named = draw.choice((f"--format={name}", "--format=auto"))
            yield Case(
                about=about,
                argv=[
                    *("make_records", "--annotations=given/annotations", "--images=given/images", "--output=out"),
                    *(named, *draw.choice(_MORE)),
                ],
                prepare=partial(_prepare, folder=folder, changed={file: data for file, (_, data) in changed.items()}),
            )
    for _ in range(_EACH):
        what, content = spoilt(b'item { id: 1 name: "cat" }\nitem {\n  id: 2\n  name: "dog"\n}\n', draw)
        argv = draw.choice(
            (
                ["make_label_map", "--from=map.pbtxt", "--output=out.pbtxt"],
                ["make_records", "--annotations=given", "--output=out", "--label_map=map.pbtxt", "--on_problem=skip"],
                ["make_label_map", "--from=map.pbtxt,map.pbtxt", "--json"],
            )
        )
        yield Case(about=f"label map: {what}", argv=argv, prepare=partial(_label_map, voc=samples.voc, content=content))


def _prepare(place: Place, folder: Path, changed: dict[Path, bytes]) -> None:
    place.copy(folder, "given")
    for file, content in changed.items():
        place.write(Path("given") / file, content)


def _label_map(place: Place, voc: Path, content: bytes) -> None:
    place.copy(voc, "given")
    place.write("map.pbtxt", content)
