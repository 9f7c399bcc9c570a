"""A folder of records as a config needs it, read from the manifest that make_records writes."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pipeline_configs import inputs
from pipeline_configs.contents import Contents
from tfod_tools.base.errors import RecordError

MANIFEST = "manifest.json"
FORMAT_VERSION = 1

_AGAIN = "Run make_records again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """One part of the data set.

    Attributes:
      pattern: absolute path of its shards, with a `?` for each digit that differs.
      images: how many images it has.
      most_boxes: on one image; 0 where the manifest does not say.
      boxes: of each class that has some; none where the manifest does not say.
      shards: how many files it has; 0 where the manifest does not say.
      bytes: of all of them; 0 where the manifest does not say.
      contents: what the records hold; None where nobody has read them.
    """

    pattern: str
    images: int
    most_boxes: int
    boxes: tuple[int, ...] = ()
    shards: int = 0
    bytes: int = 0
    contents: Contents | None = None

    def files(self) -> Sequence[Path]:
        """Those of its shards that are there."""
        return inputs.matching(self.pattern) or ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Records and their label map.

    Attributes:
      label_map_path: absolute.
      num_classes: the largest label_id, which is how many classes a model must tell apart.
      train: what to learn from.
      val: what to evaluate on; None where make_records was not asked for it.
      class_names: as the records have them, in the order of the label map.
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
          RecordError: the folder is missing, is not one that make_records completed, or holds nothing to train on.
        """
        path = folder / MANIFEST
        manifest = _load(folder, path)
        try:
            return _from_manifest(manifest, folder.resolve())
        except KeyError as error:
            raise RecordError(f"has no entry {error}. {_AGAIN}", path=path) from error
        except (TypeError, ValueError) as error:
            raise RecordError(f"has an entry of another type than expected ({error}). {_AGAIN}", path=path) from error

    def with_contents(self, read: Callable[[Sequence[Path]], Contents]) -> Dataset:
        """The same data set with what `read` makes of the files of each split; missing files are passed over."""
        val = self.val and replace(self.val, contents=read(self.val.files()))
        return replace(self, train=replace(self.train, contents=read(self.train.files())), val=val)


def _load(folder: Path, path: Path) -> Any:
    if not folder.is_dir():
        raise RecordError("there is no such folder, expected the one that make_records wrote.", path=folder)
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise RecordError(f"has no {MANIFEST}. Run make_records first.", path=folder) from error
    except OSError as error:
        raise RecordError(f"cannot be read ({error.strerror}). {_AGAIN}", path=path) from error
    except ValueError as error:
        raise RecordError(f"is not JSON ({error}). {_AGAIN}", path=path) from error
    version = manifest.get("format_version") if isinstance(manifest, dict) else None
    if version != FORMAT_VERSION:
        raise RecordError(f"format_version is {version}, expected {FORMAT_VERSION}. {_AGAIN}", path=path)
    return manifest


def _from_manifest(manifest: Any, folder: Path) -> Dataset:
    label_map, splits = manifest["label_map"], manifest["splits"]
    train = _split(splits["train"], folder)
    label_ids = [int(entry["id"]) for entry in label_map["classes"]]
    if not train.images or not label_ids:
        raise RecordError("the train split has no image, or the label map no class: nothing to learn.", path=folder)
    return Dataset(
        label_map_path=str(folder / label_map["path"]),
        num_classes=max(label_ids),
        train=train,
        val=_split(splits["val"], folder) if "val" in splits else None,
        class_names=tuple(str(entry["name"]) for entry in label_map["classes"] if "name" in entry),
    )


def _split(entry: Any, folder: Path) -> Split:
    shards = list(entry.get("shards", ()))
    return Split(
        pattern=str(folder / entry["pattern"]),
        images=int(entry["images"]),
        most_boxes=int(entry.get("most_boxes_on_an_image", 0)),
        boxes=tuple(int(count) for count in dict(entry.get("classes", {})).values() if count),
        shards=len(shards),
        bytes=sum(int(shard["bytes"]) for shard in shards),
    )
