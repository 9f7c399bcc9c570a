"""Loads the weights of a base network from an HDF5 file of Keras that `train_config.fine_tune_checkpoint` names.

The engine's TF2 loop takes only object-based checkpoints of TensorFlow. But most weights of classification networks are
published as files of `model.save_weights("x.h5")`, by Keras 2 or 3. Feature extractors that have a method
`load_keras_weights(path)` can start from such a file.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from tfod_tools.base.errors import CheckpointError
from tfod_tools.engine.training.replacing import replaced

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_SUFFIX = ".h5"
_SCOPE = "classification"

Weights = Mapping[str, Sequence["npt.NDArray[np.float32]"]]


@contextlib.contextmanager
def accepted() -> Iterator[None]:
    """Lets `train_loop` start from a Keras file inside the block. Other checkpoints are loaded as before.

    Raises, in the loop:
      CheckpointError: the file does not fit the model, or the model's feature extractor cannot read such files.
    """
    from object_detection import model_lib_v2
    from object_detection.utils import variables_helper

    load, check = model_lib_v2.load_fine_tune_checkpoint, variables_helper.ensure_checkpoint_supported

    def load_either(
        model: Any, path: str, scope: str, version: Any, run_on_dummy: bool, dataset: Any, unpad: bool
    ) -> None:
        if path.endswith(_SUFFIX):
            _load(model._feature_extractor, path, scope)
        else:
            load(model, path, scope, version, run_on_dummy, dataset, unpad)

    def check_either(path: str, scope: str, model_dir: str) -> None:
        if not path.endswith(_SUFFIX):
            check(path, scope, model_dir)

    with (
        replaced(model_lib_v2, "load_fine_tune_checkpoint", load_either),
        replaced(variables_helper, "ensure_checkpoint_supported", check_either),
    ):
        yield


def read(path: str) -> Weights:
    """The layers of the Keras file `path` (local, or any path that TensorFlow reads), each with its weights in order.

    Layers have the names of the saved model. Only a `.weights.h5` of Keras 2 has no names. Its layers are named by kind
    and number: `conv2d`, `conv2d_1`, ...

    Raises:
      CheckpointError: there is no such file, or it holds no Keras weights.
    """
    import h5py  # type: ignore[import-untyped]

    try:
        content = tf.io.gfile.GFile(path, "rb").read()
    except tf.errors.OpError as error:
        raise CheckpointError("cannot be read as a file of Keras weights. Check the path.", path=path) from error
    try:
        with h5py.File(io.BytesIO(content)) as file:
            return _by_layer(file)
    except (OSError, KeyError) as error:
        raise CheckpointError(
            "is not a file of Keras weights. Pass one that save_weights('x.h5') wrote.", path=path
        ) from error


def assign(layers: Mapping[Any, str | None], weights: Weights, path: str) -> None:
    """Sets the weights of Keras layers.

    Args:
      layers: each layer with its name in `weights`; None if it is missing there.
      weights: the result of `read`.
      path: the file, named in errors and in the log.

    Raises:
      CheckpointError: a layer is missing or has another shape. No weight was set.
    """
    for layer, name in layers.items():
        if name is None:
            raise CheckpointError(
                f"holds no layer {layer.name}. Its layers: {_listed(weights)}. Pass weights of this network.", path=path
            )
        found, expected = [list(weight.shape) for weight in weights[name]], [list(w.shape) for w in layer.weights]
        if found != expected:
            raise CheckpointError(
                f"its layer {name} has the shapes {found}, but the model needs {expected}. Pass weights of this"
                " network.",
                path=path,
            )
    for layer, name in layers.items():
        layer.set_weights(weights[str(name)])
    tf.compat.v1.logging.info("Loaded %d layers from %s: %s", len(layers), path, ", ".join(x.name for x in layers))


def _load(extractor: Any, path: str, scope: str) -> None:
    if scope != _SCOPE:
        raise CheckpointError(
            f"is a Keras file. It holds only a base network, but train_config.fine_tune_checkpoint_type is '{scope}'."
            f" Set it to '{_SCOPE}'.",
            path=path,
        )
    if not hasattr(extractor, "load_keras_weights"):
        raise CheckpointError(
            f"is a Keras file, but {type(extractor).__name__} cannot read Keras files. Pass the prefix of a TF2"
            " checkpoint.",
            path=path,
        )
    if not extractor.built:
        extractor.build([None, None, None, 3])
    extractor.load_keras_weights(path)


def _by_layer(file: Any) -> dict[str, list[npt.NDArray[np.float32]]]:
    if "layers" in file:  # .weights.h5
        variables = {name: group["vars"] for name, group in file["layers"].items() if "vars" in group}
        found = {
            _text(group.attrs.get("name", name)): [group[str(i)][()] for i in range(len(group))]
            for name, group in variables.items()
        }
    else:
        root = file.get("model_weights", file)  # a whole model, or its weights alone
        found = {
            _text(name): [root[name][weight][()] for weight in root[name].attrs["weight_names"]]
            for name in root.attrs["layer_names"]
        }
    return {name: weights for name, weights in found.items() if weights}


def _text(name: str | bytes) -> str:
    return name.decode() if isinstance(name, bytes) else name  # bytes in the files of older versions of h5py


def _listed(weights: Weights) -> str:
    names = sorted(weights)
    return f"{', '.join(names[:6])}{', ...' if len(names) > 6 else ''}" if names else "none"
