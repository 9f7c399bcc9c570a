"""Modules that no file holds."""

import importlib.util
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any


def register(name: str, **members: Any) -> ModuleType:
    """Makes a module of `members` importable as `name`, also for those who look for it with `find_spec`."""
    module = importlib.util.module_from_spec(ModuleSpec(name, loader=None))
    vars(module).update(members)
    sys.modules[name] = module
    return module
