"""Who may import whom, and who may load what is slow: read from the source, so that no path is missed."""

from __future__ import annotations

import ast

import pytest
from contracts import sources

from tfod_tools.__main__ import commands

# Top to bottom: each may import itself and what stands below it, never what stands above.
ORDER = (
    *("diagnosis", "training", "artefacts", "metrics", "pages"),  # folders of tfod_tools
    *("cloud", "pipeline_configs", "record_builders", "base"),
)
DOMAINS = ("cloud", "pipeline_configs", "record_builders")
ENGINE = "tfod_tools.engine"
# The engine, and what only it brings.
ENGINE_PACKAGES = {
    *("tensorflow", "tensorflow_estimator", "tensorflow_io", "tensorflow_models", "tf_keras", "tf_slim", "keras"),
    *("official", "object_detection", "pycocotools"),
}
# The schema of a pipeline.config is the engine's; its messages load without TensorFlow.
PROTOS_ALLOWED_IN = "pipeline_configs/text/text_proto.py"
SLOW_PACKAGES = ENGINE_PACKAGES | {"numpy", "PIL", "pandas", "polars", "matplotlib", "rich"}
MAY_PRINT = (
    "cloud/tasks/launch.py",  # a task's log: it is the program that a cluster starts
    "tfod_tools/base/output.py",
    "tfod_tools/base/progress.py",
    "tfod_tools/base/tables.py",
    "tfod_tools/base/engine_process.py",  # the answer to Ctrl-C: only the handler of the signal knows the moment
)
MAY_START_PROCESSES = (
    "cloud/processes.py",
    "cloud/backends/local/supervisor.py",
    "tfod_tools/base/engine_process.py",
    "tfod_tools/base/engine_source.py",  # protoc
    "tfod_tools/demo.py",
    "tfod_tools/engine/installation.py",  # pip
    "record_builders/workers.py",
)
# The command `tfod engine` and what it consults: these, and the package's empty start, run in a command's process.
ENGINE_COMMAND = tuple(f"tfod_tools.engine.{name}" for name in ("__main__", "installation", "versions"))

# For each layer those that it may import. A command is a layer of its own: none imports another.
ALLOWED = {
    "root": set[str](),
    **{name: set(ORDER[index:]) for index, name in enumerate(ORDER)},
    "engine": {"engine", "engine command", "base"},
    "app": {"app", "base"},
    "__main__": {"__main__", "app", "base"},
    "engine command": {"engine command", "app", "base"},
    **{command: {command, "app", *ORDER} for command in commands() if command != "engine"},
}


def layer(module: str) -> str | None:
    """The layer of one of the project's modules; None for any other module."""
    parts = module.split(".")
    if parts[0] in DOMAINS:
        return parts[0]
    if module == ENGINE or module.startswith(ENGINE_COMMAND):
        return "engine command"
    if parts[0] != "tfod_tools":
        return None
    return parts[1] if len(parts) > 1 else "root"


def in_engine(file: str) -> bool:
    return layer(sources.module(file)) == "engine"


def root(name: str) -> str:
    return name.partition(".")[0]


@pytest.mark.parametrize("file", sources.files())
def test_layers(file: str) -> None:
    own = layer(sources.module(file))
    assert own in ALLOWED, f"{file} belongs to no layer"
    found = {name: layer(name) for name in sources.imported(sources.tree(file))}
    wrong = {name for name, other in found.items() if other not in (None, "root") and other not in ALLOWED[own]}
    assert not wrong, f"a file of the layer {own} may import {sorted(ALLOWED[own])}"


def test_the_package_itself_holds_its_version_alone() -> None:
    """Whoever imports a module of it pays for this file too."""
    _, *statements = sources.tree("tfod_tools/__init__.py").body
    assert [ast.unparse(each).partition(" =")[0] for each in statements] == ["__version__"]


@pytest.mark.parametrize("file", [file for file in sources.files() if not in_engine(file)])
def test_only_the_engine_imports_tensorflow(file: str) -> None:
    found = {name for name in sources.imported(sources.tree(file)) if root(name) in ENGINE_PACKAGES}
    if file == PROTOS_ALLOWED_IN:
        found = {name for name in found if not name.startswith("object_detection.protos")}
    assert not found


@pytest.mark.parametrize("file", [file for file in sources.files() if not in_engine(file)])
def test_nothing_slow_is_imported_at_once(file: str) -> None:
    assert not {name for name in sources.imported_at_once(sources.tree(file)) if root(name) in SLOW_PACKAGES}


@pytest.mark.parametrize("file", [file for file in sources.files() if layer(sources.module(file)) in ORDER])
def test_only_commands_print(file: str) -> None:
    names = {node.id for node in ast.walk(sources.tree(file)) if isinstance(node, ast.Name)}
    assert "print" not in names or file in MAY_PRINT


@pytest.mark.parametrize("file", sources.files())
def test_processes_are_started_in_few_places(file: str) -> None:
    starts = {"subprocess", "multiprocessing", "pty"} & {root(name) for name in sources.imported(sources.tree(file))}
    assert not starts or file in MAY_START_PROCESSES
    called = {ast.unparse(node.func) for node in ast.walk(sources.tree(file)) if isinstance(node, ast.Call)}
    assert not called & {"os.system", "os.popen", "os.fork", "os.posix_spawn"}


def test_the_exceptions_are_still_needed() -> None:
    def has(file: str, package: str) -> bool:
        return package in {root(name) for name in sources.imported(sources.tree(file))}

    assert has(PROTOS_ALLOWED_IN, "object_detection")
    assert all(has(file, "subprocess") or has(file, "multiprocessing") for file in MAY_START_PROCESSES)
    assert set(MAY_PRINT) <= set(sources.files())


@pytest.mark.parametrize(
    ("code", "all_of_them", "at_once"),
    [
        ("import numpy.linalg", {"numpy.linalg"}, {"numpy.linalg"}),
        ("from PIL import Image", {"PIL", "PIL.Image"}, {"PIL", "PIL.Image"}),
        ("def f():\n  import numpy", {"numpy"}, set()),
        ("class A:\n  import numpy", {"numpy"}, {"numpy"}),
        ("try:\n  import numpy\nexcept ImportError:\n  import array", {"numpy", "array"}, {"numpy", "array"}),
        ("if TYPE_CHECKING:\n  import numpy\nelse:\n  import array", {"numpy", "array"}, {"array"}),
        ("if x:\n  def f():\n    import numpy\n  import array", {"numpy", "array"}, {"array"}),
    ],
)
def test_how_imports_are_found(code: str, all_of_them: set[str], at_once: set[str]) -> None:
    tree = ast.parse(code)
    assert set(sources.imported(tree)) == all_of_them
    assert set(sources.imported_at_once(tree)) == at_once
