"""A file is there under its name when it is complete, and not before, whatever happens to the writer."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tfod_tools.base.errors import OutputError, UsageError
from tfod_tools.base.files import local_path, publishing, save, write_atomically

ROOT = Path(__file__).parents[2]


def listing(folder: Path) -> dict[str, bytes]:
    """Name and content of every file below `folder`, hidden ones too."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_new_file_in_a_new_folder(tmp_path: Path) -> None:
    write_atomically(tmp_path / "a" / "b" / "new.txt", b"content")
    assert listing(tmp_path) == {"a/b/new.txt": b"content"}


def test_old_content_is_replaced(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old and longer")
    write_atomically(tmp_path / "file", b"new")
    assert listing(tmp_path) == {"file": b"new"}


def test_nothing_has_its_name_before_the_end(tmp_path: Path) -> None:
    paths = [tmp_path / "one", tmp_path / "sub" / "two"]
    with publishing(paths) as partials:
        for partial in partials:
            partial.write_bytes(b"content")
        assert not any(path.exists() for path in paths)
        assert [partial.parent for partial in partials] == [path.parent for path in paths]
    assert listing(tmp_path) == {"one": b"content", "sub/two": b"content"}


@pytest.mark.parametrize("stop", [ValueError, KeyboardInterrupt, SystemExit])
def test_a_block_that_raises_publishes_nothing(tmp_path: Path, stop: type[BaseException]) -> None:
    (tmp_path / "one").write_bytes(b"old")
    with pytest.raises(stop), publishing([tmp_path / "one", tmp_path / "two"]) as (first, _):
        first.write_bytes(b"new")
        raise stop
    assert listing(tmp_path) == {"one": b"old"}


def test_a_file_that_was_not_written_publishes_nothing(tmp_path: Path) -> None:
    (tmp_path / "one").write_bytes(b"old")
    with pytest.raises(FileNotFoundError), publishing([tmp_path / "one", tmp_path / "two"]) as (first, _):
        first.write_bytes(b"new")
    assert listing(tmp_path) == {"one": b"old"}


def test_renames_are_in_order(tmp_path: Path) -> None:
    """A folder stands where the second file should go: the first is renamed by then, the last never is."""
    (tmp_path / "second").mkdir()
    paths = [tmp_path / name for name in ("first", "second", "manifest")]
    with pytest.raises(OSError, match="second"), publishing(paths) as partials:
        for partial in partials:
            partial.write_bytes(b"content")
    assert listing(tmp_path) == {"first": b"content"}


@pytest.mark.parametrize("text", ["a/b.config", "/a b/c", "a:b", "//server/share", "c:/data", "gs:/a", ".", "ü"])
def test_local_paths(text: str) -> None:
    assert local_path(text) == Path(text)


@pytest.mark.parametrize(
    "text", ["gs://bucket/model", "s3://bucket", "hdfs://host:9000/a", "ftp://host/a", "https://a.b/c"]
)
def test_remote_paths(text: str) -> None:
    """They would become folders that are called `gs:`."""
    with pytest.raises(UsageError, match="is remote, but this must be a path on this machine") as caught:
        local_path(text)
    assert str(caught.value).startswith(f"{text} ")


KILLED_WHILE_WRITING = """
import os, signal, sys
from pathlib import Path
from tfod_tools.base.files import publishing
with publishing([Path(name) for name in sys.argv[1:]]) as partials:
    for partial in partials:
        partial.write_bytes(b"half of the new con")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_a_killed_writer_leaves_the_old_file(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"old")
    done = subprocess.run([sys.executable, "-c", KILLED_WHILE_WRITING, str(one), str(two)], cwd=ROOT, check=False)
    assert done.returncode == -signal.SIGKILL
    assert one.read_bytes() == b"old"
    assert not two.exists()
    # What it left behind is out of the way of the next writer, who clears it up.
    with publishing([one, two]) as partials:
        for partial in partials:
            partial.write_bytes(b"new")
    assert listing(tmp_path) == {"one": b"new", "two": b"new"}


def test_nobody_ever_reads_a_part(tmp_path: Path) -> None:
    """A child rewrites a file over and over; each time it is read it holds one of the two contents, whole."""
    path, big = tmp_path / "file", 1 << 20
    write_atomically(path, b"a" * big)
    code = (
        "import sys\n"
        "from pathlib import Path\n"
        "from tfod_tools.base.files import write_atomically\n"
        f"for content in (b'b', b'a') * 20: write_atomically(Path(sys.argv[1]), content * {big})"
    )
    with subprocess.Popen([sys.executable, "-c", code, str(path)], cwd=ROOT) as writer:
        seen = {path.read_bytes()}
        while writer.poll() is None:
            seen.add(path.read_bytes())
    assert writer.returncode == 0
    assert seen <= {b"a" * big, b"b" * big}


@pytest.mark.parametrize(
    ("there", "overwrite", "allowed"),
    [(None, False, True), (b"new", False, True), (b"old", False, False), (b"old", True, True)],
)
def test_what_is_there_already_stays(tmp_path: Path, there: bytes | None, overwrite: bool, allowed: bool) -> None:
    """Unless it is the same, or may be overwritten."""
    path = tmp_path / "file"
    if there is not None:
        path.write_bytes(there)
    if allowed:
        save(path, b"new", flag="--output", overwrite=overwrite)
        assert listing(tmp_path) == {"file": b"new"}
    else:
        with pytest.raises(OutputError, match=r"is there already\. Name another --output, or add"):
            save(path, b"new", flag="--output", overwrite=overwrite)
        assert listing(tmp_path) == {"file": b"old"}


def test_the_input_itself_may_be_changed(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"old")
    save(tmp_path / "." / "file", b"new", flag="--fix", overwrite=False, replaces=tmp_path / "file")
    assert listing(tmp_path) == {"file": b"new"}


def test_a_folder_is_never_replaced(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="is a folder"):
        save(tmp_path, b"new", flag="--output", overwrite=True)


def test_a_file_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OutputError, match=r"cannot be written: a part of its path is a file\. Name another --output\."):
        save(tmp_path / "file" / "below", b"new", flag="--output", overwrite=False)
