"""Learning rates: the rate that the engine uses at each step, and how it changes when the size of the run changes."""
