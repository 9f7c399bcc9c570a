"""YAML and JSON that grow when they are read, or are nested deeper than a reader can go."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from functools import partial

from campaigns.attack.case import Case
from campaigns.attack.place import Place
from campaigns.attack.samples import Samples, png

_COMMANDS = {
    "job": ["submit", "plan", "--backend=vertex", "--job=given"],
    "bundle": ["submit", "bundle", "--job=given", "--output=out"],
    "prices": ["submit", "plan", "--backend=vertex", "--job=sample.yaml", "--prices=given"],
    "legacy": ["submit", "import-legacy", "--from=given"],
    "patch": ["make_config", "--from=sample.config", "--patch=given", "--output=out.config"],
    "data.yaml": ["make_records", "--annotations=yolo", "--output=out"],
}
_JSON = {
    "annotations": ["make_records", "--annotations=yolo", "--output=out", "--val_fraction=0"],
    "manifest": ["make_config", "--template=ssd_mobilenet_v2_300x300", "--records=records", "--output=out.config"],
    "over a manifest": ["make_records", "--annotations=voc", "--output=records"],
}


def cases(draw: random.Random, samples: Samples) -> Iterator[Case]:
    """Each bomb for each reader of YAML, then of JSON, then of protos as text."""
    for name, argv in _COMMANDS.items():
        for about, make in _bombs(draw, name).items():
            prepare = partial(_prepare, samples=samples, make=make, names=("given", "yolo/data.yaml"))
            yield Case(about=f"{name}: {about}", argv=argv, prepare=prepare)
    for name, argv in _JSON.items():
        for depth in (900, 1500, 20_000, 100_000, 1_000_000):
            for opening, closing in (("[", "]"), ('{"a":', "}")):
                make = partial(_nested, opening=opening, closing=closing, depth=depth)
                names = (
                    ("yolo/a.json", "records/manifest.json") if name == "annotations" else ("records/manifest.json",)
                )
                prepare = partial(_prepare, samples=samples, make=make, names=names)
                yield Case(
                    about=f"{name}: {depth} of {opening}",
                    argv=argv,
                    prepare=prepare,
                    may_change=("records/manifest.json",),
                )
    texts = ("model {{ ssd {{ {} }} }}", "item {{ {} }}", "{}")
    for depth in (50, 200, 5000, 200_000):
        for text in texts:
            make = partial(_text, text=text, depth=depth)
            prepare = partial(_prepare, samples=samples, make=make, names=("given",))
            for argv in (
                ["check_config", "--config=given"],
                ["make_label_map", "--from=given"],
                ["make_config", "--from=given", "--output=out.c"],
            ):
                yield Case(about=f"text proto nested {depth} deep", argv=argv, prepare=prepare)


def _bombs(draw: random.Random, name: str) -> dict[str, Callable[[], str]]:
    wide, deep = draw.randrange(8, 11), draw.randrange(8, 12)
    keys = {"job": "name", "patch": "set", "prices": "cpus", "legacy": "trainingInput", "data.yaml": "names"}
    key = keys.get(name, "name")
    return {
        f"aliases of lists, {deep} deep": partial(_aliases, key=key, wide=wide, deep=deep, opening="[", closing="]"),
        f"aliases of lists, {deep + 20} deep": partial(
            _aliases, key=key, wide=wide, deep=deep + 20, opening="[", closing="]"
        ),
        "aliases of maps": partial(_map_aliases, key=key, wide=wide, deep=deep),
        "an alias of itself": lambda: f"{key}: &a [*a, *a]\n",
        "a map that holds itself": lambda: f"&a\n{key}: *a\n",
        "lists 1200 deep": lambda: f"{key}: " + "[" * 1200 + "]" * 1200,
        "lists 100000 deep": lambda: f"{key}: " + "[" * 100_000,
        "blocks 5000 deep": lambda: "".join(f"{' ' * i}a:\n" for i in range(5000)),
        "dashes": lambda: f"{key}:\n  " + "- " * 20_000,
        "a long word": lambda: f"{key}: " + "x" * 5_000_000,
        "40000 keys": lambda: "".join(f"k{i}: v\n" for i in range(40_000)),
        "a merge of itself": lambda: f"{key}: &a\n  <<: *a\n  b: c\n",
        "200 merges": lambda: "".join(
            f"a{i}: &a{i} {{<<: [{', '.join(f'*a{j}' for j in range(max(0, i - 9), i))}], k{i}: 1}}\n"
            for i in range(1, 200)
        ),
    }


def _aliases(key: str, wide: int, deep: int, opening: str, closing: str) -> str:
    lines = ["a0: &a0 [x, x, x]"]
    lines += [f"a{i}: &a{i} {opening}{', '.join([f'*a{i - 1}'] * wide)}{closing}" for i in range(1, deep)]
    return "\n".join([*lines, f"{key}: *a{deep - 1}", ""])


def _map_aliases(key: str, wide: int, deep: int) -> str:
    lines = ["a0: &a0 {x: y}"]
    lines += [f"a{i}: &a{i} {{{', '.join(f'k{j}: *a{i - 1}' for j in range(wide))}}}" for i in range(1, deep)]
    return "\n".join([*lines, f"{key}: *a{deep - 1}", ""])


def _nested(opening: str, closing: str, depth: int) -> str:
    return '{"images": ' + opening * depth + "1" + closing * depth + ', "annotations": [], "categories": []}'


def _text(text: str, depth: int) -> str:
    return text.format("a { " * depth + "} " * depth) + json.dumps(depth)


def _prepare(place: Place, samples: Samples, make: Callable[[], str], names: tuple[str, ...]) -> None:
    place.copy(samples.records, "records")
    place.copy(samples.voc, "voc")
    place.copy(samples.config, "sample.config")
    place.copy(samples.jobs["estimator"], "sample.yaml")
    place.write("yolo/a.png", png(60, 40))
    if "yolo/data.yaml" in names:
        place.write("yolo/a.txt", "0 0.5 0.5 0.2 0.2\n")
    for name in names:
        place.write(name, make())
