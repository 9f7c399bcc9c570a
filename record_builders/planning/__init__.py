"""From annotations to a plan of the records: reading, checks, choices, splits, groups. Writes nothing."""
