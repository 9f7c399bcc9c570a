"""Only manifests of records are taken for such."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from record_builders.output import manifest
from tfod_tools.base.errors import RecordError

KEYS = sorted(manifest.Manifest.__required_keys__)


def written(path: Path, **entries: object) -> Path:
    """A file with all keys of a manifest, and these entries."""
    path.write_text(json.dumps(dict.fromkeys(KEYS) | {"format_version": 1} | entries))
    return path


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the manifest is not JSON"),
        ("[]", "format_version is None, and not 1"),
        ('{"format_version": 2}', "format_version is 2, and not 1"),
        ('{"format_version": 1}', "not a manifest of records"),
    ],
)
def test_other_files(tmp_path: Path, text: str, message: str) -> None:
    """Empty, of another program, of another version."""
    (tmp_path / "manifest.json").write_text(text)
    with pytest.raises(RecordError) as caught:
        manifest.record_files(manifest.read(tmp_path / "manifest.json"), tmp_path)
    assert message in str(caught.value)


def test_missing(tmp_path: Path) -> None:
    """A RecordError, not an OSError."""
    with pytest.raises(RecordError, match=r"has no manifest\.json\. Run make_records first\."):
        manifest.read(tmp_path / "manifest.json")


@pytest.mark.parametrize("path", ["../../precious", "/etc/passwd", "notes.txt", 3])
def test_only_record_files_are_listed(tmp_path: Path, path: object) -> None:
    """What is listed may be removed by the next run."""
    entries = {"splits": {"train": {"shards": [{"path": path}]}}}
    with pytest.raises(RecordError, match="a value in the manifest is wrong"):
        manifest.record_files(manifest.read(written(tmp_path / "manifest.json", **entries)), tmp_path)


def test_record_files(tmp_path: Path) -> None:
    """Of all splits."""
    names = ["train.record-00000-of-00001", "val.record-00000-of-00001"]
    splits = {name.split(".")[0]: {"shards": [{"path": name}]} for name in names}
    assert manifest.record_files(manifest.read(written(tmp_path / "manifest.json", splits=splits)), tmp_path) == names


def test_json_is_sorted_and_ends_with_a_newline() -> None:
    """So that equal content gives equal bytes."""
    assert manifest.to_json({"b": 1, "a": 2}) == b'{\n  "a": 2,\n  "b": 1\n}\n'  # type: ignore[typeddict-item]
