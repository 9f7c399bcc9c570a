"""What runs on each machine of a cluster: the launcher, TF_CONFIG, and the lines in which it reports."""
