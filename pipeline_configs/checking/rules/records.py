"""Rules about what single records hold: images that cannot be decoded, boxes and classes that mean something else.

They need the records themselves, which `check_config --records` reads.
"""

from __future__ import annotations

from collections.abc import Iterator

from pipeline_configs import label_map
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.contents import Contents
from tfod_tools.base.errors import ConfigError

_DECODER = "data_decoders/tf_example_decoder.py"
_TRAIN, _EVAL = "train_input_reader", "eval_input_reader[0]"


def _contents(subject: Subject) -> Iterator[tuple[str, Contents]]:
    """The name of the reader of each split whose records were read, and what they hold."""
    if subject.records is None:
        return
    for name, split in ((_TRAIN, subject.records.train), (_EVAL, subject.records.val)):
        if split and split.contents is not None:
            yield name, split.contents


def _faults(subject: Subject, code: str, expected: str, *readers: str) -> Iterator[Evidence]:
    for name, contents in _contents(subject):
        fault = contents.faults.get(code)
        if fault and (not readers or name in readers):
            more = f" and {fault.count - 1} more" if fault.count > 1 else ""
            yield Evidence(f"{name}.tf_record_input_reader.input_path", f"{fault.found}{more}", expected)


@rule("DAT04", "error", "The engine learns the box as another class.", source=_DECODER)
def empty_class_names(subject: Subject) -> Iterator[Evidence]:
    """Records name the class of a box ''.

    The engine looks classes up by name and by display_name; items of the label map without a display_name have '' for
    one, and the last of them is what the box becomes.
    """
    yield from _faults(subject, "DAT04", "the name of a class, or no image/object/class/text at all")


@rule(
    "DAT05",
    "error",
    "The engine learns that the box is no class; evaluation takes it for the first.",
    source="inputs.py",
)
def class_numbers_out_of_range(subject: Subject) -> Iterator[Evidence]:
    """Records give boxes a class number that the model does not have.

    Numbers count where a record has no names of classes. They go from 1 to num_classes; 0 is the background's.
    """
    classes = subject.model.num_classes if subject.architecture in ("ssd", "faster_rcnn") else 0
    for name, contents in _contents(subject) if classes else ():
        wrong = {number: count for number, count in contents.label_ids.items() if not 1 <= number <= classes}
        if wrong:
            shown = f"{sum(wrong.values())} boxes with number {', '.join(map(str, sorted(wrong)[:5]))}"
            yield Evidence(f"{name}.tf_record_input_reader.input_path", shown, f"1 to {classes}, the num_classes")


@rule("DAT06", "error", "The engine stops in the middle of training.", source="inputs.py")
def boxes_inside_out(subject: Subject) -> Iterator[Evidence]:
    """Boxes end before they begin.

    The engine asserts that ymax is not below ymin when it resizes an image, in training, at the first such box.
    """
    yield from _faults(subject, "DAT06", "xmin < xmax and ymin < ymax")


@rule("DAT07", "error", "The engine learns a box that is not in the image.", source="inputs.py")
def boxes_outside(subject: Subject) -> Iterator[Evidence]:
    """Corners of boxes are not between 0 and 1.

    They are fractions of width and height. Numbers in pixels pass the engine's input pipeline without a word.
    """
    yield from _faults(subject, "DAT07", "fractions from 0 to 1")


@rule(
    "DAT08",
    "error",
    "Such a box counts as much in the engine's loss as ten others or more, and draws the weights after it.",
    source="box_coders/",
)
def boxes_without_extent(subject: Subject) -> Iterator[Evidence]:
    """Boxes are less than a pixel wide or high.

    The logarithm of a side is what is learnt: that of 0 is taken for -18.4, times 5 in the usual box coder. Before
    training an SSD had a localization loss of 2.8 on ordinary boxes, of 32 on one of two thirds of a pixel, and of 148
    on one without width.
    """
    yield from _faults(subject, "DAT08", "at least one pixel each way, or no such box")


@rule("DAT09", "warning", "The engine drops the box.", source="data_decoders/tf_example_decoder.py")
def boxes_without_numbers(subject: Subject) -> Iterator[Evidence]:
    """Corners of boxes are not numbers.

    What is to be found there becomes background.
    """
    yield from _faults(subject, "DAT09", "numbers")


@rule(
    "DAT10", "error", "The engine stops where there are too few, and ignores those that are too many.", source=_DECODER
)
def classes_for_other_boxes(subject: Subject) -> Iterator[Evidence]:
    """Records have not as many classes as boxes.

    The first class belongs to the first box, and so on.
    """
    yield from _faults(subject, "DAT10", "one for each box")


@rule("DAT12", "error", "The engine stops in the middle of training.", source=_DECODER)
def images_that_cannot_be_decoded(subject: Subject) -> Iterator[Evidence]:
    """Records hold images that the engine does not decode.

    It decodes JPEG, PNG and BMP that are whole; image/format matters only where it is raw, which takes the bytes for
    pixels.
    """
    yield from _faults(subject, "DAT12", "JPEG or PNG; make_records --on_problem=fix converts")


@rule("DAT13", "warning", "The engine sees the image as it is stored.", source=_DECODER)
def turned_images(subject: Subject) -> Iterator[Evidence]:
    """Images are to be turned by their EXIF entry.

    Cameras store such images lying, and programs show them upright. Boxes that were drawn upright do not fit.
    """
    yield from _faults(subject, "DAT13", "1, as make_records --on_problem=fix writes it")


@rule("DAT14", "warning", "The engine gives weights and groups to the wrong boxes.", source="utils/ops.py")
def lists_out_of_step(subject: Subject) -> Iterator[Evidence]:
    """Records with weights or groups have boxes of classes that the label map lacks.

    The engine drops such boxes, but not their entries in image/object/weight and image/object/group_of: from there on,
    each belongs to the box before.
    """
    readers = {_TRAIN: subject.config.train_input_reader}
    readers |= {f"eval_input_reader[{i}]": reader for i, reader in enumerate(subject.config.eval_input_reader)}
    for name, contents in _contents(subject):
        try:
            items = label_map.read(readers[name].label_map_path) if name in readers else None
        except ConfigError:
            continue  # CFG06 tells
        known = {text for item in items or () for text in (item.name, item.display_name)}
        missing = sorted(contents.labels_beside_lists - known)
        if items is not None and missing:
            found = f"no {missing[0]} in {readers[name].label_map_path}, beside weights or groups"
            yield Evidence(f"{name}.label_map_path", found, "every class of these records")


@rule("DAT15", "warning", "The engine learns them as ordinary boxes.", source="meta_architectures/")
def groups_that_are_learnt(subject: Subject) -> Iterator[Evidence]:
    """Crowds, groups or difficult objects are trained on.

    Their marks are for evaluation; no architecture looks at them in the loss. A box of weight 0 is passed over, which
    is what make_records --ignore writes.
    """
    yield from _faults(subject, "DAT15", "image/object/weight 0 for them, or none of them", _TRAIN)


@rule("DAT16", "error", "The engine evaluates the first of them only.", source="metrics/coco_evaluation.py")
def images_of_one_name(subject: Subject) -> Iterator[Evidence]:
    """Several images have one image/source_id.

    Evaluation knows images by it, and passes over the second one with a warning. That two of them may share a hash,
    which the engine really compares, is not looked at.
    """
    yield from _faults(subject, "DAT16", "one of its own for each image", _EVAL)


@rule("DAT21", "warning", "The engine uses them for masks.", source=_DECODER)
def stated_sizes(subject: Subject) -> Iterator[Evidence]:
    """Records state another size than their image has.

    image/width and image/height decide the shape of instance masks, and nothing else.
    """
    yield from _faults(subject, "DAT21", "the size of the image as it is stored")
