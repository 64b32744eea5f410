"""Watching the remediations of a cluster for all who wait for one, at the price of few requests. Nothing of Pulumi."""
