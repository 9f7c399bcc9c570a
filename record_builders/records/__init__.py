"""The record format, read and written: `tf.train.Example`, TFRecord framing, names of shards."""
