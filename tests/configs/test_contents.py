"""What the rules know of records: objects in arrays, and problems with the place of the first."""

from __future__ import annotations

from pathlib import Path

import pytest
from configs import case_records

from pipeline_configs.anchors.objects import Objects
from pipeline_configs.dataset import Dataset, Split
from record_builders.records import tfrecord
from tfod_tools.base.errors import RecordError


def test_objects_of_two_files(tmp_path: Path) -> None:
    case_records.write(
        tmp_path / "a",
        [
            {"boxes": [[0.1, 0.2, 0.5, 0.9], [0, 0, 1, 1]], "labels": ["dog", "cat"]},
            {"boxes": []},
        ],
    )
    weighted = {"image/object/weight": [0.5, 0.0], "image/source_id": ["last"]}
    case_records.write(tmp_path / "b", [{"boxes": [[0, 0, 0.5, 0.5], [0.5, 0.5, 1, 1]], "features": weighted}])
    found = case_records.read([tmp_path / "a", tmp_path / "b"])
    assert len(found.objects) == 4
    assert not found.problems
    objects = Objects.of(found.objects)
    assert objects.corners.tolist()[0] == pytest.approx([0.2, 0.1, 0.9, 0.5])
    assert objects.image.tolist() == [0, 0, 2, 2]
    assert [objects.names[label] for label in objects.label] == ["dog", "cat", "cat", "cat"]
    assert objects.weight.tolist() == [1, 1, 0.5, 0]
    assert objects.sizes.tolist() == [[48, 64]] * 3
    assert objects.images == ("image-0", "image-1", "last")
    assert objects.sides().tolist()[2] == [24, 32]


def test_boxes_that_cannot_be_learnt_are_no_objects(tmp_path: Path) -> None:
    boxes = [[0.5, 0.2, 0.1, 0.9], [float("nan"), 0, 1, 1], [0.3, 0.3, 0.3, 0.9], [0, 0, 1, 1]]
    case_records.write(
        tmp_path / "a", [{"boxes": boxes}, {"image": {"format": "GIF"}, "features": {"image/width": [0]}}]
    )
    found = case_records.read([tmp_path / "a"])
    assert len(found.objects) == 1
    assert {code for code, _ in found.problems} == {"DAT06", "DAT08", "DAT09", "DAT12"}


def test_a_problem_says_where_it_was_first(tmp_path: Path) -> None:
    case_records.write(tmp_path / "a", [{}, {"boxes": [[0, 0, 30, 40]]}, {"boxes": [[0, 0, 50, 60]]}])
    problem = case_records.read([tmp_path / "a"]).problems["DAT07", "pixels"]
    assert problem.count == 2
    assert (problem.path, problem.record) == (tmp_path / "a", 1)
    assert problem.fact.problem.endswith(": xmin 0, ymin 0, xmax 30, ymax 40.")


def test_classes_by_number(tmp_path: Path) -> None:
    case_records.write(tmp_path / "a", [{"labels": [], "features": {"image/object/class/label": [7]}}] * 2)
    found = case_records.read([tmp_path / "a"])
    assert {label: use.boxes for label, use in found.labels().items()} == {(None, 7): 2}
    assert Objects.of(found.objects).names == ("#7",)


def test_something_else_than_a_record(tmp_path: Path) -> None:
    tfrecord.write(tmp_path / "a", [b"\xff\xff"])
    found = case_records.read([tmp_path / "a"])
    assert {code for code, _ in found.problems} == {"DAT22"}
    with pytest.raises(RecordError, match=r"a, record 0: .* not a tf.train.Example"):
        found.require_readable()


def test_each_split_has_its_own(tmp_path: Path) -> None:
    case_records.write(tmp_path / "train-0", [{}] * 2)
    case_records.write(tmp_path / "train-1", [{}])
    train = Split(pattern=str(tmp_path / "train-?"), images=3, most_boxes=1)
    dataset = Dataset(label_map_path="", num_classes=1, train=train, val=None)
    read = dataset.with_contents(case_records.read)
    assert read.val is None
    assert read.train.contents is not None
    assert len(read.train.contents.objects) == 3
    missing = Dataset(
        label_map_path="", num_classes=1, train=train, val=Split(pattern=str(tmp_path / "val"), images=1, most_boxes=1)
    ).with_contents(case_records.read)
    assert missing.val is not None
    assert missing.val.contents is not None
    assert len(missing.val.contents.objects) == 0
