"""All rules, and the explanation of one: ``wasmpack.explain(code)``."""

from collections.abc import Iterator
from importlib import import_module

from wasmpack.errors import WrongUsage
from wasmpack.findings import Rule
from wasmpack.findings.rules import unmarked
from wasmpack.similar import did_you_mean
from wasmpack.text import PLAIN, Style, wrapped

_HOMES = {
    "module_rules": (
        "validity load imports exports memory plugin_type start_code start_up first_request "
        "step_ends check"
    ),
    "fetchers": "istio gcp fetch",
    "targets": "realm",
    "mesh": "schema_rules api_rules url pulling behaviour direction order unrendered",
    "mesh.migration": "fields implied convert",
    "actions": (
        "build documents envoy_opinion image_rules inspect_parts migrate render "
        "mesh_trust plugin_images plugin_urls resources validate_wasmplugin"
    ),
}
"""Modules that declare rules, by their rooms."""
_FAMILIES = ("MOD", "ABI", "MEM", "STA", "RUN", "ENV", "CFG", "IMG", "WPL", "SME")
"""Prefixes of codes, in the order in which a plugin meets them."""
_LONGEST = 40
"""Most characters of an unknown code to show."""


def all_rules() -> tuple[Rule, ...]:
    """Every rule there is, in the order of the documentation."""
    homes = [f"{room}.{name}" for room, names in _HOMES.items() for name in names.split()]
    found = {rule for home in ("runtime_config", *homes) for rule in _declared(home)}
    return tuple(sorted(found, key=lambda rule: (_FAMILIES.index(rule.code[:3]), rule.code)))


def _declared(home: str) -> Iterator[Rule]:
    module = import_module(f"wasmpack.{home}")
    return (value for value in vars(module).values() if isinstance(value, Rule))


def rule_named(code: str) -> Rule:
    """The rule with a code.

    :raises KeyError: no rule has this code
    """
    return {rule.code: rule for rule in all_rules()}[code]


def find_rule(code: str) -> Rule:
    """The rule of a code in any case.

    :raises WrongUsage: no rule has this code
    """
    try:
        return rule_named(code.upper())
    except KeyError:
        codes = [rule.code for rule in all_rules()]
        hint = did_you_mean(code, codes, "docs/findings.md lists all codes")
        raise WrongUsage(f"unknown finding {code[:_LONGEST]!r}", hint=hint) from None


def explain(code: str) -> str:
    """Explain a finding in 80 columns of Markdown: cause, consumers, an example, fix.

    >>> print(wasmpack.explain("ABI005"))
    error ABI005: neither `malloc` nor `proxy_on_memory_allocate` is exported
    <BLANKLINE>
    consumer: `Wasm module is missing malloc function.`
     example: (module (func (export "proxy_abi_version_0_2_1")))
         fix: export one of them, `(i32) -> i32`
        page: https://wasmpack.dev/docs/findings#ABI005

    :raises WrongUsage: no rule has this code
    """
    return "\n".join(explanation(find_rule(code)))


def explanation(rule: Rule, style: Style = PLAIN) -> list[str]:
    """Explain a rule, as wide as the style says."""
    severity = f"{rule.severity}{f' ({rule.otherwise})' if rule.otherwise else ''}"
    title = unmarked(rule.title)
    lines = wrapped(f"{severity} {rule.code}: {title}", style, indent=0)
    rows = {
        "cause": rule.cause,
        "consumer": rule.consumer,
        "example": rule.example,
        "fix": rule.fix,
        "page": rule.url,
    }
    width = max(len(name) for name, text in rows.items() if text)
    lines.append("")
    for name, text in rows.items():
        label = f"{name:>{width}}: "
        if name == "example":
            lines += _verbatim(text, label)
        elif text:
            lines += wrapped(unmarked(text), style, label, indent=0)
    return lines


def _verbatim(text: str, label: str) -> list[str]:
    """Lines to copy, which are not wrapped."""
    first, *others = text.splitlines() or [""]
    return [f"{label}{first}", *(" " * len(label) + line for line in others)] if text else []
