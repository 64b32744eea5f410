"""The two forms of a resource, as a stack tells them apart.

Each form gives its resources the type of the other one as an alias, so a program may change from one to the other: the
engine then hands what the stack holds to the new form.
"""

from __future__ import annotations

PLUGIN = "togetherai:index:"
"""What the types of the plugin begin with."""
DYNAMIC = "pulumi-python:dynamic/togetherai:"
"""What the types of the dynamic form begin with."""

# The dynamic form keeps more than a resource's inputs and outputs in the stack, since pulumi.dynamic passes on little
# of what Pulumi knows. The plugin recognizes these properties and drops them.
SERIALIZED = "__provider"
"""The property in which pulumi.dynamic keeps the provider's class."""
DECLARED = "declaredInputs"
"""The output that keeps the inputs: pulumi.dynamic passes back only the outputs."""
URN = "resourceUrn"
"""The input in which the program passes the resource's URN."""
SECRET = "secretInputs"
"""The input that names the inputs which are secret, or hold something secret; absent if none is. The engine takes the
marks off before it calls the provider."""
REPLACE_ON = "replaceOnChanges"
"""The input that passes on the option of that name; absent if the option is not set."""
DYNAMIC_INPUTS = frozenset({SERIALIZED, URN, SECRET, REPLACE_ON})
"""What the inputs of the dynamic form hold beside those of the resource."""
