"""Lookups: what a program can ask about clusters, without changing anything."""
