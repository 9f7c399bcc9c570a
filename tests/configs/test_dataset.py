"""A folder of records is read from its manifest, or one line says what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipeline_configs.dataset import Dataset, Split
from tfod_tools.base.errors import RecordError


def manifest() -> dict[str, Any]:
    return {
        "format_version": 1,
        "label_map": {"path": "label_map.pbtxt", "classes": [{"id": 1, "name": "cat"}, {"id": 3, "name": "dog"}]},
        "splits": {
            "train": {
                "pattern": "train.record-?????-of-00004",
                "images": 90,
                "boxes": 200,
                "most_boxes_on_an_image": 7,
            },
            "val": {
                "pattern": "val.record-?????-of-00001",
                "images": 10,
                "boxes": 20,
                "most_boxes_on_an_image": 5,
                "classes": {"cat": 12, "dog": 8, "cow": 0},
            },
        },
    }


def read(folder: Path, content: object) -> Dataset:
    (folder / "manifest.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return Dataset.read(folder)


def test_a_whole_manifest(tmp_path: Path) -> None:
    assert read(tmp_path, manifest()) == Dataset(
        label_map_path=f"{tmp_path}/label_map.pbtxt",
        num_classes=3,
        train=Split(pattern=f"{tmp_path}/train.record-?????-of-00004", images=90, most_boxes=7),
        val=Split(pattern=f"{tmp_path}/val.record-?????-of-00001", images=10, most_boxes=5, boxes=(12, 8)),
        class_names=("cat", "dog"),
    )


def test_the_size_of_the_shards(tmp_path: Path) -> None:
    content = manifest()
    content["splits"]["train"]["shards"] = [{"path": "a", "bytes": 5}, {"path": "b", "bytes": 7}]
    train = read(tmp_path, content).train
    assert (train.shards, train.bytes) == (2, 12)


def test_without_a_val_split(tmp_path: Path) -> None:
    content = manifest()
    del content["splits"]["val"]
    assert read(tmp_path, content).val is None


def test_a_manifest_from_before_the_most_boxes_were_counted(tmp_path: Path) -> None:
    assert read(tmp_path, without("splits", "train", "most_boxes_on_an_image")).train.most_boxes == 0


def test_paths_are_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read(tmp_path, manifest())
    monkeypatch.chdir(tmp_path.parent)
    assert Dataset.read(Path(tmp_path.name)).label_map_path == f"{tmp_path}/label_map.pbtxt"


def without(*keys: str) -> dict[str, Any]:
    content = manifest()
    holder = content
    for key in keys[:-1]:
        holder = holder[key]
    del holder[keys[-1]]
    return content


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ('{"format_version": 1,', "is not JSON"),
        ("[]", "format_version is None, and not 1"),
        ({**manifest(), "format_version": 2}, "format_version is 2, and not 1"),
        (without("splits"), "has no entry 'splits'"),
        (without("splits", "train"), "has no entry 'train'"),
        (without("splits", "train", "pattern"), "has no entry 'pattern'"),
        ({**manifest(), "splits": []}, "a value in the manifest is wrong"),
        ({**manifest(), "label_map": {"path": "x", "classes": []}}, "there is no class in the label map"),
        ({**manifest(), "splits": {"train": {"pattern": "x", "images": 0}}}, "there is no image in the train split"),
    ],
)
def test_broken_manifests(tmp_path: Path, content: object, expected: str) -> None:
    with pytest.raises(RecordError) as caught:
        read(tmp_path, content)
    assert expected in str(caught.value)
    assert str(caught.value).startswith(str(tmp_path))


def test_a_folder_without_manifest(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="Run make_records first"):
        Dataset.read(tmp_path)


def test_a_manifest_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").mkdir()
    with pytest.raises(RecordError, match="cannot be read"):
        Dataset.read(tmp_path)


def test_a_missing_folder(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="no such folder"):
        Dataset.read(tmp_path / "records")
