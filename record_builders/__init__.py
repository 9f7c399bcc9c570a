"""From annotations to the sharded TFRecords and the label map that the engine trains on. Needs no TensorFlow."""
