"""The engine, unmodified, run under compatibility shims.

Only this package imports TensorFlow or `object_detection`. A command starts `python -m tfod_tools.engine.<entry>` in a
child process; a cluster job runs the same command line. An entry first applies the shims, then imports the engine.

Entries: `train`, `evaluate`, `export`, `predict`, `restoration`, `probe`. The package is also the command `tfod
engine`, which imports only `installation` and `versions`, and no TensorFlow.
"""
