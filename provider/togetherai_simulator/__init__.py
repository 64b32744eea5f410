"""A local stand-in for the Together AI remediation API.

It behaves as the service's published contract and clients describe. You can speed its clock up and switch faults on. It
shares nothing with the provider but the API's models, so that a mistake in the provider's client is not repeated here.
"""
