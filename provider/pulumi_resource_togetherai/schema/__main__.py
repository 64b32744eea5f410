"""Prints the schema."""

from __future__ import annotations

import json

from pulumi_resource_togetherai.schema import schema

print(json.dumps(schema(), indent=2))
