"""From a plan to files: staging, writing (here or with Apache Beam), the manifest, and the report."""
