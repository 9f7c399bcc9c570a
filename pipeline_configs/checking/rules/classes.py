"""Rules about the number of classes and the label map."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from pipeline_configs import inputs
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit
from record_builders import label_map
from tfod_tools.base.errors import LabelMapError


def _num_classes(subject: Subject) -> tuple[str, int] | None:
    """The field with the number of classes, and its value; None if there is no model."""
    return (f"{subject.model_path}.num_classes", subject.model.num_classes) if subject.architecture else None


def _largest_id(subject: Subject) -> int | None:
    """The largest number of a class, by the label map of training or else by the records; None if it is not known."""
    items = inputs.label_map_items(subject.config.train_input_reader.label_map_path)
    if items is not None:
        return max((item.id for item in items), default=None)
    return (subject.records.num_classes or None) if subject.records else None


@rule("CFG03", "error", "The engine builds a model that can detect nothing.", source="builders/model_builder.py")
def no_classes(subject: Subject) -> Iterator[Evidence]:
    """num_classes is not set.

    Its default is 0, and the engine builds a model without any class but the background. Training runs and the loss
    falls.
    """
    held, largest = _num_classes(subject), _largest_id(subject)
    if held and held[1] <= 0:
        path = held[0]
        fix = () if largest is None else (Edit(path=path, value=str(largest)),)
        yield Evidence(path, f"num_classes is {held[1]}.", "Set it to the largest id of the label map.", fix)


@rule("CFG04", "error", "The engine trains boxes with a larger class id as objects of no class.", source="inputs.py")
def too_few_classes(subject: Subject) -> Iterator[Evidence]:
    """num_classes is smaller than the largest id of a class.

    The engine makes a vector of zeros from a class number above num_classes. The box is matched, but to no class, and
    evaluation counts it as the first class.
    """
    held, largest = _num_classes(subject), _largest_id(subject)
    if held and largest is not None and 0 < held[1] < largest:
        yield _other_number(*held, largest)


@rule("CFG05", "warning", "The engine trains outputs that no object has.", source="builders/model_builder.py")
def too_many_classes(subject: Subject) -> Iterator[Evidence]:
    """num_classes is larger than the largest id of a class.

    Often the number is left over from another data set. The model learns that the outputs without a class never occur.
    """
    held, largest = _num_classes(subject), _largest_id(subject)
    if held and largest is not None and held[1] > largest:
        yield _other_number(*held, largest)


def _other_number(path: str, classes: int, largest: int) -> Evidence:
    problem = f"num_classes is {classes}, but the largest id of a class is {largest}."
    return Evidence(path, problem, f"Set it to {largest}.", (Edit(path=path, value=str(largest)),))


@rule(
    "CFG06",
    "error",
    "The engine stops if an id is 0 or the file is empty; otherwise it confuses classes.",
    source="utils/label_map_util.py",
)
def broken_label_map(subject: Subject) -> Iterator[Evidence]:
    """A label map does not give each class a number of its own, from 1 on.

    Id 0 is the background. Of two items with the same id, the first one names the class. Of two items with the same
    name, the last one gives the number. A list of names in a .txt file is not a label map; make_label_map makes a label
    map of it. There can be gaps between ids, as in COCO.
    """
    seen = set()
    for name, reader in inputs.readers(subject.config).items():
        if reader.label_map_path not in seen:
            seen.add(reader.label_map_path)
            yield from _faults(f"{name}.label_map_path", reader.label_map_path)


def _faults(path: str, named: str) -> Iterator[Evidence]:
    if not inputs.matching(named, literally=True):
        return
    try:
        items = label_map.read_items(Path(named))
    except LabelMapError as error:
        yield Evidence(path, f"{error}", "make_label_map makes a label map of a list of names.")
        return
    if not items:
        yield Evidence(path, f"{named} has no item.", "Add an item for each class, such as item { id: 1 name: 'cat' }.")
    for message, line in label_map.faults(items):
        place = f"{named}:{line}" if line else named
        problem, _, advice = message.rpartition(". ")
        yield Evidence(path, f"{place}: {problem}.", advice)
