"""Training jobs: one description of a job, and the back-ends that run it here, on a cluster or in a cloud."""
