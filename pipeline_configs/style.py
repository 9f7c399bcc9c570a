"""Which of the engine's two styles a config trains in: "tf1" (slim, Estimator) or "tf2" (Keras, eager).

The feature extractor decides. The engine has one list of extractors for each style, in the source of its
`model_builder`, which is read here without running it: running it imports TensorFlow.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from pipeline_configs import schema
from pipeline_configs.text_proto import Config
from tfod_tools.base import plugins
from tfod_tools.base.errors import ConfigError, MissingPackageError

Style = Literal["tf1", "tf2"]

# How `model_builder` starts the names of its maps.
_MAP_PREFIXES = {"ssd": "SSD_", "faster_rcnn": "FASTER_RCNN_", "center_net": "CENTER_NET_"}
_STYLE_TESTS: dict[str, Style] = {"is_tf1": "tf1", "is_tf2": "tf2"}


def style_of(config: Config) -> Style:
    """The style in which the engine trains `config`.

    Raises:
      ConfigError: the model has no feature extractor that the engine knows.
      MissingPackageError: the engine is not installed.
    """
    architecture = schema.architecture(config)
    wanted = getattr(config.model, architecture).feature_extractor.type
    known = extractors()
    style = known[architecture].get(wanted)
    if style is None:
        hint = plugins.suggestion(wanted, known[architecture])
        raise ConfigError(f"model.{architecture}.feature_extractor.type: no extractor is called '{wanted}'. {hint}")
    return style


@functools.cache
def extractors() -> Mapping[str, Mapping[str, Style]]:
    """The engine's feature extractors: the style of each, by architecture and type.

    Raises:
      MissingPackageError: the engine is not installed.
    """
    found: dict[str, dict[str, Style]] = {architecture: {} for architecture in schema.ARCHITECTURES}
    for style, name, types in _maps(ast.parse(_model_builder().read_text(encoding="utf-8"))):
        for architecture, prefix in _MAP_PREFIXES.items():
            if name.startswith(prefix):
                found[architecture].update(dict.fromkeys(types, style))
    return found


def _model_builder() -> Path:
    spec = importlib.util.find_spec("object_detection")
    for folder in (spec and spec.submodule_search_locations) or ():
        path = Path(folder) / "builders" / "model_builder.py"
        if path.is_file():
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
