"""Makes job files of documents of AI Platform Training, a service that ended in January 2025."""
