"""The aliases `np.int`, `np.float`, `np.bool`, `np.object` of Python's own types.

Needed by: `nets.mobilenet.mobilenet_v3` (`np.int`, at import), `object_detection.utils.metrics` (`np.float`, at the
end of a Pascal VOC or Open Images evaluation), `object_detection.metrics.coco_evaluation` (`np.bool`, panoptic). NumPy:
1.24 and later, which removed them (2.0 brought `np.bool` back as its own scalar type, which serves as well).
"""


def apply() -> None:
    """Puts the aliases back where they are missing."""
    import warnings

    import numpy as np

    aliases: dict[str, type] = {"int": int, "float": float, "bool": bool, "object": object}
    with warnings.catch_warnings():
        # NumPy 1.20 to 1.23 warn, 1.24 and later have a message for each of these names.
        warnings.simplefilter("ignore")
        for name, builtin in aliases.items():
            if not hasattr(np, name):
                setattr(np, name, builtin)
