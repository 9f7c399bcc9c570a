"""The aliases `np.int`, `np.float`, `np.bool` and `np.object` of Python's own types, and `np.NAN` of `np.nan`.

Needed by: `nets.mobilenet.mobilenet_v3` (`np.int`, at import), `object_detection.utils.metrics` (`np.float`, at the
end of a Pascal VOC or Open Images evaluation; `np.NAN`, for a class without ground truth),
`object_detection.metrics.coco_evaluation` (`np.bool`, panoptic). NumPy: 1.24 and later, which removed the types (2.0
brought `np.bool` back as its own scalar type, which works here too), and 2.0 and later, which removed `NAN`.
"""

import math

NEEDED_ON = "NumPy >= 1.24"

_ALIASES = {"int": int, "float": float, "bool": bool, "object": object, "NAN": math.nan}


def needed(style: str) -> str | None:
    """Why it is needed here; None where it is not."""
    missing = _missing()
    return f"NumPy has no {', '.join(missing)}" if missing else None


def apply() -> None:
    """Puts the aliases back where they are missing."""
    import numpy as np

    for name in _missing():
        setattr(np, name, _ALIASES[name])


def _missing() -> list[str]:
    import warnings

    import numpy as np

    with warnings.catch_warnings():
        # NumPy 1.20 to 1.23 warn about these names, 1.24 and later have a message for each.
        warnings.simplefilter("ignore")
        return [name for name in _ALIASES if not hasattr(np, name)]
