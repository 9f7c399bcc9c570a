"""The engine, unmodified, run under compatibility shims.

The only package that imports TensorFlow or `object_detection`. Nothing here is imported by a command: a command starts
`python -m tfod_tools.engine.<entry>` in a child process, and a cluster job runs the same words. An entry applies the
shims first and imports the engine after that.

Entries: `train`, `evaluate`, `export`, `predict`.
"""
