"""Checkpoints, read without TensorFlow, and what training would start from."""
