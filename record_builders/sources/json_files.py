"""Reading JSON that may be anything."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from tfod_tools.base.errors import AnnotationError

# An escape that may be half of a character, which no text can hold.
_HALF = re.compile(r"\\u[dD][89a-fA-F]")


def load(path: Path) -> Any:
    """What the JSON file at `path` holds.

    Raises:
      AnnotationError: it cannot be read, or is not JSON in UTF-8.
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
        raise AnnotationError(f"not readable as JSON: {exc.msg}. Repair it.", path=path, line=exc.lineno) from exc
    except UnicodeEncodeError as exc:
        half = f"\\u{ord(exc.object[exc.start]):x}"
        raise AnnotationError(f"has {half}, which is half of a character. Repair the file.", path=path) from exc
    except (ValueError, RecursionError) as exc:  # not UTF-8, a number of thousands of digits, brackets without end
        raise AnnotationError("not readable as JSON in UTF-8. Repair the file.", path=path) from exc


def entry(item: object, key: str) -> Any:
    """The value of `key` in `item`; None where `item` is no object or has no such key."""
    return item.get(key) if isinstance(item, dict) else None


def entries(item: object, key: str) -> list[Any]:
    """The list that is the value of `key` in `item`; empty where there is none."""
    found = entry(item, key)
    return found if isinstance(found, list) else []


def text(item: object, key: str) -> str:
    """The text that is the value of `key` in `item`, without blanks around it; '' where there is none."""
    found = entry(item, key)
    return found.strip() if isinstance(found, str) else ""
