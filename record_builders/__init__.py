"""Makes the sharded TFRecords and the label map for the engine from annotations. Needs no TensorFlow."""
