"""Values out of JSON that somebody else wrote; every error names its place in the document.

>>> manifest = Fields({"layers": [{"size": "big"}]}, "manifest")
>>> [Fields(row, where).required(int, "size") for row, where in manifest.rows("layers")]
Traceback (most recent call last):
wasmpack.errors.BadArtifact: manifest.layers[0].size: expected an integer, found 'big'
"""

from typing import TypeGuard, TypeVar

from wasmpack.errors import BadArtifact
from wasmpack.oci.canonical import JsonObject, JsonValue, kind_of, shown

T = TypeVar("T")

_KINDS = {str: "a string", int: "an integer", list: "an array", dict: "an object"}
_LONGEST_KEY = 80
"""Characters of a foreign key that are repeated."""


def find(value: JsonValue, kind: type[T], *keys: str) -> T | None:
    """The value behind these keys; None if it is absent or of another kind.

    >>> find({"config": {"Labels": None}}, dict, "config", "Labels")
    """
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value if _is(value, kind) else None


def expect(
    value: JsonValue, kind: type[T], where: str, expected: str = "", *, secret: bool = False
) -> T:
    """The value itself.

    :param expected: what should be there, if the kind of JSON does not say it
    :param secret: the error does not repeat the value
    :raises BadArtifact: it is of another kind
    """
    if _is(value, kind):
        return value
    found = kind_of(value) if secret else shown(value)
    raise BadArtifact(f"{where}: expected {expected or _KINDS[kind]}, found {found}")


class Fields:
    """One object of a document."""

    def __init__(
        self,
        value: JsonValue,
        where: str,
        expected: str = "",
        *,
        separator: str = ".",
        secret: bool = False,
    ) -> None:
        """Look into a value, which must be an object.

        :param where: its place, for errors (``manifest.layers[2]``)
        :param separator: between that and a key; a file's name is followed by ``": "``
        :param secret: errors repeat nothing that is in it
        :raises BadArtifact: it is no object
        """
        self._prefix = where + separator
        self._secret = secret
        self.value: JsonObject = expect(value, dict, where, expected, secret=secret)

    def get(self, kind: type[T], key: str, expected: str = "") -> T | None:
        """The value of a key; None if it is absent or null.

        :raises BadArtifact: it is of another kind
        """
        return None if self.value.get(key) is None else self.required(kind, key, expected)

    def required(self, kind: type[T], key: str, expected: str = "") -> T:
        """The value of a key.

        :raises BadArtifact: it is absent or of another kind
        """
        value = self.value.get(key)
        return expect(value, kind, self.place(key), expected, secret=self._secret)

    def within(self, key: str) -> "Fields":
        """The object behind a key, an empty one if it is absent or empty.

        :raises BadArtifact: it is of another kind
        """
        return Fields(self.value.get(key) or {}, self.place(key), secret=self._secret)

    def rows(self, key: str, expected: str = "") -> list[tuple[JsonValue, str]]:
        """The items of an array, each with its place.

        :raises BadArtifact: it is absent or no array
        """
        place = self.place(key)
        return [(row, f"{place}[{n}]") for n, row in enumerate(self.required(list, key, expected))]

    def texts(self) -> dict[str, str]:
        """All of it, strings by their keys.

        :raises BadArtifact: one is of another kind
        """
        return {key: self.required(str, key) for key in self.value}

    def place(self, key: str) -> str:
        """The place of a key, for errors."""
        return self._prefix + key[:_LONGEST_KEY]


def _is(value: JsonValue, kind: type[T]) -> TypeGuard[T]:
    """Whether it is of that kind; of Python's types, a truth value would be an integer."""
    return isinstance(value, kind) and (kind is bool or not isinstance(value, bool))
