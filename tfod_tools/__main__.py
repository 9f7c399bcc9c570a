"""`tfod COMMAND [flags]`: the same as `python -m tfod_tools.COMMAND [flags]`."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path

from tfod_tools.base import plugins

_FOLDER = Path(__file__).parent
_NOT_COMMANDS = ("app",)


def commands() -> dict[str, str]:
    """Each command's name and the first sentence of its help, read without importing it."""
    found = {}
    for name in plugins.names(_FOLDER):
        if name not in _NOT_COMMANDS:
            doc = ast.get_docstring(ast.parse((_FOLDER / f"{name}.py").read_text())) or ""
            found[name] = doc.split("\n\n")[0].replace("\n", " ")
    return found


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the named command; without a name, lists the commands."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    known = commands()
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        print("Usage: tfod COMMAND [--flag=value ...]; tfod COMMAND --help tells more.\n")
        for name, summary in known.items():
            print(f"  {name:<16}{summary}")
        return 0
    if arguments[0] not in known:
        print(f"No command is called '{arguments[0]}'. {plugins.suggestion(arguments[0], known)}", file=sys.stderr)
        return 1
    from tfod_tools import app

    module = importlib.import_module(f"tfod_tools.{arguments[0]}")
    return app.status(module.main, module.FLAGS, module.__doc__, [f"tfod {arguments[0]}", *arguments[1:]])


if __name__ == "__main__":
    sys.exit(main())
