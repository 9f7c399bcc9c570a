"""What a user asks of make_records, and what it would write."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from record_builders.annotations import Fault, LeftOut, Wanted
from record_builders.label_map import LabelMap
from record_builders.planning.choices import Choices
from record_builders.planning.duplicates import Copies
from record_builders.planning.groups import Groups
from record_builders.planning.stored_images import Outline, StoredImages
from record_builders.records import shards
from record_builders.records.shards import ShardSpec
from record_builders.sources.folders import ImageFolder
from tfod_tools.base.buckets import RemoteFolder
from tfod_tools.base.files import Folder, LocalFolder

TRAIN, VAL = "train", "val"
AUTO = "auto"
# "Ideally 100 MB+" a file, and many files (tensorflow.org/tutorials/load_data/tfrecord).
SHARD_MB = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What to make records of, and how.

    Attributes:
      format: name of a file in `record_builders/formats`, or 'auto' to recognise it.
      annotations: the folder of annotations, or their file.
      images: the folder of images.
      image_names: of all images, if not all of them are in the folder yet; see `ImageFolder`.
      output: the folder for the records. If `remote` is given, the records wait here.
      remote: the remote folder for the records.
      label_map: a given label map; None to number the classes of the annotations.
      shards: number of files for each split, at least 1; None if `shard_mb` decides.
      shard_mb: megabytes of images in each file.
      val_fraction: share of the images for validation, in [0, 1).
      seed: another seed gives another split and another order.
      group_by: which images must be in one split; see `groups.of`. '' for copies only.
      convert: convert images that the engine cannot read, or reads differently from people; see `conversion`.
      verify: decode every image before any is written.
      wanted: which part of the annotations to read.
      choices: what to leave out of that, and what to write so that training ignores it.
      overwrite: replace files that make_records did not write.
    """

    format: str
    annotations: Path
    images: Path
    output: Path
    image_names: Sequence[str] | None = None
    remote: RemoteFolder | None = None
    label_map: Path | None = None
    shards: int | None = None
    shard_mb: float = SHARD_MB
    val_fraction: float = 0.2
    seed: int = 0
    group_by: str = ""
    convert: bool = False
    verify: bool = False
    wanted: Wanted = field(default_factory=Wanted)
    choices: Choices = field(default_factory=Choices)
    overwrite: bool = False

    def image_folder(self) -> ImageFolder:
        """The images, listed again.

        Raises:
          AnnotationError: their folder does not exist, or is a file.
        """
        return ImageFolder(self.images, convert=self.convert, names=self.image_names)

    @property
    def target(self) -> Folder:
        """Where the records are published."""
        return self.remote or LocalFolder(self.output)


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """The images of one split, in the order in which they are written.

    Attributes:
      name: 'train' or 'val'.
      images: at least one.
      shards: number of files, from 1 to the number of images.
    """

    name: str
    images: StoredImages
    shards: int

    def files(self) -> tuple[tuple[ShardSpec, StoredImages], ...]:
        """Each shard with its images, which are consecutive. Numbers of images differ by at most 1."""
        total, parts = len(self.images), self.shards
        return tuple(
            (spec, self.images[spec.index * total // parts : (spec.index + 1) * total // parts])
            for spec in shards.specs(self.name, parts)
        )

    def boxes(self) -> Counter[str]:
        """Number of boxes of each class."""
        return Counter(label for image in self.images.outlines for label in image.labels)


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run would write, and what it would leave out.

    Attributes:
      request: what was asked for.
      label_map: the classes.
      label_map_text: what label_map.pbtxt will hold: a given file as it is.
      splits: 'train' and, unless all images are for training, 'val'.
      faults: what cannot be written.
      left_out: what the user does not want, one entry for each reason.
      unannotated_images: number of images without an annotation.
      copies: sets of images with the same bytes.
      groups: the groups that the user asked for, if any.
      superseded: names of record files of an earlier run that this run removes.
    """

    request: Request
    label_map: LabelMap
    label_map_text: str
    splits: tuple[Split, ...]
    faults: tuple[Fault, ...]
    left_out: tuple[LeftOut, ...]
    unannotated_images: int
    copies: tuple[Copies, ...]
    groups: Groups | None
    superseded: tuple[str, ...]

    @property
    def images(self) -> StoredImages:
        """The images to write, split by split."""
        return replace(self.splits[0].images, outlines=self.outlines)

    @property
    def outlines(self) -> list[Outline]:
        """The outlines of the images to write, split by split."""
        return [outline for split in self.splits for outline in split.images.outlines]

    def conversions(self) -> Counter[str]:
        """The number of images to convert, by kind."""
        return Counter(image.conversion for image in self.outlines if image.conversion)
