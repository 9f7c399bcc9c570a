"""Downloads images of Open Images from its public bucket, with several tries and not too fast.

A file gets its final name when it is complete. Until then its name is `.NAME.partial`; the next run continues there.
"""

from __future__ import annotations

import http.client
import re
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tfod_tools.base.errors import ImageError, UsageError

# The bucket has the folders train, validation and test, and in them ID.jpg.
# Source: storage.googleapis.com/openimages/web/download_v7.html, "Download images from the image list".
PUBLIC_BUCKET = "https://open-images-dataset.s3.amazonaws.com"

# A folder of the bucket and an id, and nothing that leads elsewhere: the id comes from an annotation file.
_NAME = re.compile(r"(\w+/)?[\w-]+", re.ASCII)
_AT_ONCE = 8
_TIMEOUT_SECONDS = 60
_CHUNK_BYTES = 1 << 16
_WORTH_ANOTHER_TRY = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where images come from, and how many requests are allowed.

    Attributes:
      url: images are below it as `train/ID.jpg`.
      per_second: the most requests in a second.
      tries: the most tries for each image.
      pause_seconds: wait before the second try; it doubles for each later try.
    """

    url: str = PUBLIC_BUCKET
    per_second: float = 50.0
    tries: int = 5
    pause_seconds: float = 1.0


def fetch(names: Iterable[str], folder: Path, source: Source, on_progress: Callable[[int], None]) -> list[ImageError]:
    """Downloads `train/ID` and so on to `folder/train/ID.jpg`, except for files that exist; returns what failed.

    Args:
      names: of the images, without extension.
      folder: of the images.
      source: where the images come from.
      on_progress: called with the number of images done since the last call.

    Raises:
      UsageError: the URL is not HTTP or HTTPS.
    """
    if not source.url.startswith(("http://", "https://")):
        raise UsageError(f"--download_from={source.url} does not begin with http:// or https://. Correct it.")
    turns = _Turns(1 / source.per_second)
    errors: list[ImageError] = []

    def one(name: str) -> ImageError | None:
        try:
            _fetch_one(name, folder, source, turns)
        except ImageError as error:
            return error
        return None

    with ThreadPoolExecutor(_AT_ONCE) as pool:
        for error in pool.map(one, names):
            errors += [error] if error else []
            on_progress(1)
    return errors


@dataclass(slots=True)
class _Turns:
    """Lets callers of all threads continue one after the other, `seconds` apart."""

    seconds: float
    _next: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def wait(self) -> None:
        with self._lock:
            now = time.monotonic()
            turn = max(self._next, now)
            self._next = turn + self.seconds
        time.sleep(turn - now)


def _fetch_one(name: str, folder: Path, source: Source, turns: _Turns) -> None:
    if not _NAME.fullmatch(name):
        raise ImageError(
            f"the ImageID '{name}' is not an id of Open Images, which has only letters and digits. Correct it."
        )
    path = folder / f"{name}.jpg"
    if path.exists():
        return
    partial = path.with_name(f".{path.name}.partial")
    url = f"{source.url.rstrip('/')}/{name}.jpg"
    reason = ""
    for number in range(source.tries):
        if number:
            time.sleep(source.pause_seconds * 2 ** (number - 1))
        turns.wait()
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            _receive(url, partial)
            partial.replace(path)
            return
        except urllib.error.HTTPError as exc:
            reason = f"the server says {exc.code} {exc.reason}"
            if exc.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
                partial.unlink(missing_ok=True)
            elif exc.code not in _WORTH_ANOTHER_TRY:
                break
        except (urllib.error.URLError, http.client.HTTPException, ConnectionError, TimeoutError) as exc:
            reason = str(getattr(exc, "reason", "") or exc) or type(exc).__name__
        except OSError as exc:
            raise ImageError(f"cannot write the image: {exc.strerror}.", path=path) from exc
    raise ImageError(f"the download failed: {reason}. Try again later, or add --on_problem=skip.", path=path)


def _receive(url: str, partial: Path) -> None:
    """Completes `partial`; continues at its end if the server can do that."""
    have = partial.stat().st_size if partial.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as response:
        goes_on = response.status == http.client.PARTIAL_CONTENT
        expected = _content_length(response)
        received = 0
        with partial.open("ab" if goes_on else "wb") as file:
            while chunk := response.read(_CHUNK_BYTES):
                received += file.write(chunk)
    if expected is not None and received < expected:
        raise http.client.IncompleteRead(b"", expected - received)


def _content_length(response: Any) -> int | None:
    with suppress(TypeError, ValueError):
        return int(response.headers.get("Content-Length"))
    return None
