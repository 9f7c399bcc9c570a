"""The engine, unmodified, run under compatibility shims.

The only package that imports TensorFlow or `object_detection`. A command starts `python -m tfod_tools.engine.<entry>`
in a child process, and a cluster job runs the same words. An entry applies the shims first and imports the engine after
that.

Entries: `train`, `evaluate`, `export`, `predict`, `restoration`, `probe`. The package is a command too, `tfod engine`,
which imports only `versions` and `installation` of it, and no TensorFlow.
"""
