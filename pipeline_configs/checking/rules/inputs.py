"""Rules about the files that the input readers name, from the config and the manifest of the records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pipeline_configs import inputs
from pipeline_configs.checking.rule import Evidence, Subject, rule
from pipeline_configs.patches.patch import Edit

_BUILDER = "builders/dataset_builder.py"
_TRAIN = "train_input_reader"


def _readers(subject: Subject) -> dict[str, Any]:
    found = {_TRAIN: subject.config.train_input_reader}
    return found | {f"eval_input_reader[{i}]": reader for i, reader in enumerate(subject.config.eval_input_reader)}


@rule(
    "DAT01",
    "error",
    "tfod train refuses such a config; the engine alone stops, or waits forever for the first record.",
    source=_BUILDER,
)
def missing_files(subject: Subject) -> Iterator[Evidence]:
    """Records or a label map are not where the config says.

    check_config looks for relative paths in the folder in which it runs. It does not look for paths with a scheme, such
    as gs://. An eval_input_reader is needed too: in TF1 style the engine builds both readers before it trains, and
    evaluation has nothing to read without one.
    """
    if not subject.config.eval_input_reader:
        yield Evidence("eval_input_reader", "The config has no eval_input_reader.", "Add one; make_config fills it in.")
    for name, reader in _readers(subject).items():
        path = f"{name}.tf_record_input_reader.input_path"
        patterns = reader.tf_record_input_reader.input_path
        if not patterns:
            yield Evidence(path, "The reader names no records.", "Set the path of the records that make_records wrote.")
        for index, pattern in enumerate(patterns):
            if inputs.matching(pattern) == []:
                advice = "Set the path of the records that make_records wrote."
                yield Evidence(f"{path}[{index}]", f"There is no file {pattern}.", advice)
        if reader.label_map_path and inputs.matching(reader.label_map_path, literally=True) == []:
            problem = f"There is no file {reader.label_map_path}."
            yield Evidence(f"{name}.label_map_path", problem, "Set the path of the label map.")


@rule(
    "DAT02",
    "error",
    "tfod train refuses such a config; the engine alone waits forever for the first record.",
    source=_BUILDER,
)
def empty_files(subject: Subject) -> Iterator[Evidence]:
    """All files of records are empty.

    The engine reads its files again and again without end, even if they hold nothing.
    """
    for name, reader in _readers(subject).items():
        for index, pattern in enumerate(reader.tf_record_input_reader.input_path):
            files = inputs.matching(pattern)
            if files and not any(file.stat().st_size for file in files):
                path = f"{name}.tf_record_input_reader.input_path[{index}]"
                yield Evidence(path, f"All files at {pattern} are empty.", "Write the records again with make_records.")


@rule("DAT11", "warning", "The engine drops the boxes beyond that number, in evaluation too.", source="inputs.py")
def cut_off_boxes(subject: Subject) -> Iterator[Evidence]:
    """Images of the records have more boxes than the input reader takes.

    max_number_of_boxes is 100 by default. In training, the objects beyond that number count as background. In
    evaluation they are not counted at all, so recall comes out too high.
    """
    if subject.records is None:
        return
    splits = {_TRAIN: subject.records.train, "eval_input_reader[0]": subject.records.val}
    for name, reader in _readers(subject).items():
        split = splits.get(name)
        if split and split.most_boxes > reader.max_number_of_boxes:
            path, most = f"{name}.max_number_of_boxes", str(split.most_boxes)
            problem = f"The reader takes {reader.max_number_of_boxes} boxes of an image, but one image has {most}."
            yield Evidence(path, problem, f"Set it to {most} or more.", (Edit(path=path, value=most),))


@rule("DAT17", "error", "A machine that gets no file stops at its first batch.", source=_BUILDER, style="tf2")
def too_few_files(subject: Subject) -> Iterator[Evidence]:
    """There are fewer files of records than machines that train together.

    In TF2 style each machine reads its share of the files, not of the images. This is checked only if --machines is
    given.
    """
    patterns = subject.config.train_input_reader.tf_record_input_reader.input_path
    files = [file for pattern in patterns for file in inputs.matching(pattern) or ()]
    count, machines = len(files), subject.start.machines
    if 0 < count < machines:
        files_are = "is 1 file" if count == 1 else f"are {count} files"
        problem = f"There {files_are} of training records for {machines} machines."
        path = f"{_TRAIN}.tf_record_input_reader.input_path"
        yield Evidence(path, problem, f"Write {machines} files or more, with make_records --shards={machines}.")


@rule(
    "DAT18",
    "note",
    "In TF2 style the engine leaves out the images of the last, incomplete batch; tfod evaluate leaves out none.",
    source=_BUILDER,
    style="tf2",
)
def incomplete_last_batch(subject: Subject) -> Iterator[Evidence]:
    """The number of validation images is not a multiple of the batch size of evaluation.

    drop_remainder is true by default: the engine drops images that do not fill a batch. If there are fewer images than
    one batch holds, there is nothing to evaluate. tfod evaluate reads one image at a time.
    """
    batch, readers = subject.config.eval_config.batch_size, subject.config.eval_input_reader
    val = subject.records.val if subject.records else None
    if val and readers and batch > 1 and readers[0].drop_remainder and val.images % batch:
        path = "eval_config.batch_size"
        problem = f"The batch size is {batch}, and {val.images} validation images are not a multiple of it."
        advice = "Evaluate with tfod evaluate, or set the batch size to 1."
        yield Evidence(path, problem, advice, (Edit(path=path, value="1"),))


@rule(
    "DAT19", "error", "The engine needs to know the size of a batch, and stops at the first one.", source="model_lib.py"
)
def batches_of_any_size(subject: Subject) -> Iterator[Evidence]:
    """Training keeps a last batch that is not full.

    The engine splits each batch into images. To do so, it must know beforehand how many there are.
    """
    if not subject.config.train_input_reader.drop_remainder:
        path = f"{_TRAIN}.drop_remainder"
        problem = "drop_remainder is false, so the last batch can have fewer images than the others."
        yield Evidence(path, problem, "Leave drop_remainder at its default, true.", (Edit(path=path, value=None),))


@rule(
    "DAT20",
    "warning",
    "The metrics then show how well the model knows its training images, not how well it does on new ones.",
    source=_BUILDER,
)
def evaluated_on_training_data(subject: Subject) -> Iterator[Evidence]:
    """Evaluation reads records that training reads too.

    Average precision on images that the model was trained on says nothing about other images.
    """
    learnt = set(_files(subject.config.train_input_reader))
    for index, reader in enumerate(subject.config.eval_input_reader):
        both = sorted(learnt & set(_files(reader)))
        if both:
            path = f"eval_input_reader[{index}].tf_record_input_reader.input_path"
            problem = f"{both[0]} is read in training and in evaluation."
            yield Evidence(path, problem, "Evaluate on records of other images.")


def _files(reader: Any) -> Iterator[Path | str]:
    """The files that a reader reads; where a pattern matches no file on this machine, the pattern itself."""
    for pattern in reader.tf_record_input_reader.input_path:
        yield from inputs.matching(pattern) or [pattern]
