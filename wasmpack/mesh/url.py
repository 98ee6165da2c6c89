"""``spec.url`` as the webhook, pilot and istio-agent read it one after the other.

>>> url = MeshUrl.parse("oci://quay.io/me/plugin:v1")
>>> url.scheme, str(url.reference)
('oci', 'quay.io/me/plugin:v1')

The rules are those of Go's ``net/url`` (which takes ``localhost`` of ``localhost:5000/x`` for a
scheme), of istio pkg/config/validation/validation.go, pilot/pkg/model/extensions.go and
pkg/wasm/cache.go.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from wasmpack.errors import WasmpackError
from wasmpack.findings import Rule, Severity
from wasmpack.oci.reference import DOCKER_HUB, Reference

_OF_SERVERS = ("http", "https")
SCHEMES = (*_OF_SERVERS, "oci", "file")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]*):(.*)", re.DOTALL)
_LOOPBACK = {"localhost", "127.0.0.1", "[::1]"}
_ERROR, _WARNING = Severity.ERROR, Severity.WARNING
_IMAGE = "HOST[:PORT]/REPOSITORY:TAG"
URL_FAULT = Rule(
    code="WPL005",
    title="a URL that the mesh cannot pull from, or not as written",
    otherwise="warning",
    cause="an unknown scheme, no image that can be pulled, parts that are dropped, a "
    "name on Docker Hub or on the proxy itself that may not be meant",
    consumer="API server, pilot or istio-agent",
    example="url: localhost:5000/plugin:v1",
    fix="write `oci://HOST[:PORT]/REPOSITORY:TAG`",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UrlFault:
    """A fault in a URL, with the fix to suggest."""

    severity: Severity
    message: str
    image: str = _IMAGE
    """The image to write instead."""
    advice: str = ""
    """Another fix, if no image is to be written."""

    def hint(self, scheme: str = "oci://") -> str:
        """The next step, where images are written with this scheme or without one."""
        return self.advice or f"write {scheme}{self.image}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MeshUrl:
    """A URL as the mesh interprets it."""

    text: str
    scheme: str
    reference: Reference | None = None
    """The image, if there is one that can be pulled."""
    path: str = ""
    """Path of a file in the proxy's file system."""
    faults: tuple[UrlFault, ...] = ()
    fetched: bool = False
    """A file of a web server, which the fetcher asks for."""

    @property
    def shown(self) -> str:
        """Without what may be secret: user, password, query and fragment."""
        return _shown(self.text)

    @property
    def host(self) -> str:
        """Host and port, without a login."""
        return self.shown.partition("://")[2].partition("/")[0]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read any text; what is wrong becomes a fault."""
        found = _SCHEME.fullmatch(text)
        scheme, rest = (found[1].lower(), found[2]) if found else ("", text)
        faults = tuple(_rejected(text, scheme, rest))
        if scheme == "file":
            return cls(
                text=text,
                scheme=scheme,
                path=text.removeprefix("file://"),
                faults=faults or _file_faults(text),
            )
        if scheme in _OF_SERVERS and not faults:
            faults = tuple(_own_host(_authority(rest), "a server"))
            return cls(text=text, scheme=scheme, faults=faults, fetched=True)
        if faults:
            return cls(text=text, scheme=scheme, faults=faults)
        reference, more = _reference(text, rest, schemeless=not scheme)
        return cls(text=text, scheme="oci", reference=reference, faults=more)


def _rejected(text: str, scheme: str, rest: str) -> list[UrlFault]:
    """Faults that the API server or pilot rejects."""
    if any(ord(char) < 0x20 or ord(char) == 0x7F for char in text):
        return [_fault("failed to parse url: net/url: invalid control character in URL")]
    if text.startswith(":"):
        return [_fault("failed to parse url: missing protocol scheme")]
    if scheme and scheme not in SCHEMES:
        port = f": {scheme} is taken for a scheme" if rest[:1].isdigit() else ""
        own = _shown(text)
        image = own if port else _shown(rest.lstrip("/"))
        return [_fault(f"url contains unsupported scheme: {scheme}{port}", image)]
    if not scheme and ":" in text.partition("/")[0]:
        return [
            _fault(
                "pilot drops the plugin: first path segment in URL cannot contain colon",
                _shown(text),
            )
        ]
    host, colon, port = _authority(rest).rpartition(":")
    if colon and port and not port.isdecimal() and not host.endswith(":") and "]" not in port:
        return [_fault(f'failed to parse url: invalid port ":{port}" after host')]
    if scheme in _OF_SERVERS and not host + port:
        return [_fault("no host: the mesh cannot fetch this", advice=f"write {scheme}://HOST/PATH")]
    return []


def _authority(rest: str) -> str:
    """Host and port, without a user."""
    authority = rest[2:] if rest.startswith("//") else ""
    return re.split("[/?#]", authority, maxsplit=1)[0].rpartition("@")[2]


def _own_host(host: str, what: str) -> Iterator[UrlFault]:
    """Report a host that is another one at the proxy."""
    if host.rpartition(":")[0] in _LOOPBACK or host in _LOOPBACK:
        message = f"{host} is the proxy itself: the mesh cannot reach {what} on this machine"
        advice = "a host name that the pods can resolve"
        yield _fault(message, advice=advice, severity=_WARNING)


def _shown(text: str) -> str:
    scheme, slashes, rest = text.rpartition("://")
    authority, slash, path = re.split(r"[?#]", rest, maxsplit=1)[0].partition("/")
    return f"{scheme}{slashes}{authority.rpartition('@')[2]}{slash}{path}"


def _reference(
    text: str, rest: str, *, schemeless: bool
) -> tuple[Reference | None, tuple[UrlFault, ...]]:
    """The image that istio-agent pulls: host and path of the URL (pkg/wasm/cache.go)."""
    if schemeless:
        rest = f"//{rest}"
    if not rest.startswith("//"):
        broken = "no image: there is neither host nor path behind the scheme"
        return None, (_fault(broken, _shown(rest)),)
    bare = re.split(r"[?#]", rest.removeprefix("//"), maxsplit=1)[0]
    authority, slash, path = bare.partition("/")
    _, at, host = authority.rpartition("@")
    faults = []
    if at:
        faults.append(
            _fault(
                "user and password in the URL are silently dropped",
                severity=_WARNING,
                advice="imagePullSecret: wasmpack render secret",
            )
        )
    if len(bare) + 2 < len(rest):
        faults.append(_fault("the part after ? or # is silently dropped", severity=_WARNING))
    if not host:
        return None, (*faults, _fault("no host: the mesh cannot pull this"))
    try:
        reference = Reference.parse(f"{host}{slash}{path}")
        if reference.registry == DOCKER_HUB and host not in {DOCKER_HUB, "index.docker.io"}:
            hub = f"{host!r} is taken for a name on Docker Hub: {reference.name}"
            faults.append(_fault(hub, str(replace(reference, written="")), severity=_WARNING))
        faults += _own_host(host, "a registry")
        return reference, tuple(faults)
    except WasmpackError as error:
        said = f"could not parse url in image reference: {error.message}"
        return None, (*faults, _fault(said))


def _file_faults(text: str) -> tuple[UrlFault, ...]:
    if text.startswith("file:///"):
        return ()
    return (
        _fault(
            "the mesh takes what follows file:// for a path, and this one is not absolute",
            advice="write file:///PATH",
        ),
    )


def _fault(
    message: str, image: str = _IMAGE, *, advice: str = "", severity: Severity = _ERROR
) -> UrlFault:
    return UrlFault(severity=severity, message=message, image=image, advice=advice)
