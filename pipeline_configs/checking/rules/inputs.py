"""Rules about the records that are read, as far as the config and the manifest of the records tell."""

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
    "tfod_tools.train refuses it; the engine stops, or waits for ever for a first record.",
    source=_BUILDER,
)
def missing_files(subject: Subject) -> Iterator[Evidence]:
    """Records or a label map are not where the config says.

    Paths are taken from the folder in which the command runs; those with a scheme, such as gs://, are not looked at.
    An eval_input_reader is needed too: the engine's TF1 style builds both, and evaluation has nothing to read without.
    """
    if not subject.config.eval_input_reader:
        yield Evidence("eval_input_reader", "none", "one; make_config fills it from the records")
    for name, reader in _readers(subject).items():
        path = f"{name}.tf_record_input_reader.input_path"
        patterns = reader.tf_record_input_reader.input_path
        if not patterns:
            yield Evidence(path, "nothing", "the path of the records")
        for index, pattern in enumerate(patterns):
            if inputs.matching(pattern) == []:
                yield Evidence(f"{path}[{index}]", f"no file {pattern}", "the records that make_records wrote")
        if reader.label_map_path and inputs.matching(reader.label_map_path, literally=True) == []:
            yield Evidence(f"{name}.label_map_path", f"no file {reader.label_map_path}", "a label map")


@rule("DAT02", "error", "tfod_tools.train refuses it; the engine waits for ever for a first record.", source=_BUILDER)
def empty_files(subject: Subject) -> Iterator[Evidence]:
    """All files of records are empty.

    The engine repeats its files without end, also where they hold nothing.
    """
    for name, reader in _readers(subject).items():
        for index, pattern in enumerate(reader.tf_record_input_reader.input_path):
            files = inputs.matching(pattern)
            if files and not any(file.stat().st_size for file in files):
                path = f"{name}.tf_record_input_reader.input_path[{index}]"
                yield Evidence(path, f"only empty files at {pattern}", "records; run make_records")


@rule("DAT11", "warning", "The engine leaves out the boxes beyond them, in evaluation too.", source="inputs.py")
def cut_off_boxes(subject: Subject) -> Iterator[Evidence]:
    """Images of the records have more boxes than the input reader takes.

    max_number_of_boxes is 100 by default. In training the rest of the objects become background; in evaluation they
    are not asked for, and recall comes out too high.
    """
    if subject.records is None:
        return
    splits = {_TRAIN: subject.records.train, "eval_input_reader[0]": subject.records.val}
    for name, reader in _readers(subject).items():
        split = splits.get(name)
        if split and split.most_boxes > reader.max_number_of_boxes:
            path, most = f"{name}.max_number_of_boxes", str(split.most_boxes)
            found = f"{reader.max_number_of_boxes}"
            yield Evidence(path, found, f"{most}, the most on an image", (Edit(path=path, value=most),))


@rule("DAT17", "error", "A machine gets no file, and no first batch.", source=_BUILDER, style="tf2")
def too_few_files(subject: Subject) -> Iterator[Evidence]:
    """There are fewer files of records than machines that train together.

    In TF2 style each machine reads its share of the files, not of the images. Looked for where --machines is given.
    """
    patterns = subject.config.train_input_reader.tf_record_input_reader.input_path
    files = [file for pattern in patterns for file in inputs.matching(pattern) or ()]
    count, machines = len(files), subject.start.machines
    if 0 < count < machines:
        found = f"{count} {'file' if count == 1 else 'files'} for {machines} machines"
        path = f"{_TRAIN}.tf_record_input_reader.input_path"
        yield Evidence(path, found, f"as many or more, by make_records --shards={machines}")


@rule(
    "DAT18",
    "note",
    "The engine's TF2 evaluation leaves out the last images; tfod_tools.evaluate reads one at a time.",
    source=_BUILDER,
    style="tf2",
)
def incomplete_last_batch(subject: Subject) -> Iterator[Evidence]:
    """Evaluation batches do not divide the images.

    drop_remainder is true by default: images that fill no batch are dropped, and with fewer images than a batch there
    is nothing to evaluate.
    """
    batch, readers = subject.config.eval_config.batch_size, subject.config.eval_input_reader
    val = subject.records.val if subject.records else None
    if val and readers and batch > 1 and readers[0].drop_remainder and val.images % batch:
        path = "eval_config.batch_size"
        yield Evidence(path, f"{batch} for {val.images} images", "1", (Edit(path=path, value="1"),))


@rule("DAT19", "error", "The engine stops at the first batch.", source="model_lib.py")
def batches_of_any_size(subject: Subject) -> Iterator[Evidence]:
    """Training is to keep a last batch that is not full.

    The engine takes batches apart into images, for which their number must be known beforehand.
    """
    if not subject.config.train_input_reader.drop_remainder:
        path = f"{_TRAIN}.drop_remainder"
        yield Evidence(path, "false", "true", (Edit(path=path, value=None),))


@rule("DAT20", "warning", "The engine measures what was learnt by heart.", source=_BUILDER)
def evaluated_on_training_data(subject: Subject) -> Iterator[Evidence]:
    """Evaluation reads records that training reads too.

    Average precision is then that of known images, and tells nothing about others.
    """
    learnt = set(_files(subject.config.train_input_reader))
    for index, reader in enumerate(subject.config.eval_input_reader):
        both = sorted(learnt & set(_files(reader)))
        if both:
            path = f"eval_input_reader[{index}].tf_record_input_reader.input_path"
            yield Evidence(path, f"{both[0]}, on which it trains", "records of other images")


def _files(reader: Any) -> Iterator[Path | str]:
    """The files that a reader reads, as far as they are on this machine, and the patterns themselves otherwise."""
    for pattern in reader.tf_record_input_reader.input_path:
        yield from inputs.matching(pattern) or [pattern]
