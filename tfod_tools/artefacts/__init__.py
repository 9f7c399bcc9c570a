"""Exported models: how they are made from a checkpoint, what their folders hold, and what they find in images."""
