"""The job file: YAML, read strictly, with the line of each value."""
