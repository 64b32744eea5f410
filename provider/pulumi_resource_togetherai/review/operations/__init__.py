"""Pulumi's operations on a RemediationReview, a file for each."""
