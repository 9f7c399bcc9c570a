"""How a config is made: templates, what the data set decides, named edits, and what was published."""
