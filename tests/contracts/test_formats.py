"""Every annotation format has a sample in tests/formats/NAME, and reads it as its expected.json says.

A sample is a folder `annotations`, a folder `images`, and `expected.json`: for each image its size and, for each
object, label, box in pixels (clipped to the image) and flags. A file added to record_builders/formats fails here until
it has one.
"""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from record_builders import formats
from record_builders.annotations import AnnotatedImage
from record_builders.checks import checked
from record_builders.folders import ImageFolder
from tfod_tools.base import plugins

FOLDER = Path(formats.__file__).parent
SAMPLES = Path(__file__).parents[1] / "formats"


def described(image: AnnotatedImage) -> dict[str, Any]:
    return {
        "image": image.image_name,
        "size": [image.header.width, image.header.height],
        "objects": [
            {
                "label": item.label,
                "box": [item.box.xmin, item.box.ymin, item.box.xmax, item.box.ymax],
                "difficult": item.difficult,
                "truncated": item.truncated,
                "clipped": item.clipped,
            }
            for item in image.objects
        ],
    }


@pytest.mark.parametrize("name", plugins.names(FOLDER))
def test_the_sample_reads_as_expected(name: str) -> None:
    module = plugins.load("record_builders.formats", FOLDER, name, "annotation format")
    assert inspect.getdoc(module), "the docstring tells the format and is its help"
    assert list(inspect.signature(module.read).parameters)[:2] == ["annotations", "images"]
    sample = SAMPLES / name
    found = list(checked(module.read(sample / "annotations", ImageFolder(sample / "images")), None))
    images = [described(image) for image in found if isinstance(image, AnnotatedImage)]
    assert len(images) == len(found), [item.error for item in found if not isinstance(item, AnnotatedImage)]
    assert images == json.loads((sample / "expected.json").read_text())
