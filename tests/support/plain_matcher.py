"""The engine's matchers for one image, written plainly: what fast code and the engine are compared with.

Source: matchers/argmax_matcher.py and matchers/bipartite_matcher.py of the engine.
"""

from __future__ import annotations

import numpy as np
from numpy import typing as npt

from pipeline_configs.anchors.matcher import ArgMax

BACKGROUND, IGNORED = -1, -2

Similarity = npt.NDArray[np.float32]
Valid = npt.NDArray[np.bool_]
Matches = npt.NDArray[np.int64]


def argmax(similarity: Similarity, how: ArgMax, valid: Valid | None = None) -> Matches:
    """The number of its object for each anchor, or `BACKGROUND` or `IGNORED`, int64 [anchors].

    Args:
      similarity: float32 [objects, anchors].
      how: the matcher.
      valid: bool [objects], those that are forced to an anchor where `how` says so; all by default. They are the ones
        of a weight above 0.
    """
    objects, anchors = similarity.shape
    if not objects:
        return np.full(anchors, BACKGROUND)
    matches, best = similarity.argmax(0), similarity.max(0)
    if how.matched is not None and how.unmatched is not None:
        below, between = (BACKGROUND, IGNORED) if how.background_below else (IGNORED, BACKGROUND)
        matches[best < np.float32(how.matched)] = between
        matches[best < np.float32(how.unmatched)] = below
    if how.forced:
        # Where several objects have the same best anchor, the first one gets it.
        for row in range(objects - 1, -1, -1):
            if valid is None or valid[row]:
                matches[similarity[row].argmax()] = row
    return matches


def bipartite(similarity: Similarity, valid: Valid | None = None) -> Matches:
    """The number of its object for each anchor, or `BACKGROUND`: pairs are formed from the most similar one down.

    Objects are numbered as the engine does: the valid ones first, and only those get an anchor.

    Args:
      similarity: float32 [objects, anchors].
      valid: bool [objects]; all by default.
    """
    rows = similarity if valid is None else similarity[valid]
    matches = np.full(similarity.shape[1], BACKGROUND)
    left = rows.astype(np.float32, copy=True)
    for _ in range(min(left.shape)):
        row, column = np.unravel_index(left.argmax(), left.shape)
        matches[column] = row
        left[row, :] = left[:, column] = -np.inf
    return matches
