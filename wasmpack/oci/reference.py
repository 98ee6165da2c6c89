"""Image references as Docker and the distribution-spec write them.

>>> reference = Reference.parse("localhost:5000/plugins/auth:v1")
>>> reference.registry, reference.repository, reference.tag
('localhost:5000', 'plugins/auth', 'v1')
>>> Reference.parse("auth").full
'docker.io/library/auth:latest'

The grammar is the distribution-spec's ("Pulling manifests") with Docker's short names: a first
component without a dot or colon that is not ``localhost`` belongs to Docker Hub.
"""

import ipaddress
import re
from dataclasses import dataclass, field, replace
from typing import NoReturn, Self

from wasmpack.errors import WrongUsage
from wasmpack.oci.descriptor import Digest
from wasmpack.redaction import shown_url

_COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_REPOSITORY = re.compile(rf"{_COMPONENT}(?:/{_COMPONENT})*")
_TAG = re.compile(r"[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}")
_LABEL = r"[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?"
_HOST = re.compile(
    rf"(?:{_LABEL}(?:\.{_LABEL})*"
    r"|\[(?P<ipv6>[0-9a-fA-F:]+)\])(?::(?P<port>[0-9]{1,5}))?"
)
_OTHER_FILES = (".wasm", ".wat", ".gz", ".tgz", ".tar", ".zip")
"""Suffixes of URLs of files, which are not images."""
URL_JUDGED = (
    "a module behind a URL is judged as spec.url of a WasmPlugin: "
    "wasmpack render wasmplugin URL | wasmpack validate wasmplugin -"
)
"""The hint to URLs where there can be none."""
_MAX_NAME = 255
"""Host, slash and repository together (distribution-spec, "Pulling manifests")."""
_MAX_PORT = 65_535
_URL = re.compile("(https?):/+", re.IGNORECASE)
_SHOWN = 300
"""Most characters of an invalid name in an error."""
DOCKER_HUB = "docker.io"
LIBRARY = f"{DOCKER_HUB}/library/"
"""The start of a name that is written without it."""
_DOCKER_HUBS = {DOCKER_HUB, "index.docker.io", "registry-1.docker.io", "index.docker.io/v1"}
"""Names of Docker Hub in credentials files and logins."""
LATEST = "latest"


def is_tag(text: str) -> bool:
    """True if this is a tag by the distribution-spec's grammar."""
    return _TAG.fullmatch(text) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """The name of an image: a registry and repository, and a tag, a digest, or both.

    Two references are equal when they mean the same image; ``str()`` gives the name back as it
    was written.
    """

    registry: str
    """``HOST[:PORT]``; ``docker.io`` if none is named."""
    repository: str
    """Path below the registry."""
    tag: str | None = None
    """None if it is not given."""
    digest: Digest | None = None
    """None if it is not given."""
    written: str = field(default="", compare=False)
    """The name as the user wrote it, without tag and digest."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``[HOST[:PORT]/]PATH[:TAG][@DIGEST]``.

        :raises WrongUsage: with the part that is wrong
        """
        if not text.strip():
            raise WrongUsage(
                "an empty image name", hint="quay.io/me/plugin:v1; is a variable not set?"
            )
        if "://" in text:
            host, slash, path = text.partition("://")[2].partition("/")
            name = host.rpartition("@")[2] + slash + path  # a login is not repeated
            if is_url(text) and ":" not in path:  # neither a tag nor a digest
                ends = path.partition("?")[0].endswith(_OTHER_FILES)
                image = "" if ends else f"{name[:_SHOWN]}, if an image is meant; "
                shown = url_shown(text)
                raise WrongUsage(f"{shown}: an image name has no scheme", hint=image + URL_JUDGED)
            _refuse(text, "an image name has no scheme", hint=name)
        rest, at, digest = text.partition("@")
        name, tag = _split_tag(rest)
        registry, repository = _split_registry(name)
        if tag is not None and not is_tag(tag):
            _refuse(
                text, f"invalid tag {tag[:_SHOWN]!r} (letters, digits, '_', '.', '-', at most 128)"
            )
        if not _is_host(registry):
            _refuse(text, f"{registry[:_SHOWN]!r} is not a registry host")
        if not _REPOSITORY.fullmatch(repository):
            _refuse(
                text,
                f"invalid repository {repository[:_SHOWN]!r} (lower-case letters, digits, . _ - /)",
            )
        if len(registry) + 1 + len(repository) > _MAX_NAME:
            _refuse(text, f"host and repository are longer than {_MAX_NAME} characters")
        return cls(
            registry=registry,
            repository=repository,
            tag=tag,
            digest=Digest.parse(digest) if at else None,
            written=name,
        )

    @property
    def name(self) -> str:
        """``registry/repository``, nothing left out."""
        return f"{self.registry}/{self.repository}"

    @property
    def full(self) -> str:
        """The unambiguous name under which the local store keeps it: by tag, else by digest."""
        if self.digest is not None and self.tag is None:
            return f"{self.name}@{self.digest}"
        return f"{self.name}:{self.tag or LATEST}"

    @property
    def target(self) -> str:
        """The part behind ``/manifests/`` in the registry's API: the digest before the tag."""
        return str(self.digest) if self.digest else self.tag or LATEST

    @property
    def written_as(self) -> str:
        """The name under which a push writes: the tag before the digest, else ``latest``."""
        return self.tag or (str(self.digest) if self.digest else LATEST)

    @property
    def names_registry(self) -> bool:
        """True if a registry was written; ``plugin:v1`` alone is meant locally."""
        return "/" in self.written

    @property
    def names_host(self) -> bool:
        """True if a registry's host was written; ``me/plugin`` leaves out Docker Hub's."""
        first, slash, _ = self.written.partition("/")
        return bool(slash) and _reads_as_host(first)

    @property
    def is_repository(self) -> bool:
        """True if neither a tag nor a digest was given."""
        return self.tag is None and self.digest is None

    def with_default_tag(self) -> Self:
        """The same with ``latest``, if neither tag nor digest was given (as docker does)."""
        return replace(self, tag=LATEST) if self.is_repository else self

    def with_tag(self, tag: str) -> Self:
        """The same repository under another tag.

        :raises WrongUsage: no tag by the grammar
        """
        if not is_tag(tag):
            raise WrongUsage(
                f"invalid tag {tag[:_SHOWN]!r}: letters, digits, '_', '.', '-', at most 128"
            )
        return replace(self, tag=tag, digest=None)

    def with_digest(self, digest: Digest) -> Self:
        """The same, pinned."""
        return replace(self, digest=digest)

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.written or self.name}{tag}{digest}"


@dataclass(frozen=True, slots=True)
class RegistryName:
    """A registry as a whole: what one logs in to.

    >>> RegistryName.parse("https://index.docker.io/v1").registry
    'docker.io'
    """

    registry: str
    """``HOST[:PORT]``."""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``[http[s]://]HOST[:PORT]``.

        :raises WrongUsage: not a registry
        """
        host = text.removeprefix("https://").removeprefix("http://").rstrip("/")
        if host in _DOCKER_HUBS:
            return cls(DOCKER_HUB)
        if not _is_host(host) or len(host) + len("/x") > _MAX_NAME:
            raise WrongUsage(f"invalid registry {text[:_SHOWN]!r}: expected HOST[:PORT]")
        return cls(host)

    def __str__(self) -> str:
        return self.registry


def is_url(text: str) -> bool:
    """True for http(s) URLs, and for those that have lost a slash as a path."""
    return _URL.match(text) is not None


def url_shown(url: str) -> str:
    """A URL without what may be secret, and with both slashes."""
    return shown_url(_URL.sub(r"\1://", url, count=1), _SHOWN)


def _refuse(text: str, reason: str, hint: str = "") -> NoReturn:
    raise WrongUsage(f"invalid image name {text[:_SHOWN]!r}: {reason}", hint=hint[:_SHOWN])


def _is_host(text: str) -> bool:
    """A name or an address, and a port that there can be."""
    found = _HOST.fullmatch(text)
    if found is None or int(found["port"] or 0) > _MAX_PORT:
        return False
    try:
        ipaddress.IPv6Address(found["ipv6"] or "::")
    except ValueError:
        return False
    return True


def _split_tag(text: str) -> tuple[str, str | None]:
    """A colon behind the last slash starts the tag; before it, a port."""
    head, slash, last = text.rpartition("/")
    name, colon, tag = last.partition(":")
    return f"{head}{slash}{name}", tag if colon else None


def _reads_as_host(first: str) -> bool:
    """The first part of a name is a host, not a path of Docker Hub (distribution/reference)."""
    return "." in first or ":" in first or first == "localhost"


def _split_registry(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    if slash and _reads_as_host(first):
        if first in {DOCKER_HUB, "index.docker.io"} and "/" not in rest:
            return DOCKER_HUB, f"library/{rest}"
        return (DOCKER_HUB if first == "index.docker.io" else first), rest
    return DOCKER_HUB, name if slash else f"library/{name}"
