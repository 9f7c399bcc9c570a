"""Anchors of a config, as the engine lays and matches them, in NumPy and without TensorFlow.

From the config to anchors: `resizer` (what size the network sees) → `feature_maps` (how many positions) → `generators`
(which shapes, giving `grid.Grid`s) → `first_stage` (what Faster R-CNN makes of them at the border). From anchors to a
verdict: `matcher` says exactly what the engine's matchers say, for one image; `pairs` and `coverage` say the same of a
hundred thousand objects without looking at every pair; `search` looks for anchors that cover more.

All boxes are float32 in the engine's order ymin, xmin, ymax, xmax, and formulas are evaluated in its order, so that a
threshold falls on the same side.
"""
