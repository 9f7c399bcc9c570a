"""Whatever is done to a file, a reader finds something wrong with it or reads it, and nothing else happens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from record_builders import formats
from record_builders.annotations import AnnotatedImage, Fault, LeftOut, Wanted
from record_builders.checks import checked
from record_builders.folders import ImageFolder
from tfod_tools.base import plugins
from tfod_tools.base.errors import TfodError

FOLDER = Path(formats.__file__).parent
SAMPLES = Path(__file__).parents[1] / "formats"
EXAMPLES = int(os.environ.get("TFOD_FUZZ_EXAMPLES", "60"))
PIECES = st.sampled_from(
    [
        b"",
        b"\0",
        b"\xff",
        b"-1",
        b"1e999",
        b"nan",
        b'"',
        b"<",
        b">",
        b"&a;",
        b"[",
        b"{",
        b"}",
        b",",
        b"null",
        b"../",
        b"\n",
    ]
)


@pytest.mark.parametrize("name", plugins.names(FOLDER))
def test_damaged_samples(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    """A piece of a sample's file is cut out and another put in its place, up to three times."""
    module = plugins.load("record_builders.formats", FOLDER, name, "annotation format")
    images = ImageFolder(SAMPLES / name / "images")
    originals = {
        path.relative_to(SAMPLES / name / "annotations"): path.read_bytes()
        for path in sorted((SAMPLES / name / "annotations").rglob("*"))
        if path.is_file()
    }
    folder = tmp_path_factory.mktemp(name)
    for path, content in originals.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_bytes(content)

    cut = st.tuples(st.floats(0, 1), st.integers(0, 12), PIECES)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
    @given(st.sampled_from(sorted(originals)), st.lists(cut, min_size=1, max_size=3))
    def read(damaged: Path, cuts: list[tuple[float, int, bytes]]) -> None:
        content = originals[damaged]
        for where, length, piece in cuts:
            start = int(where * len(content))
            content = content[:start] + piece + content[start + length :]
        (folder / damaged).write_bytes(content)
        try:
            found = list(checked(module.read(folder, images, Wanted(masks=True)), None))
        except TfodError as error:
            assert "\n" not in str(error)
        else:
            assert all(isinstance(item, AnnotatedImage | Fault | LeftOut) for item in found)
        finally:
            (folder / damaged).write_bytes(originals[damaged])

    read()
