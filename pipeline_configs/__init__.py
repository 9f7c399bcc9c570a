"""pipeline.config: templates, field paths, patches, and what a data set fills in. Never imports TensorFlow."""
