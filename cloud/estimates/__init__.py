"""Whether a job fits its machines, and what it costs, before anything is sent."""
