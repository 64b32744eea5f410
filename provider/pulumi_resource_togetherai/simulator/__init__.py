"""A local stand-in for the Together AI remediation API.

Everything that can be learned of the service from its published contract and clients, on a clock that can be hurried,
with faults that can be asked for. It shares nothing with the provider but the API's models, so that a mistake in the
provider's client is not a mistake here too.
"""
