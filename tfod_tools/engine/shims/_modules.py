"""Modules that are made in memory, without a file."""

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def register(name: str, **members: Any) -> ModuleType:
    """Makes a module of `members` importable as `name`; `find_spec` finds it too."""
    module = importlib.util.module_from_spec(ModuleSpec(name, loader=None))
    vars(module).update(members)
    sys.modules[name] = module
    return module
