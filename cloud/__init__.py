"""Jobs: what is to be run, described once, wherever it runs."""
