"""The annotations, images and label map that a run reads: paths of this machine, or URLs whose files are fetched.

    TMPDIR/tfod_tools-UID-HASH/annotations/VOC2012/...   all annotation files
    TMPDIR/tfod_tools-UID-HASH/images/JPEGImages/...     the annotated images
    TMPDIR/tfod_tools-UID-HASH/label_map/...

No other run uses the folder. It is removed when the run ends without an error. After an error it stays, and the next
run with the same flags uses the files in it.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from record_builders.images.image_header import ImageHeader
from record_builders.output import staging
from record_builders.planning import reading
from record_builders.planning.plan import Request
from record_builders.sources import mirror
from record_builders.sources.folders import IMAGE_SUFFIXES, ImageFolder
from record_builders.sources.mirror import Bar, Mirror, Stamp
from tfod_tools.base import buckets, files
from tfod_tools.base.errors import ImageError, RecordError, TfodError

# All suffixes of files that a format reads.
_SUFFIXES = (".xml", ".json", ".csv", ".tsv", ".txt", ".yaml", ".yml", ".names")
# In the folder of a table of Open Images there are also descriptions of classes and a hierarchy.
_SUFFIXES_BESIDE_A_TABLE = (".csv", ".json")
# The masks of VOC are below the annotations, or in a folder with the same parent.
_MASKS, _MASK_SUFFIX = "SegmentationObject", ".png"


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a run reads; see `opened`.

    Attributes:
      annotations: the folder of annotations, or their file.
      images: the folder of images. If they are remote, it is empty before `fetch_images`.
      label_map: a given label map, or None.
      image_names: the paths of all images relative to their folder, if they are remote; else None.
    """

    annotations: Path
    images: Path
    label_map: Path | None
    image_names: Sequence[str] | None = None
    _remote: _Remote | None = None

    def named(self, text: str) -> str:
        """`text` with URLs instead of the local paths of fetched files."""
        return self._remote.named(text) if self._remote else text

    def fetch_images(self, request: Request) -> None:
        """Fetches the annotated images, unless they are on this machine already.

        Raises:
          TfodError: there is no annotation, or an image cannot be fetched.
        """
        if self._remote and self.image_names is not None:
            asked = _Asked(self.images, self.image_names)
            for _ in reading.as_annotated(request, asked):
                pass
            self._remote.fetch_images(asked.names_asked)


class _Asked(ImageFolder):
    """Images that are not on this machine yet; remembers which of them are annotated."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        super().__init__(folder, names=names)
        self.names_asked: dict[str, None] = {}

    def header(self, name: str) -> ImageHeader:
        self.names_asked[name] = None
        raise ImageError("not fetched yet.", path=self.path(name))


@contextlib.contextmanager
def opened(
    annotations: str, images: str | None, label_map: str | None, output: str, *, masks: bool, keep: bool, bar: Bar
) -> Iterator[Inputs]:
    """What the block reads. Fetches remote annotations, and lists remote images.

    Args:
      annotations: path or URL of a folder or file.
      images: path or URL of a folder; by default the folder of the annotations.
      label_map: path or URL of a file, or None.
      output: where records go. Runs with different outputs can run at the same time.
      masks: fetch the images of masks too.
      keep: fetched files stay when the block ends.
      bar: shows the progress of fetching; see `Mirror.fetch`.

    Raises:
      TfodError: a URL cannot be used, or nothing is there. All errors of the block name URLs instead of the local paths
        of fetched files.
    """
    if not any(map(files.is_remote, filter(None, (annotations, images, label_map)))):
        yield Inputs(
            annotations=Path(annotations),
            images=Path(images) if images else _beside(Path(annotations)),
            label_map=Path(label_map) if label_map else None,
        )
        return
    home = _home(annotations, images or "", label_map or "", output)
    remote = _Remote(home, bar)
    try:
        with staging.locked(home):
            yield remote.inputs(annotations, images, label_map, masks=masks)
            if not keep:
                shutil.rmtree(home)
    except TfodError as error:
        for each in (error, *getattr(error, "problems", ())):
            each.path = each.path and remote.named(str(each.path))
            each.message = remote.named(each.message)
        raise


def _beside(annotations: Path) -> Path:
    return annotations.parent if annotations.is_file() else annotations


def _home(*of: str) -> Path:
    """A folder of this user. Runs with the same flags get the same folder."""
    name = hashlib.sha256("\n".join(of).encode("utf-8", "surrogateescape")).hexdigest()[:16]
    home = Path(tempfile.gettempdir(), f"tfod_tools-{os.getuid()}-{name}")
    home.mkdir(mode=0o700, exist_ok=True)
    if home.is_symlink() or home.stat().st_uid != os.getuid():
        raise RecordError("the folder belongs to another user. Remove it, or set TMPDIR to another folder.", path=home)
    return home


def _is_annotation(name: str) -> bool:
    return not name.lower().endswith(_MASK_SUFFIX) or name.split("/")[-2:-1] == [_MASKS]


@dataclass(slots=True)
class _Remote:
    """What was fetched, and what can be fetched."""

    home: Path
    bar: Bar
    mirrors: list[Mirror] = field(default_factory=list)
    images: Mirror | None = None
    stamps: Mapping[str, Stamp] = field(default_factory=dict)

    def named(self, text: str) -> str:
        for each in self.mirrors:
            text = each.named(text)
        return text

    def inputs(self, annotations: str, images: str | None, label_map: str | None, *, masks: bool) -> Inputs:
        path, beside = self._annotations(annotations, masks=masks)
        named = self._file(label_map, "label_map") if label_map else None
        folder = images or beside
        if not files.is_remote(folder):
            return Inputs(annotations=path, images=Path(folder), label_map=named, _remote=self)
        self.images = self._mirror(folder, "images")
        self.stamps = mirror.listed(self.images.remote, IMAGE_SUFFIXES)
        names = list(self.stamps)
        return Inputs(annotations=path, images=self.images.path, label_map=named, image_names=names, _remote=self)

    def fetch_images(self, names: Iterable[str]) -> None:
        if self.images:
            self.images.fetch({name: self.stamps[name] for name in names}, self.bar)

    def _annotations(self, text: str, *, masks: bool) -> tuple[Path, str]:
        """Where the annotations are now, and where images are by default."""
        if not files.is_remote(text):
            return Path(text), str(_beside(Path(text)))
        remote = buckets.folder(text)
        if mirror.is_file(remote):
            path = self._file(remote.url, "annotations")
            if path.suffix.lower() == ".csv":
                of = self.mirrors[-1]
                self._fetch(of, mirror.listed(of.remote, _SUFFIXES_BESIDE_A_TABLE))
            return path, self.mirrors[-1].remote.url
        of = self._mirror(remote.url, "annotations")
        found = mirror.listed(of.remote, (*_SUFFIXES, _MASK_SUFFIX) if masks else _SUFFIXES)
        self._fetch(of, {name: stamp for name, stamp in found.items() if _is_annotation(name)})
        if masks and of.path.name == "Annotations":
            self._masks_beside(remote.url)
        return of.path, remote.url

    def _masks_beside(self, annotations: str) -> None:
        of = self._mirror(f"{annotations.rpartition('/')[0]}/{_MASKS}", "annotations")
        try:
            found = mirror.listed(of.remote, (_MASK_SUFFIX,))
        except RecordError as error:
            if isinstance(error.__cause__, FileNotFoundError):
                return
            raise
        self._fetch(of, found)

    def _file(self, text: str, kind: str) -> Path:
        if not files.is_remote(text):
            return Path(text)
        folder, _, name = text.rpartition("/")
        of = self._mirror(folder, kind)
        of.fetch({name: mirror.stamp(of.remote, name)}, self.bar)
        return of.path / name

    def _mirror(self, url: str, kind: str) -> Mirror:
        of = Mirror.of(buckets.folder(url), self.home / kind)
        self.mirrors.append(of)
        return of

    def _fetch(self, of: Mirror, found: Mapping[str, Stamp]) -> None:
        of.forget_others(found)
        of.fetch(found, self.bar)
