"""The steps that the operations are made of: each talks to the API, and any of them may be interrupted."""
