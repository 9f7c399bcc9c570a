"""From annotated images to a working detector with the TensorFlow Object Detection API."""

__version__ = "0.1.0"
