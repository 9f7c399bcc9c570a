"""Names that tf-slim 1.1.0 expects in TensorFlow's internal modules.

Needed by: `tf_slim.tfexample_decoder` (`control_flow_ops.case` and `cond`, reached by every decoded record through the
engine's `TfExampleDecoder`), `tf_slim.learning` and `tf_slim.optimizers` (`framework.ops.IndexedSlices`, in every TF1
training step), `tf_slim.layers` (`framework.ops.Tensor`). TensorFlow: about 2.13 and later, which moved them.
"""


def apply() -> None:
    """Puts the names back where tf-slim looks for them."""
    import tensorflow as tf
    from tensorflow.python.framework import ops
    from tensorflow.python.ops import control_flow_ops

    moved = {
        control_flow_ops: {
            "case": tf.compat.v1.case,
            "cond": tf.compat.v1.cond,
            "while_loop": tf.compat.v1.while_loop,
            "Assert": tf.compat.v1.Assert,
        },
        ops: {"IndexedSlices": tf.IndexedSlices, "Tensor": tf.Tensor},
    }
    for module, members in moved.items():
        for name, member in members.items():
            if not hasattr(module, name):
                setattr(module, name, member)
