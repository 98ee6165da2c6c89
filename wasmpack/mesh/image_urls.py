"""The images that a resource names, where they are written, and the resource with others there."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from wasmpack.kubeyaml.documents import Document, FieldPath
from wasmpack.mesh.apis import ENVOY_FILTER, api_of
from wasmpack.mesh.migration.extension import Extension, is_extension
from wasmpack.mesh.plugin import Plugin, mapping
from wasmpack.mesh.pulling import checksum
from wasmpack.mesh.url import MeshUrl
from wasmpack.oci.canonical import JsonValue
from wasmpack.oci.descriptor import Digest

_OCI = "oci://"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImageUrl:
    """An image that a resource names."""

    path: FieldPath
    """The place of the URL in the resource."""
    text: str
    """As it is written there."""
    url: MeshUrl
    checksum: str = ""
    """The digest that the mesh compares, in hex; empty if there is none."""

    def source(self) -> str:
        """The name of the image that the mesh loads.

        :raises WrongUsage: a checksum that is not a digest
        """
        reference = self.url.reference
        if reference is None:
            return self.text
        if self.checksum and reference.digest is None:
            reference = reference.with_digest(Digest.parse(f"sha256:{self.checksum}"))
        return str(replace(reference.with_default_tag(), written=""))

    def written(self, name: str) -> str:
        """Another image's name, as this one is written: with a scheme or without."""
        return f"{_OCI}{name}" if self.text.startswith(_OCI) else name


def image_urls(document: Document) -> list[ImageUrl]:
    """The images of a resource; modules behind other URLs, and files, are not images."""
    return [found for found in _urls(document) if found.url.scheme in {"", "oci"}]


def with_urls(document: Document, urls: Mapping[FieldPath, str]) -> Document:
    """The resource with other URLs; everything else is as it was."""
    value = document.value
    for path, url in urls.items():
        value = _replaced(value, path, url)
    return replace(document, value=value, text="")


def _urls(document: Document) -> Iterator[ImageUrl]:
    if is_extension(document):
        if image := Extension(document).image:
            url = MeshUrl.parse(f"{_OCI}{image}")
            yield ImageUrl(path=("spec", "image"), text=image, url=url)
        return
    value = mapping(document.value)
    if api_of(value) is None:
        return
    if value.get("kind") == ENVOY_FILTER:
        yield from _remote_code(value.get("spec"), ("spec",))
        return
    for plugin in Plugin.all_of(document):
        path = plugin.path("url")
        text = _at(document.value, path)
        if isinstance(text, str) and text:
            url = MeshUrl.parse(plugin.text("url"))
            yield ImageUrl(path=path, text=text, url=url, checksum=checksum(plugin, url))


def _remote_code(value: JsonValue, path: FieldPath) -> Iterator[ImageUrl]:
    """Each ``http_uri`` of an EnvoyFilter that istio-agent fetches as an image."""
    for key, item in _entries(value):
        uri = mapping(item).get("uri")
        if key in {"http_uri", "httpUri"} and isinstance(uri, str) and uri.startswith(_OCI):
            digest = mapping(value).get("sha256")
            yield ImageUrl(
                path=(*path, key, "uri"),
                text=uri,
                url=MeshUrl.parse(uri),
                checksum=digest if isinstance(digest, str) else "",
            )
        else:
            yield from _remote_code(item, (*path, key))


def _entries(value: JsonValue) -> Iterator[tuple[str | int, JsonValue]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list):
        yield from enumerate(value)


def _at(value: JsonValue, path: FieldPath) -> JsonValue:
    for step in path:
        value = dict(_entries(value)).get(step)
    return value


def _replaced(value: JsonValue, path: FieldPath, new: str) -> JsonValue:
    if not path:
        return new
    step, rest = path[0], path[1:]
    if isinstance(value, list):
        return [_replaced(v, rest, new) if n == step else v for n, v in enumerate(value)]
    return {k: _replaced(v, rest, new) if k == step else v for k, v in mapping(value).items()}
