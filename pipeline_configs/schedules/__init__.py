"""Learning rates: what the engine makes of a config's schedule step by step, and schedules for runs of another size."""
