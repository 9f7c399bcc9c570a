"""One run of training on this machine: its start from a plan, and the live line that shows its progress."""
