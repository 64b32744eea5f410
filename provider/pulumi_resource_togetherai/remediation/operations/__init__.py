"""Pulumi's operations on a Remediation, a file for each."""
