"""All problems that records can have: each has one code and one wording, for inspect_records and check_config alike."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

Severity = Literal["error", "warning"]

_DECODER = "data_decoders/tf_example_decoder.py"
_AGAIN = "Correct the annotations, then make the records again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Kind:
    """One kind of problem.

    Attributes:
      code: such as "DAT12". It never changes.
      severity: error if the engine stops or learns something wrong, warning otherwise.
      title: what is wrong, in one sentence.
      reason: why that is a problem, in a paragraph.
      meaning: what the engine does, and so what the problem means, in one sentence.
      advice: what to do, in one or two sentences.
      source: the file of the engine where that happens.
      certain: whether it is a mistake in any case. Other problems depend on what the annotations mean.
    """

    code: str
    severity: Severity
    title: str
    reason: str
    meaning: str
    advice: str
    source: str
    certain: bool = True


class Fact(NamedTuple):
    """Something that is wrong with one record or file.

    Attributes:
      kind: what kind of problem it is.
      problem: what is wrong, in one or two sentences with their numbers.
      about: the feature or class that is wrong; facts of one kind about the same thing are counted together.
      meaning: what it means here, if that differs from the kind's own meaning.
      advice: what to do here, if that differs from the kind's own advice.
    """

    kind: Kind
    problem: str
    about: str = ""
    meaning: str = ""
    advice: str = ""


@dataclass(slots=True, kw_only=True)
class Problem:
    """The same fact about many boxes, records or files.

    Attributes:
      fact: the first one.
      path: the file with the first one, or the missing file.
      record: the number of its record in the file, from 0; None if the fact is about the whole file.
      count: how many there are.
    """

    fact: Fact
    path: Path
    record: int | None
    count: int = 1

    @property
    def kind(self) -> Kind:
        """What kind of problem it is."""
        return self.fact.kind

    @property
    def meaning(self) -> str:
        """What the engine does, and so what the problem means."""
        return self.fact.meaning or self.kind.meaning

    @property
    def advice(self) -> str:
        """What to do."""
        return self.fact.advice or self.kind.advice

    def more(self) -> str:
        """How many others there are, as the end of a line; '' if this is the only one."""
        return f" (and {self.count - 1} more like this)" if self.count > 1 else ""


UNKNOWN_CLASS = Kind(
    code="DAT03",
    severity="error",
    title="The label map does not have all classes of the records.",
    reason="Records hold the names of classes, and the label map gives each name its number. The engine drops a box "
    "whose name is not in the label map, and does not report it. With the label map of another data set, it drops all "
    "boxes.",
    meaning="The engine drops every box of a class that the label map does not have.",
    advice="Use the label map that was written with the records.",
    source=_DECODER,
)
EMPTY_CLASS = Kind(
    code="DAT04",
    severity="error",
    title="A box has the class name ''.",
    reason="The engine looks for the name of a class among the names and the display names of the label map. An item "
    "without a display name counts as an item with the display name ''. The box gets the class of the last such item.",
    meaning="The engine learns the box as another class.",
    advice="Give the box a class, or leave the box out, then make the records again.",
    source=_DECODER,
)
CLASS_NUMBER = Kind(
    code="DAT05",
    severity="error",
    title="A box has a class number that the model does not have.",
    reason="The engine uses class numbers only if a record has no class names. They go from 1 to num_classes; 0 is the "
    "background.",
    meaning="The engine learns that the box is no class, and evaluation counts it as the first class.",
    advice="Number the classes from 1 to num_classes, then make the records again.",
    source="inputs.py",
)
INSIDE_OUT = Kind(
    code="DAT06",
    severity="error",
    title="A box ends before it begins.",
    reason="When the engine resizes an image in training, it checks that ymax is not below ymin. It stops at the first "
    "box that fails.",
    meaning="The engine stops in the middle of training.",
    advice=f"xmin must be less than xmax, and ymin less than ymax. {_AGAIN}",
    source="inputs.py",
)
OUTSIDE = Kind(
    code="DAT07",
    severity="error",
    title="A box reaches past the edge of its image.",
    reason="The coordinates of a box are fractions of the width and height of the image, from 0 to 1. The engine "
    "accepts other numbers, such as pixels, and does not report them.",
    meaning="The engine learns a box that is not in the image.",
    advice=f"The coordinates of a box must be fractions from 0 to 1. {_AGAIN}",
    source="inputs.py",
)
TOO_SMALL = Kind(
    code="DAT08",
    severity="error",
    title="A box is less than a pixel wide or high.",
    reason="The engine learns the logarithm of a side, and takes -18.4 as the logarithm of 0; the usual box coder "
    "multiplies it by 5. Before training, an SSD had a localization loss of 2.8 on ordinary boxes, of 32 on a box of "
    "two thirds of a pixel, and of 148 on a box without width.",
    meaning="Such a box counts as much in the loss as ten others or more, and pulls the weights of the model after it.",
    advice="Leave out boxes that are smaller than a pixel, then make the records again.",
    source="box_coders/",
)
NOT_A_NUMBER = Kind(
    code="DAT09",
    severity="warning",
    title="A coordinate of a box is not a number.",
    reason="The engine leaves such a box out, so the object in it counts as background.",
    meaning="The engine drops the box, and does not report it.",
    advice=_AGAIN,
    source=_DECODER,
)
CLASSES_AND_BOXES = Kind(
    code="DAT10",
    severity="error",
    title="A record does not have one class for each box.",
    reason="The first class belongs to the first box, the second class to the second box, and so on.",
    meaning="The engine stops if there are too few classes, and ignores classes that are too many.",
    advice="Make the records again, with one class for each box.",
    source=_DECODER,
)
UNDECODABLE = Kind(
    code="DAT12",
    severity="error",
    title="The engine cannot decode an image.",
    reason="It decodes JPEG, PNG and BMP files that are complete. image/format matters only if it is 'raw': then the "
    "engine takes the bytes of the file as pixels.",
    meaning="The engine stops in the middle of training.",
    advice="Replace the image. make_records --on_problem=fix converts images of other formats.",
    source=_DECODER,
)
TURNED = Kind(
    code="DAT13",
    severity="warning",
    title="Programs show an image turned, because of its EXIF orientation.",
    reason="Many cameras store an image as the sensor saw it, with a note how to turn it. Other programs turn the "
    "image when they show it; the engine does not. Boxes that were drawn on the turned image are in the wrong place.",
    meaning="The engine sees the image as it is stored.",
    advice="If the boxes were drawn on the turned image, make the records again with make_records --on_problem=fix.",
    source=_DECODER,
    certain=False,
)
LEARNT_GROUP = Kind(
    code="DAT15",
    severity="warning",
    title="Crowds, groups or difficult objects count in training.",
    reason="These marks are for evaluation; no model looks at them in the loss. A box of weight 0 does not count in "
    "the loss. make_records --ignore writes that weight.",
    meaning="In training, the engine learns such a box like any other box.",
    advice="If you do not want that, make the records again with make_records --ignore, or leave the boxes out.",
    source="meta_architectures/",
    certain=False,
)
SAME_NAME = Kind(
    code="DAT16",
    severity="error",
    title="Several images have the same image/source_id.",
    reason="Evaluation tells images apart by image/source_id, and leaves out the second image with the same one. It "
    "really compares a hash of image/source_id; whether two different ones have the same hash is not checked.",
    meaning="The engine evaluates only the first of these images.",
    advice="Give each image its own image/source_id.",
    source="metrics/coco_evaluation.py",
)
STATED_SIZE = Kind(
    code="DAT21",
    severity="warning",
    title="A record states another size than its image has.",
    reason="image/width and image/height decide the shape of instance masks, and nothing else.",
    meaning="The engine uses the stated size for instance masks.",
    advice="Make the records again.",
    source=_DECODER,
)
UNREADABLE = Kind(
    code="DAT22",
    severity="error",
    title="A record cannot be read.",
    reason="The file is damaged or compressed, or the record is not a tf.train.Example of one image with the features "
    "and types that the engine reads.",
    meaning="The engine stops when it reads the record.",
    advice="Make the records again.",
    source=_DECODER,
)
UNEVEN_LIST = Kind(
    code="DAT23",
    severity="warning",
    title="A list of a record does not have one value for each box.",
    reason="The first value belongs to the first box, the second value to the second box, and so on.",
    meaning="The engine may stop, or give values to the wrong boxes.",
    advice="Make the records again.",
    source=_DECODER,
)
NO_NAME = Kind(
    code="DAT24",
    severity="warning",
    title="A record has no image/source_id.",
    reason="Evaluation tells images apart by image/source_id. If it is missing, the engine uses a random number.",
    meaning="The results of evaluation cannot be assigned to the image.",
    advice="Give each image its own image/source_id.",
    source="inputs.py",
)
CLASS_NUMBERS_DIFFER = Kind(
    code="DAT25",
    severity="warning",
    title="The class numbers in records are not those of the label map.",
    reason="If a record has class names, the engine does not read its class numbers. Other programs may read them.",
    meaning="The engine goes by the class name, but a program that reads the numbers sees another class.",
    advice="Make the records again with one label map.",
    source=_DECODER,
)
OTHER_FILES = Kind(
    code="DAT26",
    severity="warning",
    title="The record files are not those that were written together.",
    reason="The engine reads all files that match its input_path. It does not know whether a file is missing, empty, "
    "or left over from another run of make_records.",
    meaning="The engine reads what is there, and does not report it.",
    advice="Make the records again.",
    source="builders/dataset_builder.py",
)
