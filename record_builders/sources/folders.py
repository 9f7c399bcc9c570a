"""The files below a folder, and which image an annotation means."""

from __future__ import annotations

import contextlib
import os
import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from contextvars import ContextVar
from itertools import takewhile
from operator import itemgetter
from pathlib import Path

from record_builders.images import conversion, image_header
from record_builders.images.image_header import ImageHeader
from tfod_tools.base.errors import AnnotationError, ImageError

# Formats that the engine cannot read are listed too, so that a GIF is reported as a GIF and not as missing.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")

# Folders of VOC with masks. Each mask has the name of its image.
_MASK_FOLDERS = (["SegmentationClass"], ["SegmentationObject"])

_listings: ContextVar[dict[Path, list[str]] | None] = ContextVar("_listings", default=None)


@contextlib.contextmanager
def listed_once() -> Iterator[None]:
    """Inside the block, each folder is listed once, for all suffixes. On a network, listing is slow."""
    token = _listings.set({})
    try:
        yield
    finally:
        _listings.reset(token)


def files_below(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """The files below `folder` with one of `suffixes` (in lower case), sorted by path. Subfolders count.

    Hidden files and hidden folders are ignored.

    Raises:
      AnnotationError: `folder` does not exist, or is a file.
    """
    return [folder / name for name in names_below(folder, suffixes)]


def names_below(folder: Path, suffixes: Collection[str]) -> list[str]:
    """Like `files_below`, but paths relative to `folder`: a million of them take a third of the memory."""
    if not folder.is_dir():
        found = "this is a file, not a folder" if folder.exists() else "this folder does not exist"
        raise AnnotationError(f"{found}. Name another folder.", path=folder)
    listings = {} if (kept := _listings.get()) is None else kept
    if folder not in listings:
        listings[folder] = _listed(folder, "")
    wanted = tuple(suffixes)
    return [name for name in listings[folder] if name.lower().endswith(wanted)]


def _listed(folder: Path, below: str) -> list[str]:
    try:
        entries = os.scandir(folder / below)
    except PermissionError:
        return []
    with entries:
        shown = [(entry.name, entry) for entry in entries if not entry.name.startswith(".")]
    names = []
    for name, entry in sorted(shown, key=itemgetter(0)):
        if entry.is_dir(follow_symlinks=False):
            names += _listed(folder, f"{below}{name}/")
        elif _is_file(entry):
            names.append(below + name)
    return names


def _is_file(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_file()
    except OSError:  # A link to itself, or into a folder without permission.
        return False


def files_or_file(annotations: Path, suffixes: Collection[str]) -> list[Path]:
    """`annotations` itself if it is a file, else `files_below`."""
    return [annotations] if annotations.is_file() else files_below(annotations, suffixes)


def of_sets(paths: Sequence[Path], image_sets: Collection[str], annotations: Path) -> list[Path]:
    """The `paths` whose stem is one of `image_sets`, or ends with "_" and one of them; all paths if no set is given.

    Raises:
      AnnotationError: a set has no file. The error names the folder `annotations`.
    """

    def belongs(path: Path, name: str) -> bool:
        return path.stem == name or path.stem.endswith(f"_{name}")

    for name in image_sets:
        if not any(belongs(path, name) for path in paths):
            known = ", ".join(path.stem for path in paths) or "none"
            raise AnnotationError(f"there is no image set '{name}'. The image sets here: {known}.", path=annotations)
    return [path for path in paths if not image_sets or any(belongs(path, name) for name in image_sets)]


def in_folders(paths: Sequence[Path], image_sets: Collection[str], annotations: Path) -> list[Path]:
    """The `paths` below `annotations` in folders with the name of one of `image_sets`; all paths if no set is given.

    Raises:
      AnnotationError: a set has no folder.
    """
    folders = {path: path.relative_to(annotations).parts[:-1] for path in paths} if image_sets else {}
    known = sorted({part for parts in folders.values() for part in parts})
    for name in image_sets:
        if name not in known:
            shown = ", ".join(known) or "none"
            raise AnnotationError(f"there is no image set '{name}'. The folders here: {shown}.", path=annotations)
    return [path for path in paths if not image_sets or set(folders[path]) & set(image_sets)]


def head(path: Path, size_bytes: int = 1 << 14) -> bytes:
    """The beginning of the file at `path`; empty if it cannot be read."""
    try:
        with path.open("rb") as file:
            return file.read(size_bytes)
    except OSError:
        return b""


class ImageFolder:
    """The images below a folder, found by name or by stem. Upper and lower case are the same."""

    def __init__(self, folder: Path, *, convert: bool = False, names: Sequence[str] | None = None) -> None:
        """Lists `folder`, unless `names` are given.

        Args:
          folder: of images.
          convert: whether images that the engine cannot read will be converted.
          names: of all images, as from `names_below`, if not all of them are in the folder yet.

        Raises:
          AnnotationError: `folder` does not exist, or is a file.
        """
        self.folder = folder
        self._prefix = str(folder / "x")[:-1]
        self._convert = convert
        below = names_below(folder, IMAGE_SUFFIXES) if names is None else names
        self._names = [name for name in below if name.split("/")[-2:-1] not in _MASK_FOLDERS]
        stems = [_stem(name) for name in self._names]
        self._by_stem: dict[str, list[str]] = {}
        for stem, name in zip(stems, self._names, strict=True):
            self._by_stem.setdefault(stem.lower(), []).append(name)
        self._ambiguous = {stem for stem, count in Counter(stems).items() if count > 1}

    def names(self) -> list[str]:
        """The path of every image relative to the folder, with forward slashes, sorted."""
        return list(self._names)

    def path(self, name: str) -> str:
        """The file of an image, given as in `names`."""
        return self._prefix + name

    def image_id(self, name: str) -> str:
        """The id of an image: its stem or, if another image has the same stem, its whole name."""
        stem = _stem(name)
        return name if stem in self._ambiguous else stem

    def header(self, name: str) -> ImageHeader:
        """The header of an image, given as in `names`.

        Raises:
          ImageError: the engine cannot read the image, and it is not converted.
        """
        path = self.path(name)
        return conversion.read_header(path) if self._convert else image_header.read_header(path)

    def find(self, name: str, near: Path) -> str | None:
        """The image that `name` means, as in `names`; None if there is no such image.

        If several images have the name, these rules decide, in this order: the name has the same case; the image is in
        the subfolder `near`; most folders are the same (as in images/train/a.jpg and labels/train/a.txt).

        Args:
          name: a stem or a file name, perhaps with folders.
          near: a subfolder.

        Raises:
          ImageError: the rules fit several images equally well.
        """
        if "/" in name or "\\" in name:
            *folders, name = re.split(r"[/\\]", name)
            near = near.joinpath(*folders)
        found = self._called(name.lower())
        if len(found) < 2:
            return found[0] if found else None
        ranks = {other: _rank(Path(other), name, near) for other in found}
        best = [other for other in found if ranks[other] == max(ranks.values())]
        if len(best) > 1:
            message = f"'{name}' fits several images: {', '.join(best)}. Rename or remove the others."
            raise ImageError(message)
        return best[0]

    def _called(self, lowered: str) -> list[str]:
        """The images whose stem or file name, in lower case, is `lowered`."""
        of_stem = self._by_stem.get(lowered, [])
        with_suffix = self._by_stem.get(_stem(lowered), []) if lowered.endswith(IMAGE_SUFFIXES) else []
        return of_stem + [name for name in with_suffix if last_part(name).lower() == lowered]


def _rank(path: Path, name: str, near: Path) -> tuple[bool, bool, int]:
    own, wanted = path.parent.parts, near.parts
    alike = takewhile(lambda pair: pair[0] == pair[1], zip(reversed(own), reversed(wanted), strict=False))
    return name in (path.name, path.stem), own == wanted, sum(1 for _ in alike)


def last_part(name: str) -> str:
    """The file name of an image of this name."""
    return name.rpartition("/")[2]


def _stem(name: str) -> str:
    return last_part(name).rpartition(".")[0]
