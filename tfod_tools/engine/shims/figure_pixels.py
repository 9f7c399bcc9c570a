"""`FigureCanvasAgg.tostring_rgb`, and `np.fromstring` of bytes.

Needed by: `add_cdf_image_summary` and `add_hist_image_summary` of `object_detection.utils.visualization_utils`, which
read the pixels of a figure with both. `ssd_meta_arch` has a method that draws the losses of its anchors in this way.
matplotlib: 3.10 and later, which removed `tostring_rgb`. NumPy: 2.3 and later, where `fromstring` takes only text.
"""

from typing import Any

NEEDED_ON = "matplotlib >= 3.10"


def needed(style: str) -> str | None:
    """Why it is needed here; None where it is not."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    return None if hasattr(FigureCanvasAgg, "tostring_rgb") else "matplotlib's canvas has no tostring_rgb"


def apply() -> None:
    """Puts back the method of the canvas and the binary mode of `np.fromstring`."""
    import numpy as np
    from matplotlib.backends import backend_agg

    of_text = np.fromstring

    def fromstring(string: Any, dtype: Any = float, count: int = -1, *, sep: str = "", **kwargs: Any) -> Any:
        if sep:
            return of_text(string, dtype, count, sep=sep, **kwargs)
        return np.frombuffer(string, dtype, count).copy()

    def tostring_rgb(canvas: Any) -> Any:
        return np.asarray(canvas.buffer_rgba())[..., :3].tobytes()

    numpy: Any = np
    numpy.fromstring = fromstring
    agg: Any = backend_agg.FigureCanvasAgg
    agg.tostring_rgb = tostring_rgb
