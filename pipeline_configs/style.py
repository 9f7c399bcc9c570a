"""Which of the engine's two styles a config trains in: "tf1" (slim, Estimator) or "tf2" (Keras, eager).

The feature extractor decides. The engine has one list of extractors for each style, in the source of its
`model_builder`, which is read here without running it: running it imports TensorFlow. Extractors that are not the
engine's are told by the rule of its names: those that end in `_keras` are TF2 style, and so is all of CenterNet.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pipeline_configs.text import schema
from pipeline_configs.text.text_proto import Config
from tfod_tools.base import plugins
from tfod_tools.base.errors import ConfigError, MissingPackageError

Style = Literal["tf1", "tf2"]

# How `model_builder` starts the names of its maps.
_MAP_PREFIXES = {"ssd": "SSD_", "faster_rcnn": "FASTER_RCNN_", "center_net": "CENTER_NET_"}
# Each file is an extractor of its name, and belongs to the architecture with which the name begins.
_OWN = Path(plugins.__file__).parents[1] / "engine" / "extractors"
_STYLE_TESTS: dict[str, Style] = {"is_tf1": "tf1", "is_tf2": "tf2"}


def style_of(config: Config, extension: str | None = None) -> Style:
    """The style in which the engine trains `config`.

    Args:
      config: the pipeline.config.
      extension: the user's module that is said to bring its feature extractor; it is not looked at.

    Raises:
      ConfigError: nobody knows the model's feature extractor, and there is no extension.
      MissingPackageError: the engine is not installed.
    """
    architecture = schema.architecture(config)
    wanted = getattr(config.model, architecture).feature_extractor.type
    known = extractors()
    if wanted in known[architecture]:
        return known[architecture][wanted]
    if wanted and extension:
        return _by_name(architecture, wanted)
    hint = plugins.suggestion(wanted, known[architecture])
    raise ConfigError(
        f"model.{architecture}.feature_extractor.type: no extractor is called '{wanted}'. {hint} One of your own needs"
        " --extension."
    )


@functools.cache
def extractors() -> Mapping[str, Mapping[str, Style]]:
    """The feature extractors of the engine and of this package: the style of each, by architecture and type.

    Raises:
      MissingPackageError: the engine is not installed.
    """
    found: dict[str, dict[str, Style]] = {architecture: {} for architecture in schema.ARCHITECTURES}
    for style, name, types in _maps(ast.parse(_model_builder().read_text(encoding="utf-8"))):
        for architecture, prefix in _MAP_PREFIXES.items():
            if name.startswith(prefix):
                found[architecture].update(dict.fromkeys(types, style))
    for name in plugins.names(_OWN):
        architecture = next((a for a in ("ssd", "faster_rcnn") if name.startswith(f"{a}_")), "center_net")
        found[architecture][name] = _by_name(architecture, name)
    return found


def is_engines(architecture: str, extractor: str) -> bool:
    """Whether the type `extractor` of `architecture` is the engine's own, and neither this package's nor a user's."""
    return extractor in extractors().get(architecture, {}) and extractor not in plugins.names(_OWN)


def _by_name(architecture: str, name: str) -> Style:
    return "tf2" if architecture == "center_net" or name.endswith("_keras") else "tf1"


def _model_builder() -> Path:
    from tfod_tools.base import engine_source

    package = engine_source.package()
    path = package and package / "builders" / "model_builder.py"
    if path and path.is_file():
        return path
    raise MissingPackageError("tf-object-detection-api", "train")


def _maps(source: ast.Module) -> Iterator[tuple[Style, str, list[str]]]:
    """Style, name and keys of each dict that is assigned under `if tf_version.is_tf1():` or `is_tf2()`."""
    for block in source.body:
        match block:
            case ast.If(test=ast.Call(func=ast.Attribute(attr=test)), body=body) if test in _STYLE_TESTS:
                for statement in body:
                    match statement:
                        case ast.Assign(targets=[ast.Name(id=name)], value=ast.Dict(keys=keys)):
                            yield (
                                _STYLE_TESTS[test],
                                name,
                                [str(key.value) for key in keys if isinstance(key, ast.Constant)],
                            )
