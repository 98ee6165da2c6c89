"""Images of several resources: what is known of one is not worked out again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import certifi
import pytest
from support.indexes import AMD, ARM, IMAGE, WASM, Shelf, on_shelf
from support.plugins import PLUGINS

from wasmpack.actions.validate_wasmplugin import validate_wasmplugin
from wasmpack.errors import AccessRefused, BadArtifact, NotFound, RegistryUnavailable, WasmpackError
from wasmpack.findings import Report
from wasmpack.images.image import Image
from wasmpack.images.variants import artifact_image, filesystem_image
from wasmpack.kubeyaml.documents import Document
from wasmpack.oci.place import NamePlace
from wasmpack.proxy_abi.module import PluginModule
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.session import Session

pytestmark = pytest.mark.slow

GOOD = "quay.io/me/plugin:v1"
Open = Callable[[NamePlace, object], Image]


def plugins(*images: str, configs: tuple[str, ...] = ()) -> list[Document]:
    """A resource for each image."""
    return [
        Document(source=f"f{number}", value={
            "apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin",
            "metadata": {"name": f"p{number}"},
            "spec": {"url": f"oci://{image}", "priority": number,
                     **({"pluginConfig": {"a": configs[number]}} if configs else {})},
        })
        for number, image in enumerate(images)
    ]  # fmt: skip


def opening(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], Image]) -> list[str]:
    """Let images come from here; the names that were asked for."""
    asked: list[str] = []

    def opened(place: NamePlace, _session: object) -> Image:
        asked.append(str(place))
        return answer(str(place))

    monkeypatch.setattr("wasmpack.actions.plugin_images.open_image", opened)
    return asked


def good(name: str) -> Image:
    module = PluginModule((PLUGINS / "header-append-c.wasm").read_bytes())
    return Image(artifact_image(module, b'{"type":"envoy_proxy"}', {}), name)


def failing(error: Callable[[str], WasmpackError]) -> Callable[[str], Image]:
    def answer(name: str) -> Image:
        raise error(name)

    return answer


def codes(report: Report) -> list[str]:
    return [found.code for found in report.findings if found.code in {"WPL015", "WPL016"}]


@pytest.mark.parametrize(
    ("configs", "number"),
    [((), 1), (("x", "x", "x"), 1), (("x", "y", "x"), 2)],
    ids=["no configuration", "the same", "two"],
)
def test_an_image_is_started_once_for_each_configuration(
    configs: tuple[str, ...], number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = opening(monkeypatch, good)
    validate_wasmplugin(plugins(GOOD, GOOD, GOOD, configs=configs), "f")
    assert asked == [GOOD] * number


def test_an_image_that_is_not_there_is_asked_for_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = opening(monkeypatch, failing(lambda name: NotFound(f"no {name}")))
    report = validate_wasmplugin(plugins(GOOD, GOOD, GOOD), "f")
    assert (asked, codes(report)) == ([GOOD], ["WPL016"] * 3)


@pytest.mark.parametrize("secret", ["", "pull"])
def test_a_private_image_needs_a_pull_secret(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opening(monkeypatch, failing(lambda _: AccessRefused("no", hint="wasmpack login quay.io")))
    (resource,) = plugins(GOOD)
    if secret:
        resource.value["spec"]["imagePullSecret"] = secret
    report = validate_wasmplugin([resource], "f")
    (hint,) = [str(found.hint) for found in report.findings if found.code == "WPL015"]
    assert "wasmpack login quay.io" in hint
    assert ("imagePullSecret, which is not set" in hint) is not bool(secret)
    assert ("wasmpack render secret quay.io" in hint) is not bool(secret)


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"ca_file": "absent.pem"}, NotFound),
        ({"ca_file": "text"}, BadArtifact),
        ({"cert_file": "absent.pem"}, NotFound),
        ({"registry_config": "text"}, BadArtifact),
    ],
)
def test_a_file_of_the_user_is_not_the_fault_of_an_image(
    options: dict[str, str], error: type[WasmpackError], tmp_path: Path
) -> None:
    (tmp_path / "text").write_text("no certificate, no JSON")
    session = Session(registry=RegistryOptions(**options))  # type: ignore[arg-type]
    with pytest.raises(error):
        validate_wasmplugin(plugins(GOOD), "f", session=session)


def names(number: int) -> list[str]:
    return [f"quay.io/me/p{at}:v1" for at in range(number)]


def test_a_registry_that_does_not_answer_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = opening(monkeypatch, failing(lambda _: RegistryUnavailable("no answer")))
    report = validate_wasmplugin(plugins(*names(10), "ghcr.io/me/p:v1"), "f")
    assert asked == [*names(2), "ghcr.io/me/p:v1"]
    assert codes(report) == ["WPL015"] * 11


def test_a_registry_that_fails_for_one_image_is_asked_for_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def every_other(name: str) -> Image:
        if int(name[len("quay.io/me/p") : -len(":v1")]) % 2:
            return good(name)
        raise RegistryUnavailable("no answer")

    asked = opening(monkeypatch, every_other)
    report = validate_wasmplugin(plugins(*names(6)), "f")
    assert (asked, len(codes(report))) == (names(6), 3)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"insecure": True}, True),
        ({"ca_file": certifi.where()}, True),
        ({"insecure": True, "plain_http": True}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize("source", ["registry", "local"])
def test_the_mesh_has_to_trust_the_registry_too(
    source: str, options: dict[str, object], told: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening(monkeypatch, good)
    monkeypatch.setattr(Image, "source", source)
    session = Session(registry=RegistryOptions(**options))  # type: ignore[arg-type]
    found = {each.code for each in validate_wasmplugin(plugins(GOOD), "f", None, session).findings}
    assert ("WPL027" in found) is (told and source == "registry")


def in_an_index(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Let every name mean an index in an index; the digests of its parts."""
    shelf = Shelf()
    inner = shelf.index((IMAGE.manifest.descriptor, AMD))
    other = shelf.index((IMAGE.manifest.descriptor, None))
    top = shelf.index((inner.descriptor, AMD), (other.descriptor, ARM))
    opening(monkeypatch, lambda name: on_shelf(top, shelf, name))
    return {
        "image": IMAGE.manifest.digest.hex,
        "top": top.digest.hex,
        "inner": inner.digest.hex,
        "other": other.digest.hex,
        "layer": IMAGE.manifest.layers[-1].digest.hex,
        "unknown": "a" * 64,
    }


@pytest.mark.parametrize(
    ("part", "what"),
    [
        ("top", "is the digest of the index, which the mesh never compares"),
        ("inner", "is the digest of an inner index, which the mesh never compares"),
        ("other", "is the digest of another part of the index (linux/arm64)"),
        ("layer", "is the digest of a layer"),
        ("unknown", "is not the digest of the image that"),
    ],
)
def test_a_wrong_digest_is_named(part: str, what: str, monkeypatch: pytest.MonkeyPatch) -> None:
    digests = in_an_index(monkeypatch)
    (resource,) = plugins(GOOD)
    resource.value["spec"]["sha256"] = digests[part]
    report = validate_wasmplugin([resource], "f")
    (found,) = [found for found in report.findings if found.code == "WPL006"]
    assert what in found.message
    assert digests["image"] in str(found.hint)


def test_the_image_id_of_docker_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    image = filesystem_image(WASM, None, {}, docker=True)
    opening(monkeypatch, lambda name: Image(image, name))
    (resource,) = plugins(GOOD)
    assert image.manifest.config is not None
    resource.value["spec"]["sha256"] = image.manifest.config.digest.hex
    report = validate_wasmplugin([resource], "f")
    (found,) = [found for found in report.findings if found.code == "WPL006"]
    assert "docker's image ID" in found.message


@pytest.mark.parametrize(("pin", "doubts"), [("image", 0), ("inner", 1), (None, 1)])
def test_a_right_digest_settles_the_doubt_about_an_index(
    pin: str | None, doubts: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = in_an_index(monkeypatch)
    (resource,) = plugins(GOOD)
    if pin:
        resource.value["spec"]["sha256"] = digests[pin]
    report = validate_wasmplugin([resource], "f")
    found = [str(found.message) for found in report.findings if found.code == "IMG002"]
    assert len(found) == doubts
    assert all(digests["image"] in message for message in found)
