"""Rules about what single records hold: images that cannot be decoded, boxes and classes that are wrong.

They need the records themselves, which `check_config --records` reads. The problems and their words are those of
`record_builders.inspection.problems`, which inspect_records reports too.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from pipeline_configs import inputs
from pipeline_configs.checking.rule import Evidence, Rule, Subject, rule
from pipeline_configs.patches.patch import Edit
from record_builders import label_map
from record_builders.inspection import problems, survey
from record_builders.inspection.problems import Kind, Problem
from record_builders.inspection.survey import Survey
from record_builders.label_map import LabelMap
from tfod_tools.base.errors import LabelMapError

_TRAIN, _EVAL = inputs.TRAIN, "eval_input_reader[0]"


def _contents(subject: Subject) -> Iterator[tuple[str, Survey]]:
    """The name of the reader of each split whose records were read, and what they hold."""
    if subject.records is None:
        return
    for name, split in ((_TRAIN, subject.records.train), (_EVAL, subject.records.val)):
        if split and split.contents is not None:
            yield name, split.contents


def _about(kind: Kind) -> Callable[[Callable[[Subject], Iterator[Evidence]]], Rule]:
    """Makes a rule of the function below it, about problems of one kind."""

    def made(evidence: Callable[[Subject], Iterator[Evidence]]) -> Rule:
        def with_words_of_kind(subject: Subject) -> Iterator[Evidence]:
            return evidence(subject)

        with_words_of_kind.__doc__ = f"{kind.title}\n\n{kind.reason}"
        return rule(kind.code, kind.severity, kind.meaning, source=kind.source)(with_words_of_kind)

    return made


def _found(kind: Kind, *readers: str) -> Rule:
    """The rule that reports the problems of one kind, in the records of some `readers` or of all."""

    def evidence(subject: Subject) -> Iterator[Evidence]:
        for name, contents in _contents(subject):
            for problem in contents.problems.values() if not readers or name in readers else ():
                if problem.kind is kind:
                    yield _evidence(name, problem)

    return _about(kind)(evidence)


def _evidence(reader: str, problem: Problem) -> Evidence:
    return Evidence(
        path=f"{reader}.tf_record_input_reader.input_path",
        problem=f"{problem.fact.problem} {_place(problem)}",
        advice=problem.advice,
        meaning=problem.fact.meaning,
    )


def _place(problem: Problem) -> str:
    """Where the problem is, in a sentence."""
    record = "" if problem.record is None else f", record {problem.record}"
    if problem.count == 1:
        return f"It is in {problem.path.name}{record}."
    return f"The first is in {problem.path.name}{record}; there are {problem.count - 1} more."


@_about(problems.UNKNOWN_CLASS)
def classes_without_a_number(subject: Subject) -> Iterator[Evidence]:
    """Class names of the records, by manifest and by content, that the label map of a reader does not have."""
    if subject.records is None:
        return
    read = dict(_contents(subject))
    for name, reader in inputs.readers(subject.config).items():
        items = inputs.label_map_items(reader.label_map_path)
        if items is None:
            continue
        known = {text for item in items for text in (item.name, item.display_name)}
        labels = read[name].labels() if name in read else {}
        names = dict.fromkeys((*subject.records.class_names, *(text for text, _ in labels if text)))
        missing = [text for text in names if text not in known]
        if missing:
            path, expected = f"{name}.label_map_path", subject.records.label_map_path
            more = f" and {len(missing) - 1} more" if len(missing) > 1 else ""
            problem = f"{reader.label_map_path} does not have the class '{missing[0]}'{more} of the records."
            if not expected or reader.label_map_path == expected:
                yield Evidence(path, problem, problems.UNKNOWN_CLASS.advice)
            else:
                fix = Edit(path=path, value=json.dumps(expected, ensure_ascii=False))
                yield Evidence(path, problem, problems.UNKNOWN_CLASS.advice, (fix,))


empty_class_names = _found(problems.EMPTY_CLASS)


@_about(problems.CLASS_NUMBER)
def class_numbers_out_of_range(subject: Subject) -> Iterator[Evidence]:
    """Class numbers of boxes without class names, above num_classes or below 1."""
    classes = subject.model.num_classes if subject.architecture in ("ssd", "faster_rcnn") else 0
    for name, contents in _contents(subject) if classes else ():
        counts: dict[int, int] = {}
        for (text, number), use in contents.labels().items():
            if text is None and number is not None and not 1 <= number <= classes:
                counts[number] = counts.get(number, 0) + use.boxes
        if counts:
            boxes = "1 box has" if sum(counts.values()) == 1 else f"{sum(counts.values())} boxes have"
            numbers = ", ".join(map(str, sorted(counts)[:5]))
            problem = f"{boxes} the class number {numbers}, but the model has the numbers 1 to {classes}."
            yield Evidence(f"{name}.tf_record_input_reader.input_path", problem, problems.CLASS_NUMBER.advice)


inside_out = _found(problems.INSIDE_OUT)
outside = _found(problems.OUTSIDE)
too_small = _found(problems.TOO_SMALL)
not_a_number = _found(problems.NOT_A_NUMBER)
classes_and_boxes = _found(problems.CLASSES_AND_BOXES)
undecodable = _found(problems.UNDECODABLE)
turned = _found(problems.TURNED)


@rule(
    "DAT14",
    "warning",
    "The engine gives weights and group marks to the wrong boxes.",
    source="utils/ops.py",
)
def weights_of_other_boxes(subject: Subject) -> Iterator[Evidence]:
    """Records with weights or groups have boxes of classes that the label map does not have.

    The engine drops such boxes, but not their values in image/object/weight and image/object/group_of. From there on,
    each value belongs to the box before.
    """
    readers = inputs.readers(subject.config)
    for name, contents in _contents(subject):
        path = readers[name].label_map_path if name in readers else ""
        items = inputs.label_map_items(path)
        known = {text for item in items or () for text in (item.name, item.display_name)}
        missing = sorted(contents.weighted_classes - known)
        if items is not None and missing:
            problem = (
                f"{path} does not have the class '{missing[0]}', and records with this class have weights or groups."
            )
            yield Evidence(f"{name}.label_map_path", problem, "Use a label map with every class of these records.")


learnt_groups = _found(problems.LEARNT_GROUP, _TRAIN)
same_names = _found(problems.SAME_NAME, _EVAL)
stated_sizes = _found(problems.STATED_SIZE)
unreadable = _found(problems.UNREADABLE)
uneven_lists = _found(problems.UNEVEN_LIST)
without_name = _found(problems.NO_NAME, _EVAL)


@_about(problems.CLASS_NUMBERS_DIFFER)
def class_numbers_differ(subject: Subject) -> Iterator[Evidence]:
    """Class numbers of boxes with class names that are not those of a reader's label map."""
    readers = inputs.readers(subject.config)
    for name, contents in _contents(subject):
        named = _label_map(readers[name]) if name in readers else None
        about = survey.about_labels(contents.labels(), named)
        differ = [(fact, use) for fact, use in about if fact.kind is problems.CLASS_NUMBERS_DIFFER]
        if differ:
            fact, use = differ[0]
            more = f" {len(differ) - 1} other classes differ too." if len(differ) > 1 else ""
            fact = fact._replace(problem=fact.problem + more, advice=problems.UNKNOWN_CLASS.advice)
            yield _evidence(name, Problem(fact=fact, path=use.path, record=use.record, count=use.records))


def _label_map(reader: Any) -> LabelMap | None:
    """The label map that a reader names; None if it is not there, or its numbers are not clear."""
    if not inputs.matching(reader.label_map_path, literally=True):
        return None
    try:
        return label_map.read(Path(reader.label_map_path))[0]
    except LabelMapError:
        return None


other_files = _found(problems.OTHER_FILES)


@rule("DAT27", "warning", "The model has no masks to learn from.", source="data_decoders/tf_example_decoder.py")
def no_masks(subject: Subject) -> Iterator[Evidence]:
    """A reader loads instance masks, but no record has any.

    make_records writes instance masks only with --masks, and only if the annotations have some.
    """
    readers = inputs.readers(subject.config)
    for name, contents in _contents(subject):
        if (
            name in readers
            and readers[name].load_instance_masks
            and contents.records
            and not contents.images_with_masks
        ):
            problem = "load_instance_masks is true, but no record has an instance mask."
            advice = "Make the records again with make_records --masks, or leave load_instance_masks out."
            yield Evidence(f"{name}.load_instance_masks", problem, advice)
