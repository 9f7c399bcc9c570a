"""The files below a folder, and the image among them that an annotation means."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

from tfod_tools.base.errors import AnnotationError, ImageError

# Whatever looks like an image is listed, so that a GIF is reported as a GIF and not as missing.
IMAGE_SUFFIXES = (".jpg", ".jpeg", ".jpe", ".png", ".bmp", ".gif", ".webp", ".tif", ".tiff")


def files_below(folder: Path, suffixes: Collection[str]) -> list[Path]:
    """The files below `folder`, at any depth, whose suffix in lower case is among `suffixes`, sorted by their path.

    Hidden files, and those in hidden folders, are passed over.

    Raises:
      AnnotationError: `folder` does not exist or is a file.
    """
    if not folder.is_dir():
        found = "is a file" if folder.exists() else "does not exist"
        raise AnnotationError(f"{found}, expected a folder.", path=folder)
    below = (path.relative_to(folder) for path in folder.rglob("*") if path.suffix.lower() in suffixes)
    shown = (path for path in below if not any(part.startswith(".") for part in path.parts))
    return [folder / path for path in sorted(shown) if (folder / path).is_file()]


class ImageFolder:
    """The images below a folder, found by name or by stem, upper and lower case being the same."""

    def __init__(self, folder: Path) -> None:
        """Lists `folder`.

        Raises:
          AnnotationError: `folder` does not exist or is a file.
        """
        self.folder = folder
        self._paths = files_below(folder, IMAGE_SUFFIXES)
        self._by_name: dict[str, list[Path]] = defaultdict(list)
        for path in self._paths:
            for key in {path.name.lower(), path.stem.lower()}:
                self._by_name[key].append(path)

    def names(self) -> list[str]:
        """Path below the folder of every image, with forward slashes, sorted."""
        return [self.name(path) for path in self._paths]

    def name(self, path: Path) -> str:
        """Path below the folder of the image at `path`, with forward slashes."""
        return path.relative_to(self.folder).as_posix()

    def find(self, name: str, near: Path) -> Path | None:
        """The image called `name`, which is a file name or a stem; None where there is none.

        Of several, the one whose name has the same case, and then the one in the subfolder `near`, is meant.

        Raises:
          ImageError: several images are meant equally.
        """
        found = self._by_name.get(name.lower(), [])
        ranks = {path: (name in (path.name, path.stem), path.parent == self.folder / near) for path in found}
        best = [path for path in found if ranks[path] == max(ranks.values())]
        if len(best) > 1:
            names = ", ".join(map(self.name, best))
            raise ImageError(f"'{name}' may be any of {names}, expected one. Rename or remove the others.")
        return best[0] if best else None
