"""ClusterRepair: the repair of a cluster by a policy."""
