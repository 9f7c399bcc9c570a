"""From a plan to files: staging, writing here or by Apache Beam, the manifest, and the report."""
