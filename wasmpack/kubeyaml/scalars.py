"""Plain YAML scalars as ``kubectl`` and ``oc`` read them.

Their library (sigs.k8s.io/yaml, a fork of go-yaml v2) follows neither YAML 1.1 nor 1.2 to the
letter: ``on`` and ``y`` are true, ``0777`` is octal, ``08`` is eight, a date is text. The table in
``tests/unit/data/go_yaml.json`` holds what go-yaml 2.4.0 itself answered.

>>> resolve("yes"), resolve("1:20"), resolve("0o17")
(True, '1:20', 15)
"""

import math
import re
import struct

from wasmpack.oci.canonical import JsonValue

_CONSTANTS: dict[str, JsonValue] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(
        ["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"], True
    ),
    **dict.fromkeys(
        ["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"], False
    ),
    **dict.fromkeys((".nan", ".NaN", ".NAN"), math.nan),
    **dict.fromkeys((".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF"), math.inf),
    **dict.fromkeys(("-.inf", "-.Inf", "-.INF"), -math.inf),
}
_NUMBER_START = frozenset("+-.0123456789")
_INTEGER = re.compile(
    r"(?P<sign>[-+]?)(?:0[xX](?P<hex>[0-9a-fA-F]+)|0[bB](?P<bin>[01]+)|0[oO]?(?P<oct>[0-7]+)"
    r"|(?P<dec>0|[1-9][0-9]*))"
)
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASES = {"hex": 16, "bin": 2, "oct": 8, "dec": 10}
_LEAST, _MOST = -(1 << 63), (1 << 64) - 1
"""Range of int64 and uint64; anything larger becomes a float, if it is decimal."""


def resolve(text: str) -> JsonValue:
    """The value of a plain scalar; NaN and infinities as they are, though JSON has none."""
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if text[:1] not in _NUMBER_START:
        return text
    digits = text if text[0] == "." else text.replace("_", "")
    found = _INTEGER.fullmatch(digits)
    if found is not None:
        base = next(name for name in _BASES if found[name] is not None)
        number = _number(found[base], base) * (-1 if found["sign"] == "-" else 1)
        if _LEAST <= number <= _MOST and not (found["sign"] == "+" and number > _MOST >> 1):
            return number
    if _FLOAT.fullmatch(digits):
        value = float(digits)
        return value if math.isfinite(value) else text
    return text


_LEAST_EXPONENT, _SHORTEST = -4, 6
"""Powers of ten between which Go's ``'g'`` format writes no exponent (strconv/ftoa.go)."""
_FLOAT32_DIGITS = 9
"""Significant digits that tell every float32 apart."""


def float_key(value: float) -> str:
    """A key that is a number, as sigs.k8s.io/yaml writes it: the shortest text of the float32.

    >>> float_key(1.5), float_key(0.1), float_key(1234567.5)
    ('1.5', '0.1', '1.2345675e+06')
    """
    try:
        wanted = struct.pack("f", value)
    except OverflowError:
        return ".inf" if value > 0 else "-.inf"
    single: float = struct.unpack("f", wanted)[0]
    sizes = range(1, _FLOAT32_DIGITS + 1)
    digits = next(n for n in sizes if struct.pack("f", float(f"{single:.{n}g}")) == wanted)
    scientific = f"{single:.{digits - 1}e}"
    fixed = _LEAST_EXPONENT <= int(scientific.partition("e")[2]) < _SHORTEST
    return f"{single:.{max(digits, _SHORTEST)}g}" if fixed else scientific


def _number(digits: str, base: str) -> int:
    """The number; where it takes Python longer than linear time, any that is out of range."""
    if base == "dec" and len(digits) > len(str(_MOST)):
        return _MOST + 1
    return int(digits, _BASES[base])


class PlainText(str):
    """A scalar without quotes, as it is written: its type depends on the field."""

    __slots__ = ()

    @property
    def resolved(self) -> JsonValue:
        """The value for a reader that expects no particular type."""
        return resolve(self)


def reads_as_text(text: str) -> bool:
    """True if it would stay a string without quotes."""
    return isinstance(resolve(text), str)
