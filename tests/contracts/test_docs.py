"""Every command is in the README, every module says what it is."""

from __future__ import annotations

import ast

import pytest
from contracts import sources

from tfod_tools.__main__ import commands, file

# Empty on purpose: importing the package must load nothing.
NO_DOCSTRING = ("tfod_tools/__init__.py",)


@pytest.mark.parametrize("command", commands())
def test_the_readme_names_every_command(command: str) -> None:
    assert f"`{command}`" in (sources.ROOT / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("file", [file for file in sources.files() if file not in NO_DOCSTRING])
def test_every_module_says_what_it_is(file: str) -> None:
    docstring = ast.get_docstring(sources.tree(file)) or ""
    first_line = docstring.partition("\n\n")[0]
    assert first_line.endswith((".", ":")), first_line


@pytest.mark.parametrize("command", commands())
def test_the_help_tells_the_exit_codes(command: str) -> None:
    assert "\nExit codes: 0 " in (ast.get_docstring(ast.parse(file(command).read_text(encoding="utf-8"))) or "")
