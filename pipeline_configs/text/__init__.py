"""The text of a config: parsing, positions of fields, printing, and changes that keep comments and layout."""
