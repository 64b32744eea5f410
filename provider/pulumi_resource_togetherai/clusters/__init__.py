"""What is known of the remediations of each cluster, one view for each, and the wait for any of them. Nothing of
Pulumi."""
