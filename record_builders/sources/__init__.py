"""Annotations and images as they are found: folders, URLs, recognising formats, XML, JSON, lists of names."""
