"""The consumers wasmpack knows, as data: the functions each proxy has, the images it accepts.

>>> target("envoy-1.40").host
'2026-07-01'

Adding a release is adding a row to a file in ``targets/data/``.
"""

import contextlib
import hashlib
import json
import pkgutil
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import cache

from wasmpack.errors import WrongUsage
from wasmpack.oci.canonical import JsonObject, JsonValue
from wasmpack.proxy_abi.abi import HostDate
from wasmpack.similar import did_you_mean

IBM_NOTE = (
    "OpenShift Service Mesh does not support WebAssembly extensions on IBM Z and IBM Power systems"
)
"""OpenShift documentation, "Extensions"."""

_RELEASE = re.compile(r"(?P<minor>[a-z-]+-[0-9]+\.[0-9]+)\.(?P<patch>[0-9]{1,4})", re.ASCII)
_LONGEST_NAME = 40
_MAJOR = 1000
"""Weight of a major release, in minor ones."""
_CONSUMERS = ("envoy", "istio", "ossm", "envoy-gateway", "higress", "gcp")


class Fetcher(StrEnum):
    """The fetcher that reads the image."""

    ISTIO = "istio"
    ENVOY_GATEWAY = "envoy-gateway"
    GCP = "gcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRules:
    """How a release's fetcher reads an image (Istio pkg/wasm/imagefetcher.go and forks)."""

    reader: Fetcher
    """The origin of its code."""
    one_layer: bool
    """Tar images must have exactly one layer; otherwise the last one counts."""
    tar_limit: int | None
    """Most bytes of the decompressed tar that are read."""
    content_limit: int | None
    """Most bytes of a raw module that are read; longer ones are cut silently."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One release of one consumer."""

    name: str
    """``istio-1.29``."""
    consumer: str
    """``envoy``, ``istio``, ``ossm``, ``envoy-gateway``, ``higress`` or ``gcp``."""
    default: bool
    """Supported by its makers today; a default target."""
    host: HostDate
    """Date of the newest change of proxy-wasm-cpp-host it contains: a function added on or
    before that day is provided."""
    image: ImageRules | None
    """None for a consumer that is given a file, not an image."""
    based_on: str | None
    """The release of another consumer whose code it ships."""
    realm_guard: bool
    """Its fetcher refuses registries whose challenge names a realm that is not a public URL."""
    remark: str
    """Reservations about its verdicts."""
    own_functions: frozenset[str]
    """Functions of module ``env`` that only this consumer has; their signatures are not known."""
    evidence: tuple[tuple[str, str], ...]
    """Which facts were observed, read from source, or inferred."""

    @property
    def vm_config(self) -> bool:
        """Its users can give a plugin a VM configuration: Envoy's own do, no mesh resource does."""
        return self.consumer == "envoy"

    @property
    def ships(self) -> str:
        """The release it is built on: ``Istio 1.24.6``; empty for an independent one."""
        return (self.based_on or "").capitalize().replace("-", " ")

    @property
    def image_summary(self) -> str:
        """A short description of the images its fetcher accepts."""
        if self.image is None:
            return "given a file"
        if self.image.reader is Fetcher.GCP:
            return "plugin.wasm alone in tars"
        layers = "only tar" if self.image.one_layer else "last tar"
        limit = self.image.tar_limit
        return f"{layers} ({f'{limit >> 20} MiB' if limit else 'no limit'}), artifact"

    def as_json(self) -> dict[str, object]:
        """The shape of one row of ``targets --format json``."""
        image = self.image
        return {
            "target": self.name,
            "consumer": self.consumer,
            "default": self.default,
            "basedOn": self.based_on,
            "remark": self.remark,
            "realmGuard": self.realm_guard,
            "hostDate": self.host,
            "image": None
            if image is None
            else {
                "reader": image.reader.value,
                "oneLayer": image.one_layer,
                "tarLimit": image.tar_limit,
                "contentLimit": image.content_limit,
            },
            "ownFunctions": sorted(self.own_functions),
            "evidence": dict(self.evidence),
        }


def all_targets() -> tuple[Target, ...]:
    """All known releases, oldest first within its consumer.

    >>> [target.name for target in wasmpack.all_targets() if target.consumer == "ossm"][:2]
    ['ossm-2.2', 'ossm-2.3']
    """
    return tuple(_load().values())


def default_targets() -> tuple[Target, ...]:
    """The releases in support."""
    return tuple(found for found in all_targets() if found.default)


def target(name: str) -> Target:
    """One release by its name, in any case; a patch release has its own rules.

    >>> target("Istio-1.27.3").realm_guard, target("istio-1.27").realm_guard
    (False, True)

    :raises WrongUsage: unknown
    """
    wanted = name.strip().lower()
    parts = _RELEASE.fullmatch(wanted)
    if parts and parts["patch"] and parts["minor"] in _load():
        return _patch_release(parts["minor"], int(parts["patch"]))
    try:
        return _load()[wanted]
    except KeyError:
        shown = name[:_LONGEST_NAME]
        raise WrongUsage(f"unknown target {shown!r}", hint=_nearest(wanted)) from None


def _patch_release(minor: str, patch: int) -> Target:
    row = _rows()[minor]
    found = _target(row, patch)
    return replace(found, name=f"{minor}.{patch}")


def _nearest(wanted: str) -> str:
    """The known releases closest to an unknown one."""
    consumer, _, version = wanted.rpartition("-")
    known = [row.name for row in _load().values() if row.consumer == (consumer or wanted)]
    if not known:
        return did_you_mean(wanted, _load(), "wasmpack targets")
    ages = {name: _age(name.rpartition("-")[2]) for name in known}
    nearest = min(known, key=lambda name: abs(ages[name] - _age(version)))
    if nearest == known[-1]:
        return f"the newest known is {nearest}; wasmpack targets lists all"
    return f"the nearest known is {nearest}, the newest {known[-1]}; wasmpack targets lists all"


def _age(version: str) -> int:
    """A release as a number, for its distance to another."""
    major, _, rest = version.partition(".")
    digits = [part[:6] for part in (major, rest.partition(".")[0])]
    return sum(
        int(part) * weight
        for part, weight in zip(digits, (_MAJOR, 1), strict=True)
        if part.isdecimal() and part.isascii()
    )


def ships(name: str) -> str:
    """The release a target is built on; empty if independent, or for an unknown Envoy."""
    with contextlib.suppress(WrongUsage):
        found = target(name)
        return ", ".join(text for text in (found.ships, found.remark) if text)
    return ""


def choose(names: Sequence[str]) -> tuple[Target, ...]:
    """The targets selected by ``--target`` (repeatable, ``all``); none given means the defaults.

    :raises WrongUsage: an unknown name
    """
    if asks_for_all(names):
        return all_targets()
    found = {row.name: row for row in map(target, names)}
    return tuple(found.values()) or default_targets()


def asks_for_all(names: Sequence[str]) -> bool:
    """Return True if one of the names is ``all``."""
    return any(name.strip().lower() == "all" for name in names)


def fingerprint() -> str:
    """A digest of all facts on the consumers: a verdict holds for these facts."""
    return hashlib.sha256("\n".join(_texts().values()).encode()).hexdigest()


@cache
def _load() -> dict[str, Target]:
    return {name: _target(row) for name, row in _rows().items()}


@cache
def _rows() -> dict[str, JsonObject]:
    """The data of each release, with its consumer."""
    return {
        row["name"]: {**row, "consumer": consumer}
        for consumer, text in _texts().items()
        for row in json.loads(text)["targets"]
    }


@cache
def _texts() -> dict[str, str]:
    return {
        name: (pkgutil.get_data(__name__, f"data/{name}.json") or b"").decode()
        for name in _CONSUMERS
    }


def _target(row: JsonObject, patch: int | None = None) -> Target:
    """:param patch: a patch release of it; None for its newest"""
    based_on = row.get("basedOn")
    evidence, own = row["evidence"], row.get("ownFunctions", [])
    assert isinstance(evidence, dict)
    assert isinstance(own, list)
    return Target(
        name=str(row["name"]),
        consumer=str(row["consumer"]),
        default=row["default"] is True,
        host=HostDate(str(row["host"])),
        image=_image_rules(row.get("image")),
        based_on=str(based_on) if based_on else None,
        realm_guard=_guarded(row.get("realmGuard", False), patch),
        remark=str(row.get("remark", "")),
        own_functions=frozenset(map(str, own)),
        evidence=tuple((fact, str(kind)) for fact, kind in evidence.items()),
    )


def _image_rules(value: JsonValue) -> ImageRules | None:
    if not isinstance(value, dict):
        return None
    return ImageRules(
        reader=Fetcher(str(value.get("reader", "istio"))),
        one_layer=value["layers"] == "one",
        tar_limit=_limit(value.get("tarLimit")),
        content_limit=_limit(value.get("contentLimit")),
    )


def _guarded(since: JsonValue, patch: int | None) -> bool:
    """Return True if a patch release has a change that came with one of them."""
    if isinstance(since, bool) or patch is None or not isinstance(since, int):
        return bool(since)
    return patch >= since


def _limit(value: JsonValue) -> int | None:
    return value if isinstance(value, int) else None
