"""Watches the remediations of a cluster with few requests, for all operations that wait for one. Knows nothing of
Pulumi."""
