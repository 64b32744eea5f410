"""Adapter 1: the gRPC provider plugin, for programs in every Pulumi language."""
