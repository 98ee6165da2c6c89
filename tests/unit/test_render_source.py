"""What is rendered of an image that cannot be reached, or that no mesh can read."""

from __future__ import annotations

import pytest
from support.indexes import Shelf, nested, on_shelf
from support.plugins import PLUGINS

from wasmpack.actions.rejected import RejectedArtifact
from wasmpack.actions.render import render_wasmplugin
from wasmpack.actions.render_source import RenderRequest
from wasmpack.errors import (
    BadArtifact,
    NotFound,
    RegistryUnavailable,
    WasmpackError,
    WrongUsage,
)
from wasmpack.images.image import Image
from wasmpack.images.variants import BuiltImage, artifact_image
from wasmpack.mesh.kinds import Kind
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.manifest import Index, Manifest
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.verified import Readable

NAME = "quay.io/me/plugin:v1"
CONFIG = b'{"type":"envoy_proxy","config":{"rootIds":["r"]}}'


class Failing(BuiltImage):
    """An image whose manifest, or whose blobs, end in an error."""

    verified = False

    top_error: WasmpackError | None = None
    blob_error: WasmpackError | None = None

    def get(self, descriptor: Descriptor | None = None) -> Manifest | Index:
        if self.top_error:
            raise self.top_error
        return super().get(descriptor)

    def open_blob(self, descriptor: Descriptor) -> Readable:
        if self.blob_error:
            raise self.blob_error
        return super().open_blob(descriptor)


def failing(
    monkeypatch: pytest.MonkeyPatch,
    *,
    top: WasmpackError | None = None,
    blob: WasmpackError | None = None,
    config: bytes = CONFIG,
    damaged: bool = False,
) -> None:
    """Let every name mean this image."""
    module = PluginModule((PLUGINS / "header-append-c.wasm").read_bytes())
    made = artifact_image(module, config, {})
    blobs = {at: bytes(len(data)) for at, data in made.blobs.items()} if damaged else made.blobs
    reader = Failing(made.manifest, blobs)
    reader.top_error, reader.blob_error = top, blob
    monkeypatch.setattr("wasmpack.actions.render_source.open_image", lambda *_: Image(reader, NAME))


FAULTS = {
    "other bytes": {"damaged": True},
    "a missing blob": {"blob": NotFound("no such blob")},
    "not a manifest": {"top": BadArtifact("not a manifest")},
}


@pytest.mark.parametrize("kind", [Kind.WASM_PLUGIN, Kind.ENVOY_FILTER])
@pytest.mark.parametrize("fault", FAULTS)
def test_an_image_that_no_mesh_can_read_is_refused(
    fault: str, kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, **FAULTS[fault])  # type: ignore[arg-type]
    with pytest.raises(RejectedArtifact) as caught:
        render_wasmplugin(RenderRequest(source=NAME, kind=kind))
    assert caught.value.exit_code == 3
    assert "IMG004" in {finding.code for finding in caught.value.report.findings}
    written = render_wasmplugin(RenderRequest(source=NAME, kind=kind, validate=False))
    assert f"oci://{NAME}" in written.text("yaml")


@pytest.mark.parametrize(
    ("url", "way"),
    [
        ("http://me:pw@e.io/x.wasm?a=b", "curl -sL http://e.io/x.wasm | sha256sum"),
        ("file:///opt/x.wasm", "leave it out"),
    ],
)
def test_what_cannot_be_pinned_says_how_else(url: str, way: str) -> None:
    with pytest.raises(WrongUsage, match="--pin needs an image") as caught:
        render_wasmplugin(RenderRequest(source=url, pin=True))
    assert way in caught.value.hint


UNREACHED = {
    "not pushed yet": {"top": NotFound("no such image")},
    "no answer": {"top": RegistryUnavailable("no answer")},
    "no answer half way": {"blob": RegistryUnavailable("no answer")},
}


@pytest.mark.parametrize("case", UNREACHED)
def test_an_image_that_is_not_reached_is_a_warning(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, **UNREACHED[case])  # type: ignore[arg-type]
    done = render_wasmplugin(RenderRequest(source=NAME))
    assert {"WPL015"} <= {finding.code for finding in done.report.findings}
    assert not [found for found in done.report.findings if found.severity == "error"]
    with pytest.raises((NotFound, RegistryUnavailable)):
        render_wasmplugin(RenderRequest(source=NAME, pin=True))


def test_a_runtime_configuration_that_no_mesh_reads_hides_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    failing(monkeypatch, config=b"{")
    request = RenderRequest(source=NAME, pin=True, validate=False)
    done = render_wasmplugin(request)
    assert "sha256" in done.text("yaml")
    assert "WPL015" in {finding.code for finding in done.report.findings}


@pytest.mark.parametrize("pin", [True, False])
@pytest.mark.parametrize("kind", [Kind.WASM_PLUGIN, Kind.ENVOY_FILTER])
def test_a_pin_settles_the_doubt_about_an_index(
    kind: Kind, pin: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = Shelf()
    image = on_shelf(nested(shelf, 2), shelf, NAME)
    monkeypatch.setattr("wasmpack.actions.render_source.open_image", lambda *_: image)
    done = render_wasmplugin(RenderRequest(source=NAME, kind=kind, pin=pin))
    codes = {finding.code for finding in done.report.findings}
    assert ("IMG002" in codes) is not pin
