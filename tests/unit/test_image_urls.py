"""Where resources name images, and the resources with others there."""

from __future__ import annotations

import pytest

from wasmpack.kubeyaml.documents import path_text
from wasmpack.kubeyaml.reader import read_documents
from wasmpack.mesh.image_urls import image_urls, with_urls

HEX = "a" * 64
ISTIO = (
    "apiVersion: extensions.istio.io/v1alpha1\nkind: {kind}\nmetadata: {{name: p}}\nspec: {spec}\n"
)
GATEWAY = (
    "apiVersion: gateway.envoyproxy.io/v1alpha1\nkind: EnvoyExtensionPolicy\nspec:\n  wasm:\n"
    "  - {code: {type: HTTP, http: {url: 'https://h/x.wasm'}}}\n"
    "  - {code: {type: Image, image: {url: q.io/a/x:v1}}}\n"
)
FILTER = """\
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
spec:
  configPatches:
  - &p
    patch: {value: {typed_config: {config: {
      configuration: {value: "oci://q.io/a/x:v1"},
      vm_config: {code: {remote: {http_uri: {uri: "oci://q.io/a/x:v1"}}}}}}}}
  - *p
"""
REMOTE = "patch.value.typed_config.config.vm_config.code.remote.http_uri.uri"
NAMED = {
    "WasmPlugin": (
        ISTIO.format(kind="WasmPlugin", spec="{url: 'oci://q.io/a/x:v1', pluginConfig: {a: null}}"),
        {"spec.url": "q.io/a/x:v1"},
    ),
    "without a scheme and tag": (
        ISTIO.format(kind="WasmPlugin", spec="{url: q.io/a/x}"),
        {"spec.url": "q.io/a/x:latest"},
    ),
    "with a checksum": (
        ISTIO.format(kind="WasmPlugin", spec=f"{{url: 'oci://q.io/a/x:v1', sha256: {HEX}}}"),
        {"spec.url": f"q.io/a/x:v1@sha256:{HEX}"},
    ),
    "Higress": (
        "apiVersion: extensions.higress.io/v1alpha1\nkind: WasmPlugin\nspec: {url: 'oci://q.io/x:1'}",
        {"spec.url": "q.io/x:1"},
    ),
    "TrafficExtension": (
        ISTIO.format(kind="TrafficExtension", spec="{wasm: {url: 'oci://q.io/a/x:v1'}}"),
        {"spec.wasm.url": "q.io/a/x:v1"},
    ),
    "EnvoyExtensionPolicy": (GATEWAY, {"spec.wasm[1].code.image.url": "q.io/a/x:v1"}),
    "EnvoyFilter": (
        FILTER,
        {f"spec.configPatches[{n}].{REMOTE}": "q.io/a/x:v1" for n in (0, 1)},
    ),
    "ServiceMeshExtension": (
        "apiVersion: maistra.io/v1\nkind: ServiceMeshExtension\nspec: {image: q.io/a/x:v1}",
        {"spec.image": "q.io/a/x:v1"},
    ),
    "a file": (ISTIO.format(kind="WasmPlugin", spec="{url: 'file:///x.wasm'}"), {}),
    "a URL": (ISTIO.format(kind="WasmPlugin", spec="{url: 'https://h/x.wasm'}"), {}),
    "no URL": (ISTIO.format(kind="WasmPlugin", spec="{}"), {}),
    "another group": ("apiVersion: x.io/v1\nkind: WasmPlugin\nspec: {url: 'oci://q.io/x'}", {}),
    "another kind": ("apiVersion: v1\nkind: Secret\nurl: 'oci://q.io/x'", {}),
    "a list": ("- oci://q.io/x", {}),
}


@pytest.mark.parametrize(("text", "expected"), NAMED.values(), ids=NAMED)
def test_images_of_a_resource(text: str, expected: dict[str, str]) -> None:
    (document,) = read_documents(text.encode(), "f")
    found = image_urls(document)
    assert {path_text(url.path): url.source() for url in found} == expected
    changed = with_urls(document, {url.path: url.written("r.io/x:v2") for url in found})
    again = {path_text(url.path): url.text for url in image_urls(changed)}
    assert again == {
        path_text(url.path): "oci://r.io/x:v2" if url.text.startswith("oci:") else "r.io/x:v2"
        for url in found
    }
    back = with_urls(changed, {url.path: url.text for url in found})
    assert back.value == document.value
