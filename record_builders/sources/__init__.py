"""Where annotations and images lie: files of folders and URLs, formats recognised, XML, JSON, lists of names."""
