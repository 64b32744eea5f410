"""A plugin that does nothing, built with the same Pulumi classes: `python -m waiting.do_nothing ENGINE`. Its resources
leave as much in the stack as a remediation, because that is what the engine reads, compares and sends."""

from __future__ import annotations

import json
import sys

from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.provider.experimental.provider import (
    CreateRequest,
    CreateResponse,
    GetSchemaRequest,
    GetSchemaResponse,
    Provider,
)
from pulumi.provider.experimental.server import main

PACKAGE = "donothing"
_PROPERTIES = {name: {"type": "string"} for name in ("clusterId", "instanceId", "mode")}
_RECORD = {f"output{number}": PropertyValue("a time, or an id") for number in range(20)}
"""What a record of a remediation that has ended holds beside its inputs."""


class DoNothing(Provider):
    """Answers at once: it creates every resource, and none ever differs."""

    async def get_schema(self, request: GetSchemaRequest) -> GetSchemaResponse:
        """One resource with three strings."""
        resource = {"inputProperties": _PROPERTIES, "properties": _PROPERTIES, "required": list(_PROPERTIES)}
        schema = {"name": PACKAGE, "version": "1.0.0", "resources": {f"{PACKAGE}:index:Remediation": resource}}
        return GetSchemaResponse(json.dumps(schema))

    async def create(self, request: CreateRequest) -> CreateResponse:
        """The outputs are the inputs, and a record."""
        return CreateResponse(resource_id=request.name, properties={**request.properties, **_RECORD})


if __name__ == "__main__":
    main(sys.argv[1:], "1.0.0", DoNothing())
