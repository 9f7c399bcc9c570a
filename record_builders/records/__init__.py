"""The record format, to read and to write: `tf.train.Example`, TFRecord files, names of shards."""
