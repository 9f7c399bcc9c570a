"""Figures of a trained model: one evaluation of a checkpoint, and its figures as tables and as JSON."""
