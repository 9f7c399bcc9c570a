"""From annotations to a plan of the records: what is read, checked, chosen, split and grouped. Writes nothing."""
