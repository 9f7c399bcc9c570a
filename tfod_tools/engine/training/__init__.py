"""The training loops of both styles, and what they share. Entry: `tfod_tools.engine.train`.

`estimator` is TF1 style, `keras` is TF2 style. Both have a function `train` with the same arguments.
"""
