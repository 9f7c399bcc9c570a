"""The anchors of a config, placed and matched exactly as the engine does it, in NumPy and without TensorFlow.

From the config to anchors: `resizer` (the size of the input), `feature_maps` (how many positions), `generators` (which
shapes; they make a `grid.Grid` for each feature map), `anchor_set` (all anchors, and what Faster R-CNN does with those
at the border). From anchors to a judgement: `matcher` has the engine's rules and its IoU; `pairs` and `coverage` apply
them to a hundred thousand `objects` without looking at every pair; `search` looks for anchors that cover more, with
`moves` and `input_sizes`; `report` and `plot` show the result.

All boxes are float32 in the engine's order ymin, xmin, ymax, xmax. Formulas are computed in the engine's order of
operations, so that a value lies on the same side of a threshold.
"""
