"""Names that tf-slim 1.1.0 uses from TensorFlow's internal modules.

Needed by: `tf_slim.tfexample_decoder` (`control_flow_ops.case` and `cond`; the engine's `TfExampleDecoder` calls it for
every record), `tf_slim.learning` and `tf_slim.optimizers` (`framework.ops.IndexedSlices`, in every TF1 training step),
`tf_slim.layers` (`framework.ops.Tensor`). TensorFlow: about 2.13 and later, which moved these names.
"""

from typing import Any

NEEDED_ON = "TensorFlow >= 2.13"


def needed(style: str) -> str | None:
    """Why it is needed here; None where it is not."""
    missing = [name for _, name, _ in _moved_away()]
    return f"TensorFlow moved {', '.join(missing)}" if missing else None


def apply() -> None:
    """Puts the names back where tf-slim looks for them."""
    for module, name, member in _moved_away():
        setattr(module, name, member)


def _moved_away() -> list[tuple[Any, str, Any]]:
    """Each missing name: its module, the name, and what it stands for."""
    import tensorflow as tf
    from tensorflow.python.framework import ops
    from tensorflow.python.ops import control_flow_ops

    tf1 = tf.compat.v1
    names: tuple[tuple[Any, dict[str, Any]], ...] = (
        (control_flow_ops, {"case": tf1.case, "cond": tf1.cond, "while_loop": tf1.while_loop, "Assert": tf1.Assert}),
        (ops, {"IndexedSlices": tf.IndexedSlices, "Tensor": tf.Tensor}),
    )
    return [
        (module, name, member)
        for module, members in names
        for name, member in members.items()
        if not hasattr(module, name)
    ]
