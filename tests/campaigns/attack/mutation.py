"""Files spoilt at random: the same draws spoil them in the same way."""

from __future__ import annotations

import random
import re

_NUMBERS = (
    *("1e999", "-1e308", "-0", "NaN", "nan", "Infinity", "-1", "0", "1e-320", "9" * 400, "1" + "0" * 5000, "0x10"),
    *("1_0", "1,5", "٣", "true", "null", '""', "[]", "{}", "00", "+7", ".", "-", "2147483648", "18446744073709551616"),
)
_WORDS = (
    *("", "..", ".", "/", "~", "%", "%s", "{}", "$(id)", "`id`", "a/b", "../x", "x" * 300, "\N{PILE OF POO}", "\u202e"),
    *(
        "\\ud800",
        "\\u0000",
        "&#10;",
        "no",
        "1e3",
        "null",
        "2001-01-01",
        "0000-00-00",
        "\x1b[31m",
        "<a>",
        "&lt;",
        "!!int",
    ),
)
_PIECES = (
    *(b"\0", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b"\xe2\x80\xa8", b'"', b"'", b"<", b">", b"&a;", b"<!--", b"{"),
    *(b"[", b"}", b"]", b",", b":", b"\t", b"\n", b"\r", b"- ", b"? ", b"&a ", b"*a", b"!!python/object:os.x ", b"%"),
    *(b"[" * 3000, b"{" * 3000, b"<a>" * 3000, b"a: " * 500, b"x" * 3000, b"\\", b"|", b"---\n", b"...\n", b"#"),
)
_NUMBER = re.compile(rb"-?\d+(\.\d+)?")
_WORD = re.compile(rb'(?<=")[^"]*(?=")|(?<=>)[^<>]+(?=<)|[A-Za-z_]{2,}')


def spoilt(content: bytes, draw: random.Random) -> tuple[str, bytes]:
    """What was done, and `content` with one to three things done to it."""
    done = []
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        way = draw.choice(WAYS)
        content = way(content, draw)
        done.append(way.__name__.strip("_"))
    return "+".join(done), content


def _at(content: bytes, draw: random.Random) -> int:
    return draw.randrange(len(content) + 1)


def _flip(content: bytes, draw: random.Random) -> bytes:
    changed = bytearray(content)
    for _ in range(draw.choice((1, 1, 4, 30)) if content else 0):
        changed[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    return bytes(changed)


def _cut(content: bytes, draw: random.Random) -> bytes:
    return content[: _at(content, draw)]


def _behead(content: bytes, draw: random.Random) -> bytes:
    return content[_at(content, draw) :]


def _double(content: bytes, draw: random.Random) -> bytes:
    return content * 2


def _empty(content: bytes, draw: random.Random) -> bytes:
    return draw.choice((b"", b"\n", b" ", b"\0" * 100))


def _swap(content: bytes, draw: random.Random) -> bytes:
    lines = content.split(b"\n")
    i, j = draw.randrange(len(lines)), draw.randrange(len(lines))
    lines[i], lines[j] = lines[j], lines[i]
    return b"\n".join(lines)


def _drop_line(content: bytes, draw: random.Random) -> bytes:
    lines = content.split(b"\n")
    del lines[draw.randrange(len(lines))]
    return b"\n".join(lines)


def _double_line(content: bytes, draw: random.Random) -> bytes:
    lines = content.split(b"\n")
    lines.insert(draw.randrange(len(lines)), draw.choice(lines))
    return b"\n".join(lines)


def _insert(content: bytes, draw: random.Random) -> bytes:
    at = _at(content, draw)
    return content[:at] + draw.choice(_PIECES) + content[at:]


def _number(content: bytes, draw: random.Random) -> bytes:
    return _another(_NUMBER, content, draw, draw.choice(_NUMBERS).encode())


def _word(content: bytes, draw: random.Random) -> bytes:
    return _another(_WORD, content, draw, draw.choice(_WORDS).encode())


def _another(kind: re.Pattern[bytes], content: bytes, draw: random.Random, piece: bytes) -> bytes:
    if not (found := list(kind.finditer(content))):
        return content
    match = draw.choice(found)
    return content[: match.start()] + piece + content[match.end() :]


def _utf16(content: bytes, draw: random.Random) -> bytes:
    return content.decode("latin-1").encode(draw.choice(("utf-16", "utf-16-le", "utf-16-be", "utf-32")))


def _bom(content: bytes, draw: random.Random) -> bytes:
    return draw.choice((b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")) + content


def _latin1(content: bytes, draw: random.Random) -> bytes:
    at = _at(content, draw)
    return content[:at] + "Größe\x85".encode("latin-1") + content[at:]


def _crlf(content: bytes, draw: random.Random) -> bytes:
    return content.replace(b"\n", draw.choice((b"\r\n", b"\r", b"\x0b", b"\xe2\x80\xa8")))


WAYS = (
    *(
        _flip,
        _cut,
        _behead,
        _double,
        _empty,
        _swap,
        _drop_line,
        _double_line,
        _insert,
        _insert,
        _utf16,
        _bom,
        _latin1,
        _crlf,
    ),
    *(_number, _word) * 5,
)
