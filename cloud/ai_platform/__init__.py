"""Documents of AI Platform Training, a service that ended in January 2025, made into job files."""
