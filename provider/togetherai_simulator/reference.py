"""The reference page: the OpenAPI document, the control calls and the schema of scenario files, for people."""

from __future__ import annotations

import inspect
from typing import Any

from pydantic.json_schema import models_json_schema

from togetherai_simulator.control import CALLS, ROOT
from togetherai_simulator.html import render
from togetherai_simulator.script import Scenario
from togetherai_simulator.settings import Settings

Json = dict[str, Any]


def render_reference(document: Json, settings: Settings) -> str:
    """The page. Its content comes only from the OpenAPI document, the table of the control calls, the models that
    validate what they and scenario files hold, and the dialect in force."""
    bodies = [call.body for call in CALLS if call.body]
    _, options = models_json_schema([(model, "validation") for model in (*bodies, Scenario)])
    messages: Json = document["components"]["schemas"]
    return render(
        "reference.html",
        info=document["info"],
        operations=[
            (path, method, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ],
        messages=messages,
        root=ROOT,
        calls=[(call, inspect.cleandoc(call.handler.__doc__ or "")) for call in CALLS],
        # Each is explained once, though several may use it.
        options={name: schema for name, schema in sorted(options["$defs"].items()) if name not in messages},
        settings=settings,
    )
