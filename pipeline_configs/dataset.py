"""What a config needs to know about records: their paths, classes and counts, from the manifest of make_records."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline_configs import inputs
from record_builders.output import manifest
from tfod_tools.base.errors import RecordError

if TYPE_CHECKING:
    from record_builders.inspection.survey import Survey
    from record_builders.output.manifest import Manifest, SplitEntry


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """One part of the data set.

    Attributes:
      pattern: absolute path of its files, with a `?` for each digit that differs.
      images: number of images.
      most_boxes: largest number of boxes on one image; 0 if the manifest does not say it.
      boxes: number of boxes of each class that has boxes; empty if the manifest does not say it.
      shards: number of files; 0 if the manifest does not say it.
      bytes: size of all files together; 0 if the manifest does not say it.
      contents: what the records hold; None if they were not read.
    """

    pattern: str
    images: int
    most_boxes: int
    boxes: tuple[int, ...] = ()
    shards: int = 0
    bytes: int = 0
    contents: Survey | None = None

    def files(self) -> Sequence[Path]:
        """The files of the split that exist."""
        return inputs.matching(self.pattern) or ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Records and their label map.

    Attributes:
      label_map_path: absolute; "" if it is not known.
      num_classes: the largest label_id, which is the number of classes that a model needs; 0 if it is not known.
      train: the images to train on.
      val: the images to evaluate on; None if the records have no such split.
      class_names: the names of the classes in the records, in the order of the label map.
    """

    label_map_path: str
    num_classes: int
    train: Split
    val: Split | None
    class_names: tuple[str, ...] = ()

    @classmethod
    def read(cls, folder: Path) -> Dataset:
        """The data set in `folder`.

        Raises:
          RecordError: the folder is missing, make_records did not complete it, or there is nothing to train on.
        """
        path = folder / manifest.MANIFEST
        found = manifest.read(path)
        with manifest.entries(path):
            return _from_manifest(found, folder.resolve())

    def with_contents(self, read: Callable[[Sequence[Path]], Survey]) -> Dataset:
        """The same data set with the contents of its records: what `read` returns for the files of each split."""
        val = self.val and replace(self.val, contents=read(self.val.files()))
        return replace(self, train=replace(self.train, contents=read(self.train.files())), val=val)


def _from_manifest(found: Manifest, folder: Path) -> Dataset:
    label_map, splits = found["label_map"], found["splits"]
    train = _split(splits["train"], folder)
    label_ids = [int(entry["id"]) for entry in label_map["classes"]]
    if not train.images or not label_ids:
        missing = "no image in the train split" if label_ids else "no class in the label map"
        raise RecordError(f"there is {missing}, so there is nothing to train on. Run make_records again.", path=folder)
    return Dataset(
        label_map_path=str(folder / label_map["path"]),
        num_classes=max(label_ids),
        train=train,
        val=_split(splits["val"], folder) if "val" in splits else None,
        class_names=tuple(str(entry["name"]) for entry in label_map["classes"] if "name" in entry),
    )


def _split(entry: SplitEntry, folder: Path) -> Split:
    """What the manifest says of a split. Earlier versions of make_records wrote fewer entries."""
    shards = list(entry.get("shards", ()))
    return Split(
        pattern=str(folder / entry["pattern"]),
        images=int(entry["images"]),
        most_boxes=int(entry.get("most_boxes_on_an_image", 0)),
        boxes=tuple(int(count) for count in dict(entry.get("classes", {})).values() if count),
        shards=len(shards),
        bytes=sum(int(shard["bytes"]) for shard in shards),
    )
