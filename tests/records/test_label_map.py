"""Label maps are written as the engine reads them, and read more strictly than the engine does."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from record_builders import label_map
from record_builders.label_map import LabelMap
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


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", None, "is empty"),
        ("# nothing", None, "is empty"),
        ("item {\n name: 'a'\n id: 1\n}\nitem {\n name: 'b'\n id: 1\n}", 5, "id 1 of class 'b' is also that of 'a'"),
        ("item { name: 'a' id: 1 }\nitem { name: 'a' id: 2 }", 2, "the name 'a' was given before, in line 1"),
        ("item { name: 'a' id: 1 }\nitem { name: 'b' display_name: 'a' id: 2 }", 2, "the name 'a' was given before"),
        ("\nitem { name: 'a' id: 0 }", 2, "class 'a' has id 0, expected 1 or more"),
        ("item { name: 'a' }", 1, "class 'a' has id 0"),
        ("item { name: 'a' id: -3 }", 1, "class 'a' has id -3"),
        ("item { id: 1 }", 1, "the item with id 1 has no name"),
        ("item {\n id: 1\n name: 'a'\n name: 'b'\n}", 4, 'should not have multiple "name" fields'),
        ("item { id: 1 name: 'a' }\nitem { nam: 'b' }", 2, 'no field named "nam"'),
        ("a\nb\nc", 1, "not a label map"),
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
