"""Rules about the number of classes and the label map."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pipeline_configs import label_map
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit
from tfod_tools.base.errors import ConfigError


def _num_classes(subject: Subject) -> tuple[str, int] | None:
    """The field that holds the number of classes, and its value; None where there is no model."""
    return (f"{subject.model_path}.num_classes", subject.model.num_classes) if subject.architecture else None


def _label_ids(subject: Subject) -> list[int]:
    """The numbers that the label map of training, or else that of the records, gives to classes; none where unknown."""
    try:
        found = label_map.read(subject.config.train_input_reader.label_map_path)
    except ConfigError:
        found = None  # CFG06 tells
    if found is not None:
        return [item.id for item in found]
    return [subject.records.num_classes] if subject.records else []


@rule("CFG03", "error", "The engine builds a model that can detect nothing.", source="builders/model_builder.py")
def no_classes(subject: Subject) -> Iterator[Evidence]:
    """num_classes is not set.

    Its default is 0, and the engine builds a model without foreground classes. Training runs and the loss falls.
    """
    held = _num_classes(subject)
    if held and held[1] <= 0:
        path, ids = held[0], _label_ids(subject)
        fix = (Edit(path=path, value=str(max(ids))),) if ids else ()
        yield Evidence(path, str(held[1]), "the largest id of the label map", fix)


@rule("CFG04", "error", "The engine trains such boxes as objects of no class.", source="inputs.py")
def too_few_classes(subject: Subject) -> Iterator[Evidence]:
    """num_classes is smaller than the largest id of a class.

    A label beyond num_classes becomes a vector of zeros: its box is matched, but to no class, and evaluation counts it
    as the first class.
    """
    held, ids = _num_classes(subject), _label_ids(subject)
    if held and ids and 0 < held[1] < max(ids):
        path = held[0]
        yield Evidence(path, str(held[1]), f"{max(ids)}, the largest id", (Edit(path=path, value=str(max(ids))),))


@rule("CFG05", "warning", "The engine trains outputs that no object ever has.", source="builders/model_builder.py")
def too_many_classes(subject: Subject) -> Iterator[Evidence]:
    """num_classes is larger than the largest id of a class.

    Mostly a number that was left over from another data set. The outputs beyond the label map learn to be silent.
    """
    held, ids = _num_classes(subject), _label_ids(subject)
    if held and ids and held[1] > max(ids):
        path = held[0]
        yield Evidence(path, str(held[1]), f"{max(ids)}, the largest id", (Edit(path=path, value=str(max(ids))),))


@rule(
    "CFG06",
    "error",
    "The engine stops where an id is 0 or the file is empty, and mixes classes up otherwise.",
    source="utils/label_map_util.py",
)
def broken_label_map(subject: Subject) -> Iterator[Evidence]:
    """A label map does not give each class a number of its own, from 1 on.

    Id 0 is the background's. Of two items with one id the first names the class; of two with one name the last has the
    number, so that labels of the other are lost. A list of names in a .txt file is no label map; make_label_map
    makes one of it. Numbers may be left out, as COCO does.
    """
    readers = {"train_input_reader": subject.config.train_input_reader}
    readers |= {f"eval_input_reader[{i}]": reader for i, reader in enumerate(subject.config.eval_input_reader)}
    seen = set()
    for name, reader in readers.items():
        if reader.label_map_path not in seen:
            seen.add(reader.label_map_path)
            path = f"{name}.label_map_path"
            yield from (Evidence(path, found, "ids from 1 on, each once") for found in _faults(reader.label_map_path))


def _faults(path: str) -> Iterator[str]:
    try:
        items = label_map.read(path)
    except ConfigError as error:
        yield f"{error.path} with an error: {error.message.rstrip('.')}"
        return
    if items is None:
        return
    if not items:
        yield f"{path} without an item"
    ids, names = [item.id for item in items], [item.name for item in items]
    for what, values in (("id", ids), ("name", names)):
        for value in [value for value, count in Counter(values).items() if count > 1 and value != ""]:
            yield f"{what} {value} more than once in {path}"
    if any(number < 1 for number in ids):
        yield f"id {min(ids)} in {path}"
