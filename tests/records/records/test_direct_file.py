"""Files that go straight to the disk hold what was appended, and errors of the disk come through."""

from __future__ import annotations

import errno
import os
import random
import resource
from pathlib import Path

import psutil
import pytest

from record_builders.records import direct_file

PIECE = 1 << 20
DATA = random.Random(0).randbytes(3 * PIECE)


def write(path: Path, *parts: bytes) -> None:
    with direct_file.created(path) as append:
        for part in parts:
            append(part)


@pytest.mark.parametrize("size", [0, 1, 4095, 4096, 4097, PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE - 5])
@pytest.mark.parametrize("part", [1000, 75_001, PIECE, 3 * PIECE])
@pytest.mark.parametrize("folder", ["here", "in memory"])
def test_content(tmp_path: Path, size: int, part: int, folder: str) -> None:
    """Blocks and pieces, and what remains of them, on a disk and on a file system without one."""
    path = tmp_path / "file" if folder == "here" else Path("/dev/shm") / f"tfod-tools-{os.getpid()}"
    if not path.parent.is_dir():
        pytest.skip("this system has no /dev/shm")
    path.write_bytes(b"what was there before" * 1000)
    try:
        write(path, *(DATA[start : min(start + part, size)] for start in range(0, size, part)))
        assert path.read_bytes() == DATA[:size]
    finally:
        path.unlink()


@pytest.mark.skipif(not hasattr(os, "O_DIRECT"), reason="this system has no O_DIRECT")
def test_it_goes_past_the_cache(tmp_path: Path) -> None:
    try:
        os.close(os.open(tmp_path / "file", os.O_WRONLY | os.O_CREAT | os.O_DIRECT))
    except OSError:
        pytest.skip("this file system has no O_DIRECT")
    with direct_file.created(tmp_path / "file"):
        (file,) = (each for each in psutil.Process().open_files() if each.path == str(tmp_path / "file"))
        assert file.flags & os.O_DIRECT


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
@pytest.mark.parametrize("size", [10, 2 * PIECE])
def test_a_full_disk_that_refuses_to_be_written_directly(size: int) -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        write(Path("/dev/full"), DATA[:size])
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize("room", [0, 100, PIECE + 100, 2 * PIECE])
def test_a_file_that_may_not_grow(tmp_path: Path, room: int) -> None:
    """Even where the limit is in the midst of a block."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        with pytest.raises(OSError, match="File too large"):
            write(tmp_path / "file", DATA)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert (tmp_path / "file").read_bytes() == DATA[:room]


def test_an_error_of_the_block_comes_through(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), direct_file.created(tmp_path / "file") as append:
        append(DATA)
        raise ZeroDivisionError
    assert not [file for file in psutil.Process().open_files() if file.path == str(tmp_path / "file")]
