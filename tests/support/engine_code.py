"""Runs pieces of Python with the shims of a style in a child process. They must end without an error."""

from __future__ import annotations

from support import engine_child


def printed(style: str, code: str, *arguments: str) -> list[str]:
    """The lines that `code` prints, run with the shims of `style` and with `arguments` in sys.argv."""
    done = engine_child.run(style, f"import sys\nsys.argv[1:] = {list(arguments)!r}\n{code}")
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.splitlines()
