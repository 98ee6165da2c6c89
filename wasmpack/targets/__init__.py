"""The consumers wasmpack knows, as data: what each release's proxy provides and its fetcher takes.

>>> target("envoy-1.40").host
'2026-07-01'

Adding a release is adding a row to a file in ``targets/data/``.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from wasmpack.errors import WrongUsage
from wasmpack.oci.canonical import JsonObject, JsonValue

IBM_NOTE = (
    "OpenShift Service Mesh does not support WebAssembly extensions on IBM Z and IBM Power systems"
)
"""OpenShift documentation, "Extensions"."""

_CONSUMERS = ("envoy", "istio", "ossm", "envoy-gateway", "higress", "gcp")


class Reader(StrEnum):
    """Whose code reads the image."""

    ISTIO = "istio"
    ENVOY_GATEWAY = "envoy-gateway"
    GCP = "gcp"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageRules:
    """How a release's fetcher reads an image (Istio pkg/wasm/imagefetcher.go and its kin)."""

    reader: Reader
    one_layer: bool
    """Tar images must have exactly one layer; otherwise the last one counts."""
    tar_limit: int | None
    """Most bytes of the decompressed tar that are read."""
    content_limit: int | None
    """Most bytes of a raw module that are read; longer ones are cut, without a word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One release of one consumer."""

    name: str
    consumer: str
    default: bool
    """Supported by its makers today; judged when no target is named."""
    host: str
    """Date of the newest change of proxy-wasm-cpp-host it contains: a function added on or
    before that day is provided."""
    image: ImageRules | None
    """None for a consumer that is given a file, not an image."""
    based_on: str | None
    own_functions: frozenset[str]
    """Functions of module ``env`` that only this consumer has; their signatures are not known."""
    evidence: tuple[tuple[str, str], ...]
    """Which facts were observed, read from source, or inferred."""

    @property
    def image_summary(self) -> str:
        """What its fetcher takes, in a few words."""
        if self.image is None:
            return "given a file"
        if self.image.reader is Reader.GCP:
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
    """Every release known, oldest first within its consumer."""
    return tuple(_load().values())


def default_targets() -> tuple[Target, ...]:
    """The releases in support."""
    return tuple(found for found in all_targets() if found.default)


def target(name: str) -> Target:
    """One release by its name.

    :raises WrongUsage: unknown
    """
    try:
        return _load()[name]
    except KeyError:
        near = [
            known for known in _load() if known.startswith(name.rstrip("0123456789.").rstrip("-"))
        ]
        raise WrongUsage(
            f"unknown target {name!r}",
            hint=f"known are: {', '.join(near)}" if near else "wasmpack targets",
        ) from None


def choose(names: Sequence[str]) -> tuple[Target, ...]:
    """What ``--target`` (repeatable, ``all``) asks for; nothing asked means the defaults.

    :raises WrongUsage: an unknown name
    """
    if "all" in names:
        return all_targets()
    return tuple(target(name) for name in dict.fromkeys(names)) or default_targets()


def fingerprint() -> str:
    """A digest of all that is known of the consumers: a verdict holds for these facts."""
    return hashlib.sha256("\n".join(_texts().values()).encode()).hexdigest()


@cache
def _load() -> dict[str, Target]:
    return {
        row["name"]: _target(consumer, row)
        for consumer, text in _texts().items()
        for row in json.loads(text)["targets"]
    }


@cache
def _texts() -> dict[str, str]:
    data = files(__package__).joinpath("data")
    return {name: data.joinpath(f"{name}.json").read_text() for name in _CONSUMERS}


def _target(consumer: str, row: JsonObject) -> Target:
    based_on = row.get("basedOn")
    evidence, own = row["evidence"], row.get("ownFunctions", [])
    assert isinstance(evidence, dict)
    assert isinstance(own, list)
    return Target(
        name=str(row["name"]),
        consumer=consumer,
        default=row["default"] is True,
        host=str(row["host"]),
        image=_image_rules(row.get("image")),
        based_on=str(based_on) if based_on else None,
        own_functions=frozenset(map(str, own)),
        evidence=tuple((fact, str(kind)) for fact, kind in evidence.items()),
    )


def _image_rules(value: JsonValue) -> ImageRules | None:
    if not isinstance(value, dict):
        return None
    return ImageRules(
        reader=Reader(str(value.get("reader", "istio"))),
        one_layer=value["layers"] == "one",
        tar_limit=_limit(value.get("tarLimit")),
        content_limit=_limit(value.get("contentLimit")),
    )


def _limit(value: JsonValue) -> int | None:
    return value if isinstance(value, int) else None
