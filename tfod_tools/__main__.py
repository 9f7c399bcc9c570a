"""`tfod COMMAND [flags]`: the same as `python -m tfod_tools.COMMAND [flags]`."""

from __future__ import annotations

import ast
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import tfod_tools
from tfod_tools.base import plugins

_FOLDER = Path(__file__).parent
_NOT_COMMANDS = ("app",)

# The order in which people use them. A command that is not named here is listed last.
_ORDER = (
    *("make_records", "make_config", "check_config", "train", "evaluate", "export", "predict", "submit"),
    *("inspect_records", "make_label_map", "fit_anchors", "engine", "demo"),
)


def commands() -> dict[str, str]:
    """Each command's name and the first sentence of its help, in the order of use. No command is imported."""
    found = {}
    for name in _names():
        doc = ast.get_docstring(ast.parse(file(name).read_text())) or ""
        found[name] = doc.split("\n\n")[0].replace("\n", " ")
    return found


def _names() -> list[str]:
    """The modules of this folder, and the packages that can be run."""
    modules = (path.stem for path in _FOLDER.glob("[!_]*.py"))
    packages = (path.parent.name for path in _FOLDER.glob("*/__main__.py"))
    names = sorted({*modules, *packages} - {*_NOT_COMMANDS})
    return sorted(names, key=lambda name: _ORDER.index(name) if name in _ORDER else len(_ORDER))


def file(command: str) -> Path:
    """The source file of a command."""
    module = _FOLDER / f"{command}.py"
    return module if module.exists() else _FOLDER / command / "__main__.py"


def load(command: str) -> ModuleType:
    """A command's module, with `main`, `FLAGS`, and its help as docstring."""
    return importlib.import_module(".".join(("tfod_tools", *file(command).relative_to(_FOLDER).with_suffix("").parts)))


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the named command. Without a name, lists the commands."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    known = commands()
    if not arguments or arguments[0] in ("--help", "-h", "help"):
        print("Usage: tfod COMMAND [--flag=value ...]. Run tfod COMMAND --help to see what a command does.\n")
        for name, summary in known.items():
            print(f"  {name:<16}{summary}")
        return 0
    if arguments[0] == "--version":
        print(f"tfod-tools {tfod_tools.__version__}")
        return 0
    if arguments[0] not in known:
        print(f"No command is called '{arguments[0]}'. {plugins.suggestion(arguments[0], known)}", file=sys.stderr)
        return 1
    from tfod_tools import app

    module = load(arguments[0])
    return app.run_to_end(module.main, module.FLAGS, module.__doc__, [f"tfod {arguments[0]}", *arguments[1:]])


if __name__ == "__main__":
    sys.exit(main())
