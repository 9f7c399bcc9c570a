"""What runs on each machine of a cluster: the launcher, how it finds the cluster, TF_CONFIG, and its progress lines."""
