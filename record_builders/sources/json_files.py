"""JSON files of unknown content."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from record_builders.sources.folders import head
from tfod_tools.base.errors import AnnotationError

# A text (with its colon, if it is a key) or a bracket.
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"(?:\s*:)?|[{}\[\]]', re.DOTALL)
# An escape that may be half of a character. Text cannot hold half a character.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def load(path: Path) -> Any:
    """The content of the JSON file at `path`.

    Raises:
      AnnotationError: the file cannot be read, or is not JSON in UTF-8.
    """
    try:
        text = path.read_bytes().decode("utf-8-sig")
        content = json.loads(text)
        if _HALF.search(text):
            json.dumps(content, ensure_ascii=False).encode()
        return content
    except OSError as exc:
        raise AnnotationError(f"cannot read the file: {exc.strerror}.", path=path) from exc
    except json.JSONDecodeError as exc:
        raise AnnotationError(
            f"the file is not valid JSON: {exc.msg}. Correct it.", path=path, line=exc.lineno
        ) from exc
    except UnicodeEncodeError as exc:
        half = f"\\u{ord(exc.object[exc.start]):x}"
        raise AnnotationError(f"the file has {half}, which is half of a character. Correct it.", path=path) from exc
    except (ValueError, RecursionError) as exc:  # not UTF-8, a number with thousands of digits, or too many brackets
        raise AnnotationError("the file is not valid JSON in UTF-8. Correct it.", path=path) from exc


def first_keys(path: Path) -> list[str] | None:
    """The keys at the beginning of the outermost object of the JSON file at `path`, without parsing all of it.

    Of a list, those of its first object. None if the file does not begin like JSON.
    """
    start = head(path).decode("utf-8-sig", "replace").lstrip()
    if not start.startswith(("{", "[")):
        return None
    keys: list[str] = []
    depth, depth_of_keys = 0, 2 if start.startswith("[") else 1
    for match in _TOKEN.finditer(start):
        token = match[0]
        if token in "{[":
            depth += 1
        elif token in "}]":
            depth -= 1
            if depth < depth_of_keys:
                break
        elif depth == depth_of_keys and token.endswith(":"):
            keys.append(token.rstrip(": \t\r\n")[1:-1])
    return list(dict.fromkeys(keys))


def lacks(path: Path, *needed: str) -> str:
    """Which keys the JSON file at `path` begins with, and which of `needed` it does not; '' if it is not JSON."""
    found = first_keys(path) if path.suffix.lower() == ".json" else None
    missing = [key for key in needed if found is not None and key not in found]
    if found is None or not missing:
        return ""
    shown = ", ".join(found[:12]) or "none"
    return f"the keys that it begins with are {shown}. It lacks {', '.join(missing)}."


def entry(item: object, key: str) -> Any:
    """The value of `key` in `item`; None if `item` is not an object or has no such key."""
    return item.get(key) if isinstance(item, dict) else None


def entries(item: object, key: str) -> list[Any]:
    """The list under `key` in `item`; empty if there is no list."""
    found = entry(item, key)
    return found if isinstance(found, list) else []


def text(item: object, key: str) -> str:
    """The text under `key` in `item`, without spaces around it; '' if there is no text."""
    found = entry(item, key)
    return found.strip() if isinstance(found, str) else ""
