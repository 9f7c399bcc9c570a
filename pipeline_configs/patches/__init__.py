"""Changes to a config by field path: paths, values, patterns, patches, and the difference of two configs."""
