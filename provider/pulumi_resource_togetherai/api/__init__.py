"""The Together AI remediation API over HTTP, and nothing of Pulumi."""
