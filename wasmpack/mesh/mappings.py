"""Values of documents whose shape is not known yet."""

from wasmpack.oci.canonical import JsonObject, JsonValue

_FREE_FORM = {"pluginConfig", "defaultConfig", "config"}
"""Fields without a schema: their content is defined by the plugin."""


def mapping(value: JsonValue) -> JsonObject:
    """The value if it is a mapping, else an empty one."""
    return value if isinstance(value, dict) else {}


def filled(value: JsonObject) -> JsonObject:
    """The fields that say something: without what is empty, false or null."""
    return {key: item for key, item in value.items() if item}


def mappings(value: JsonValue) -> list[JsonObject]:
    """The items of a list that are mappings."""
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def without_nulls(value: JsonValue) -> JsonValue:
    """Without properties that are null, which the API server takes out before it looks.

    (apiextensions-apiserver, ``PruneNonNullableNullsWithoutDefaults``.) The plugin's own
    configuration has no schema, so its nulls stay.
    """
    if isinstance(value, list):
        return [without_nulls(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: item if key in _FREE_FORM else without_nulls(item)
        for key, item in value.items()
        if item is not None
    }
