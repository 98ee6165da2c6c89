"""The JSON of commands, held against the published schema."""

from __future__ import annotations

from typing import Any

import jsonschema

from wasmpack.schemas import load_schema

SCHEMA = load_schema("output")
COMMANDS = SCHEMA["x-commands"]


def closed(schema: Any) -> Any:
    """The same schema, with objects that have no other keys: a new key has to be described."""
    if isinstance(schema, list):
        return [closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: closed(value) for key, value in schema.items()}
    if "required" in found and "apiVersion" not in found["properties"]:
        found.setdefault("additionalProperties", False)
    return found


def check_output(command: str, value: object) -> None:
    """Fail if this is not what the schema says of the command."""
    schema = {"$defs": closed(SCHEMA["$defs"]), "$ref": f"#/$defs/{COMMANDS[command]}"}
    jsonschema.Draft202012Validator(schema).validate(value)
