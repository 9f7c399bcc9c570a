"""Label maps are written as the engine reads them, and read more strictly than the engine does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from record_builders import label_map
from record_builders.label_map import LabelMap
from record_builders.sources import label_maps as label_map_sources
from tfod_tools.base.errors import LabelMapError


def test_generated_map() -> None:
    """Distinct names in alphabetical order, numbered from 1."""
    found = LabelMap.of(["dog", "cat", "dog"])
    assert found.ids_by_name() == {"cat": 1, "dog": 2}
    assert found.to_pbtxt() == 'item {\n  name: "cat"\n  id: 1\n}\nitem {\n  name: "dog"\n  id: 2\n}\n'


@given(st.sets(st.text(st.characters(codec="utf-8"), min_size=1), min_size=1))
def test_parse_is_the_inverse_of_to_pbtxt(names: set[str]) -> None:
    """Whatever characters the names have."""
    expected = LabelMap.of(names)
    assert label_map.parse(expected.to_pbtxt()) == expected


def test_given_map_keeps_its_numbers_and_display_names(tmp_path: Path) -> None:
    """Also gaps, comments, other fields and CRLF, and the text stays as it is."""
    path = tmp_path / "coco.pbtxt"
    text = (
        "# item\r\nitem { name: '/m/01' id: 7 display_name: 'person' }\r\nitem < name: 'item' id: 3 instance_count: 2 >"
    )
    path.write_bytes(text.encode())
    found, kept = label_map.read(path)
    assert found == LabelMap(names=("/m/01", "item"), ids=(7, 3), display_names=("person", ""))
    assert found.names_by_label() == {"person": "/m/01", "/m/01": "/m/01", "item": "item"}
    assert kept == text


def test_what_the_engine_accepts() -> None:
    """A background of number 0 is no class; a display name of two classes stands for neither."""
    text = "item { name: 'background' id: 0 }\nitem { name: '/m/1' id: 3 display_name: 'Mouse' }\n"
    found = label_map.parse(text + "item { name: '/m/2' id: 4 display_name: 'Mouse' }")
    assert found == LabelMap(names=("/m/1", "/m/2"), ids=(3, 4), display_names=("Mouse", "Mouse"))
    assert found.names_by_label() == {"/m/1": "/m/1", "/m/2": "/m/2"}


def test_merged() -> None:
    """Numbers stay; what is new follows on the largest; a class is the same by its name or its display name."""
    one = LabelMap(names=("/m/1", "dog"), ids=(7, 3), display_names=("cat", ""))
    other = LabelMap(names=("ant", "cat", "dog", "/m/9"), ids=(1, 2, 3, 4), display_names=("", "", "hound", "bee"))
    assert one.merged(other) == LabelMap(
        names=("/m/1", "dog", "ant", "/m/9"), ids=(7, 3, 8, 9), display_names=("cat", "", "", "bee")
    )


SOURCES = {
    "classes.txt": ("cat\nbig dog\n", {"cat": 1, "big dog": 2}),
    "obj.names": ("cat\r\ndog\r\n\r\n", {"cat": 1, "dog": 2}),
    "data.yaml": ("nc: 2\nnames: ['cat', 'dog']\n", {"cat": 1, "dog": 2}),
    "coco.yml": ("names:\n  1: dog\n  0: cat\n", {"cat": 1, "dog": 2}),
    "class-descriptions.csv": ('/m/1,Cat\n/m/2,"Dog, big"\n', {"/m/1": 1, "/m/2": 2}),
    "map.pbtxt": ("item { name: 'cat' id: 5 }", {"cat": 5}),
}


@pytest.mark.parametrize("name", SOURCES)
def test_sources(tmp_path: Path, name: str) -> None:
    """Whatever says which classes there are."""
    text, expected = SOURCES[name]
    (tmp_path / name).write_text(text)
    assert label_map_sources.read(tmp_path / name).ids_by_name() == expected


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.txt", "", "a.txt: lists no class name, expected one a line. Add them."),
        ("a.txt", "cat\n\ndog\n", "a.txt:2: a line without a name, expected a class. Remove the line."),
        ("a.names", "cat\ncat\n", "a.names:2: the name 'cat' is given twice. Give each class its own."),
        ("a.yaml", "names: [", "a.yaml:1: not readable as YAML. Repair the file."),
        ("a.yaml", "names: 3", "a.yaml: 'names' is no list of classes numbered from 0. Correct it."),
        ("a.yaml", "names: {1: cat}", "a.yaml: 'names' is no list of classes numbered from 0. Correct it."),
        ("a.csv", "a,b,c", "a.csv: is not a label map (.pbtxt) and not a list of names (.txt, .names, .yaml, .csv)."),
    ],
)
def test_bad_sources(tmp_path: Path, name: str, text: str, message: str) -> None:
    (tmp_path / name).write_text(text)
    with pytest.raises(LabelMapError) as caught:
        label_map_sources.read(tmp_path / name)
    assert str(caught.value).startswith(f"{tmp_path}/{message}")


def test_wild_label_maps(shared_data: Path) -> None:
    """As the engine: all but one of id 0, and one that is the configuration of another program."""
    refused = {}
    for path in sorted((shared_data / "wild_configs" / "label_map").iterdir()):
        try:
            found = label_map.read(path)[0]
            assert list(found.ids) == [int(number) for number in re.findall(r"\bid:\s*([1-9]\d*)", path.read_text())]
        except LabelMapError as error:
            refused[path.name] = error.message
    assert len(refused) == 2
    assert list(refused.values()) == [
        "not a label map: it has 'name', but a label map has only items, such as item { id: 1 name: 'cat' }. "
        "Is this the configuration of another program?",
        "class 'businesscard' has id 0, but ids start at 1; 0 is the background. Number the classes from 1.",
    ]


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "is empty"),
        ("# nothing", None, "is empty"),
        (
            "item {\n name: 'a'\n id: 1\n}\nitem {\n name: 'b'\n id: 1\n}",
            5,
            "classes 'a' and 'b' both have id 1. Give each class its own id.",
        ),
        (
            "item { name: 'a' id: 1 }\nitem { name: 'a' id: 2 }",
            2,
            "the name 'a' is used in line 1 already. Give each class its own name.",
        ),
        (
            "item { name: 'a' id: 1 }\nitem { name: 'b' display_name: 'a' id: 2 }",
            2,
            "the name 'a' is used in line 1 already",
        ),
        ("\nitem { name: 'a' id: 0 }", 2, "class 'a' has id 0, but ids start at 1; 0 is the background."),
        ("item { name: 'a' }", 1, "class 'a' has id 0"),
        ("item { name: 'a' id: -3 }", 1, "class 'a' has id -3"),
        ("item { id: 1 }", 1, "the item with id 1 has no name"),
        ("item {\n id: 1\n name: 'a'\n name: 'b'\n}", 4, 'should not have multiple "name" fields'),
        ("item { id: 1 name: 'a' }\nitem { nam: 'b' }", 2, 'no field named "nam"'),
        ("a\nb\nc", 1, "not a label map"),
        ("\nbackend: 'onnx'", 2, "not a label map: it has 'backend', but a label map has only items"),
        ("item { name: 'background' id: 0 }", None, "no class but the background"),
    ],
)
def test_faults_are_named_with_their_line(text: str, line: int | None, message: str) -> None:
    """What the engine would take silently, or refuse without saying where."""
    with pytest.raises(LabelMapError) as caught:
        label_map.parse(text, Path("map.pbtxt"))
    assert message in str(caught.value)
    assert caught.value.line == line


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """Missing, and not text."""
    with pytest.raises(LabelMapError, match="No such file"):
        label_map.read(tmp_path / "none.pbtxt")
    (tmp_path / "latin.pbtxt").write_bytes(b"item { name: '\xe9' id: 1 }")
    with pytest.raises(LabelMapError, match="not UTF-8"):
        label_map.read(tmp_path / "latin.pbtxt")
