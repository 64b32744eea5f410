"""The reference page: the OpenAPI document and the schema of scenario files, for people."""

from __future__ import annotations

import re
from html import escape
from typing import Any, cast

from togetherai_simulator.console import render_spoken
from togetherai_simulator.settings import Settings

Json = dict[str, Any]


def render_reference(document: Json, scenario: Json, settings: Settings) -> str:
    """The page. Its content comes only from the OpenAPI document, the JSON schema of a scenario, and the dialect in
    force."""
    info: Json = document["info"]
    operations = [
        (path, method.upper(), operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    ]
    contents = "".join(
        f'<li><a href="#{operation["operationId"]}">{escape(operation["operationId"])}</a></li>'
        for _, _, operation in operations
    )
    scenario_parts: Json = {"Scenario": scenario, **scenario["$defs"]}
    dialect = render_spoken(settings) if settings.spoken else "<p>It speaks as the contract says.</p>"
    schemas: Json = document["components"]["schemas"]
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width"><meta name="color-scheme" content="light dark">'
        f"<title>{escape(info['title'])}: reference</title>"
        '<link rel="stylesheet" href="/_simulator/assets/console.css">'
        f'<header class="top"><h1>{escape(info["title"])}</h1><a href="/">Console</a>'
        '<a href="/openapi.json">openapi.json</a></header>'
        f'<main class="reference"><p>{_text(info["description"])}</p>'
        f'<nav aria-label="Operations"><ul>{contents}<li><a href="#dialect">dialect</a></li>'
        '<li><a href="#scenarios">scenario files</a></li></ul></nav>'
        f"{''.join(_operation(*operation) for operation in operations)}"
        f"<h2>Messages</h2>{''.join(_schema(name, schema) for name, schema in schemas.items())}"
        f'<h2 id="dialect">The dialect in force</h2>{dialect}'
        '<p><a href="#Dialect">All choices</a>: each is a guess about the real server.</p>'
        '<h2 id="scenarios">Scenario files</h2>'
        "<p>The YAML file that <code>togetherai-simulator --scenario FILE</code> reads. "
        "Times are in simulated seconds from the first start.</p>"
        f"{''.join(_schema(name, part) for name, part in scenario_parts.items() if name not in schemas)}</main></html>"
    )


def _text(text: str) -> str:
    """Text as HTML; text in backticks becomes code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _operation(path: str, method: str, operation: Json) -> str:
    rows = "".join(
        f"<tr><td><code>{escape(parameter['name'])}</code></td><td>{escape(parameter['in'])}</td>"
        f"<td>{_type(parameter['schema'])}</td><td>{_text(parameter['description'])}</td></tr>"
        for parameter in operation["parameters"]
    )
    parameters = (
        f"<table><thead><tr><th>Parameter</th><th>In</th><th>Type</th><th></th></tr></thead><tbody>{rows}</tbody></table>"
        if rows
        else ""
    )
    body: Json | None = operation.get("requestBody")
    sent = f"<p>Body: {_type(body['content']['application/json']['schema'])}</p>" if body else ""
    answer: Json = operation["responses"]["200"]["content"]["application/json"]["schema"]
    return (
        f'<section id="{operation["operationId"]}"><h2><b class="method">{method}</b> <code>{escape(path)}</code></h2>'
        f"<p>{_text(operation['summary'])}</p>{parameters}{sent}<p>Answer: {_type(answer)}</p></section>"
    )


def _schema(name: str, schema: Json) -> str:
    text = f"<p>{_text(schema.get('description', ''))}</p>"
    if "enum" in schema:
        text += f"<p>{', '.join(f'<code>{escape(value)}</code>' for value in schema['enum'])}</p>"
    required: list[str] = schema.get("required", [])
    rows = "".join(
        f"<tr><td><code>{escape(field)}</code></td><td>{_type(details)}{' required' if field in required else ''}</td>"
        f"<td>{_text(details.get('description', ''))}</td></tr>"
        for field, details in schema.get("properties", {}).items()
    )
    table = f"<table><tbody>{rows}</tbody></table>" if rows else ""
    return f'<section id="{escape(name)}"><h3>{escape(name)}</h3>{text}{table}</section>'


def _type(schema: Json) -> str:
    if reference := schema.get("$ref"):
        name = escape(reference.rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if alternatives := schema.get("anyOf") or schema.get("oneOf"):
        return " or ".join(_type(alternative) for alternative in alternatives if alternative.get("type") != "null")
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if isinstance(values := schema.get("additionalProperties"), dict):
        return f"map of {_type(cast(Json, values))}"
    if "enum" in schema:
        return " | ".join(f"<code>{escape(str(value))}</code>" for value in schema["enum"])
    return escape(str(schema.get("format") or schema.get("type") or "anything"))
