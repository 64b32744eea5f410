"""The reference page: the OpenAPI document and the schema of scenario files, for people."""

from __future__ import annotations

from typing import Any

from togetherai_simulator.html import render
from togetherai_simulator.settings import Settings

Json = dict[str, Any]


def render_reference(document: Json, scenario: Json, settings: Settings) -> str:
    """The page. Its content comes only from the OpenAPI document, the JSON schema of a scenario, and the dialect in
    force."""
    return render(
        "reference.html",
        info=document["info"],
        operations=[
            (path, method, operation)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
        ],
        messages=document["components"]["schemas"],
        scenario={"Scenario": scenario, **scenario["$defs"]},
        settings=settings,
    )
