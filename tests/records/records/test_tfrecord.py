"""Records come back as they were written, and any damage is noticed and located."""

from __future__ import annotations

import tempfile
from pathlib import Path

import google_crc32c
import pytest
from hypothesis import given
from hypothesis import strategies as st

from record_builders.records import tfrecord
from tfod_tools.base.errors import RecordError

RECORDS = [b"first", b"", b"third" * 100]


def test_bytes_of_a_known_file(tmp_path: Path) -> None:
    """As tf.io.TFRecordWriter of TensorFlow 2.20 writes it."""
    tfrecord.write(tmp_path / "a", [b"abc"])
    assert (tmp_path / "a").read_bytes().hex() == "0300000000000000b099490e6162636e57f121"


@given(st.lists(st.binary(max_size=300), max_size=8))
def test_write_then_read(records: list[bytes]) -> None:
    """The same records, and a true account of the file."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.record"
        written = tfrecord.write(path, iter(records))
        data = path.read_bytes()
        assert list(tfrecord.read(path)) == records
        assert written.crc32c == tfrecord.crc32c(path) == f"{google_crc32c.value(data):08x}"
    assert written.records == len(records)
    assert written.size_bytes == len(data)


def test_every_changed_byte_is_noticed(tmp_path: Path) -> None:
    """With the file, the record and the offset of the record in the message."""
    path = tmp_path / "train.record-00000-of-00001"
    tfrecord.write(path, RECORDS)
    data = path.read_bytes()
    starts = [0, 16 + 5, 32 + 5]
    for position in range(len(data)):
        path.write_bytes(data[:position] + bytes([data[position] ^ 0x10]) + data[position + 1 :])
        number = max(index for index, start in enumerate(starts) if start <= position)
        with pytest.raises(RecordError) as caught:
            list(tfrecord.read(path))
        assert str(caught.value).startswith(f"{path}: the ")
        assert f"record {number} at byte {starts[number]} is damaged" in str(caught.value)


def test_every_cut_is_noticed(tmp_path: Path) -> None:
    """Except between two records, where the file is whole."""
    path = tmp_path / "a"
    tfrecord.write(path, RECORDS)
    data = path.read_bytes()
    for length in set(range(1, len(data))) - {21, 37}:
        path.write_bytes(data[:length])
        with pytest.raises(RecordError, match=r"ends inside record \d at byte \d+"):
            list(tfrecord.read(path))


def test_missing_file(tmp_path: Path) -> None:
    """A RecordError, not an OSError."""
    with pytest.raises(RecordError, match="No such file"):
        list(tfrecord.read(tmp_path / "none"))


def test_reads_what_others_wrote(shared_data: Path) -> None:
    """Records that TensorFlow wrote years ago."""
    paths = [path for path in shared_data.glob("**/*.tfrecord") if path.stat().st_size]
    assert paths
    assert all(sum(1 for _ in tfrecord.read(path)) for path in paths)
