"""Checkpoints as they lie on the disk, read without TensorFlow, and what training would start from."""
