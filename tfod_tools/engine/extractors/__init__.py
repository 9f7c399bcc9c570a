"""Feature extractors that the engine does not have: those of this folder, and those of a user's own module.

Each file of this folder is one extractor, named after its type: `ssd_x_keras.py` registers `ssd_x_keras`. A user's
module registers in the same way, and `--extension` names it. docs/extractors.md shows one for each style:

    from tfod_tools.engine import extractors

    @extractors.register("ssd", "ssd_mine_keras")
    class MineKeras(ssd_meta_arch.SSDKerasFeatureExtractor): ...

Types that end in `_keras` and all types of CenterNet are TF2 style. The others are TF1 style. The engine names its own
types in the same way.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from tfod_tools.base import plugins
from tfod_tools.base.errors import ConfigError, TfodError

_FOLDER = Path(__file__).parent
_EXTENSION = "tfod_tools_extension"  # the module name of an imported file; no other module has it

# The maps of the engine's `model_builder` by architecture: TF1 style, TF2 style.
_MAPS = {
    "ssd": ("SSD_FEATURE_EXTRACTOR_CLASS_MAP", "SSD_KERAS_FEATURE_EXTRACTOR_CLASS_MAP"),
    "faster_rcnn": ("FASTER_RCNN_FEATURE_EXTRACTOR_CLASS_MAP", "FASTER_RCNN_KERAS_FEATURE_EXTRACTOR_CLASS_MAP"),
    "center_net": ("CENTER_NET_EXTRACTOR_FUNCTION_MAP", "CENTER_NET_EXTRACTOR_FUNCTION_MAP"),
}

Extractor = TypeVar("Extractor", bound=Callable[..., Any])


def register(architecture: str, name: str) -> Callable[[Extractor], Extractor]:
    """Adds a feature extractor to the engine. Use it as a decorator, or call `register("ssd", "ssd_mine")(Mine)`.

    Args:
      architecture: "ssd", "faster_rcnn" or "center_net", as the config's `model` has it.
      name: the `feature_extractor.type` by which configs ask for it.

    Raises:
      ConfigError: the architecture is not one of these, or an extractor of that name exists.
    """

    def added(extractor: Extractor) -> Extractor:
        known = _map(architecture)
        if name in known:
            raise ConfigError(f"an extractor with the name '{name}' exists already. Choose another name.")
        known[name] = extractor
        return extractor

    return added


def provide(config: str, extension: str | None) -> None:
    """Registers the extractor that a config asks for, from this folder or from the user's module.

    Args:
      config: path of the pipeline.config.
      extension: a dotted module name, or the path of a file that ends in `.py`; None if the user names none.

    Raises:
      ConfigError: the module cannot be imported, uses a name that exists, or does not register the config's type.
    """
    from object_detection.utils import config_util

    model = config_util.get_configs_from_pipeline_file(config)["model"]
    architecture = model.WhichOneof("model")
    wanted = getattr(model, architecture).feature_extractor.type if architecture in _MAPS else ""
    if wanted in plugins.names(_FOLDER):
        importlib.import_module(f"{__name__}.{wanted}")
    if extension:
        _provide_own(extension, architecture, wanted)


def _provide_own(extension: str, architecture: str, wanted: str) -> None:
    known = _map(architecture)
    before = set(known)
    _import(extension)
    new = sorted(set(known) - before)
    if wanted not in new:
        raise ConfigError(
            f"registers {', '.join(new) or 'nothing'} for {architecture}, but the config's feature_extractor.type is"
            f" '{wanted}'. Register '{wanted}', or leave out --extension.",
            path=extension,
        )
    base = _base(architecture)
    if base and isinstance(known[wanted], type) and not issubclass(known[wanted], base):
        raise ConfigError(
            f"'{wanted}' is not a subclass of {base.__name__}. Names of TF2 (Keras) types end in _keras, names of TF1"
            " (slim) types do not. Change its name or its base class.",
            path=extension,
        )


def _import(extension: str) -> None:
    try:
        if extension.endswith(".py"):
            _run(Path(extension))
        else:
            importlib.import_module(extension)
    except TfodError as error:
        error.path = error.path or extension
        raise
    except Exception as error:
        traceback.print_exc()
        lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == extension]
        message = f"cannot be imported: {type(error).__name__}: {error}. The traceback is in the log."
        raise ConfigError(message, path=extension, line=lines[-1] if lines else None) from error


def _run(path: Path) -> None:
    spec = importlib.util.spec_from_file_location(_EXTENSION, path)
    assert spec is not None
    assert spec.loader is not None
    sys.path.append(
        str(path.parent)
    )  # at the end: files beside it can be imported, but they never hide an installed package
    sys.modules[_EXTENSION] = module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)


def _map(architecture: str) -> dict[str, Any]:
    """The engine's extractors of an architecture in the style of this process, by type."""
    from object_detection.builders import model_builder
    from object_detection.utils import tf_version

    if architecture not in _MAPS:
        raise ConfigError(f"the architecture is '{architecture}'. It must be one of {', '.join(_MAPS)}.")
    return getattr(model_builder, _MAPS[architecture][tf_version.is_tf2()])  # type: ignore[no-any-return]


def _base(architecture: str) -> type | None:
    """The base class of the architecture's extractors in the style of this process; None where there is none."""
    from object_detection.meta_architectures import faster_rcnn_meta_arch, ssd_meta_arch
    from object_detection.utils import tf_version

    bases = {
        "ssd": (ssd_meta_arch.SSDFeatureExtractor, ssd_meta_arch.SSDKerasFeatureExtractor),
        "faster_rcnn": (
            faster_rcnn_meta_arch.FasterRCNNFeatureExtractor,
            faster_rcnn_meta_arch.FasterRCNNKerasFeatureExtractor,
        ),
    }
    return bases[architecture][tf_version.is_tf2()] if architecture in bases else None
