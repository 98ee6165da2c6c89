"""Images from any place to any other: whole indexes, what refers to them, several tags."""

from __future__ import annotations

import json
from itertools import pairwise
from pathlib import Path

import pytest
from conftest import Cli
from support.faults import Fault, FaultyProxy, Rule
from support.images import image_of, put_by_hand, stands_whole
from support.plugins import PLUGINS
from support.programs import need, run
from support.registries import RunningRegistry
from support.registries.client import call

from wasmpack.images.variants import BuiltImage
from wasmpack.oci import media_types as mt
from wasmpack.oci.canonical import canonical_json
from wasmpack.oci.descriptor import Digest

C = PLUGINS / "header-append-c.wasm"
ACCEPT = {"Accept": f"{mt.OCI_INDEX}, {mt.OCI_MANIFEST}"}
SIGNATURE = "application/vnd.example.signature"


def put_manifest(
    registry: RunningRegistry, repository: str, target: str, body: object, kind: str
) -> str:
    raw = canonical_json(body)
    path = f"{repository}/manifests/{target or Digest.of(raw)}"
    done = call("PUT", registry, path, data=raw, headers={"Content-Type": kind})
    assert done.status_code == 201, done.text
    return str(Digest.of(raw))


def descriptor(image: BuiltImage, **more: object) -> dict[str, object]:
    return {**image.manifest.descriptor.as_json(), **more}


def an_index(registry: RunningRegistry, repository: str, seed: int) -> tuple[str, list[BuiltImage]]:
    """An index of two images, as ``v1``."""
    images = [image_of(seed, 5_000), image_of(seed + 1, 5_000)]
    for image in images:
        put_by_hand(registry, repository, image)
    rows = [
        descriptor(image, platform={"os": "linux", "architecture": architecture})
        for image, architecture in zip(images, ("arm64", "amd64"), strict=True)
    ]
    body = {"schemaVersion": 2, "mediaType": mt.OCI_INDEX, "manifests": rows}
    return put_manifest(registry, repository, "v1", body, mt.OCI_INDEX), images


def a_signature(registry: RunningRegistry, repository: str, image: BuiltImage) -> str:
    """A manifest that refers to an image, and the list of such for a registry without the API."""
    config = image.manifest.config.as_json()
    body = {
        "schemaVersion": 2, "mediaType": mt.OCI_MANIFEST, "artifactType": SIGNATURE,
        "config": config, "layers": [config], "subject": descriptor(image),
    }  # fmt: skip
    digest = put_manifest(registry, repository, "", body, mt.OCI_MANIFEST)
    row = {
        "mediaType": mt.OCI_MANIFEST, "digest": digest, "size": len(canonical_json(body)),
        "artifactType": SIGNATURE,
    }  # fmt: skip
    listed = {"schemaVersion": 2, "mediaType": mt.OCI_INDEX, "manifests": [row]}
    put_manifest(registry, repository, tag_of(image), listed, mt.OCI_INDEX)
    return digest


def tag_of(image: BuiltImage) -> str:
    return str(image.manifest.digest).replace(":", "-")


def manifest(registry: RunningRegistry, repository: str, target: str) -> tuple[int, str]:
    answer = call("GET", registry, f"{repository}/manifests/{target}", headers=ACCEPT)
    return answer.status_code, str(Digest.of(answer.content))


def test_an_index_with_all_its_images(open_registry: RunningRegistry, cli: Cli) -> None:
    digest, images = an_index(open_registry, "copies/index", 10)
    source = f"docker://{open_registry.host}/copies/index:v1"
    one = cli("copy", source, f"{open_registry.host}/copies/one:v1")
    assert one.out.strip().endswith(str(images[1].manifest.digest)), "linux/amd64, as a mesh takes"
    done = cli("copy", source, f"{open_registry.host}/copies/all:v2", "--all", "-t", "v3")
    assert done.out.strip() == f"{open_registry.host}/copies/all:v2@{digest}", done.err
    for tag in ("v2", "v3"):
        assert manifest(open_registry, "copies/all", tag) == (200, digest)
    for image in images:
        assert stands_whole(open_registry, "copies/all", str(image.manifest.digest), image)


def test_through_layouts_and_archives(
    open_registry: RunningRegistry, cli: Cli, tmp_path: Path
) -> None:
    digest, images = an_index(open_registry, "copies/through", 20)
    signature = a_signature(open_registry, "copies/through", images[0])
    places = [
        f"docker://{open_registry.host}/copies/through:v1",
        "oci:layout:v1",
        "oci-archive:file.tar:v1",
        f"{open_registry.host}/copies/back:v1",
    ]
    for source, destination in pairwise(places):
        done = cli("copy", source, destination, "--all", "--referrers")
        assert done.out.strip() == f"{destination}@{digest}", done.err
    for image in images:
        assert stands_whole(open_registry, "copies/back", str(image.manifest.digest), image)
    assert manifest(open_registry, "copies/back", signature) == (200, signature)
    again = cli("copy", places[2], places[3], "--all", "--referrers")
    assert again.code == 0, again.err
    path = f"copies/back/manifests/{tag_of(images[0])}"
    (row,) = call("GET", open_registry, path, headers=ACCEPT).json()["manifests"]
    assert (row["digest"], row["artifactType"]) == (signature, SIGNATURE), "and listed once"
    need("skopeo")
    run("skopeo", "copy", "--all", "oci:layout:v1", "oci:second:v1", cwd=tmp_path)
    plain = cli("inspect", "image", "oci:layout", "--raw", "manifest")
    assert json.loads(plain.out)["mediaType"] == mt.OCI_INDEX, "a signature is not another image"


def test_without_referrers_they_stay(open_registry: RunningRegistry, cli: Cli) -> None:
    _, images = an_index(open_registry, "copies/stay", 30)
    signature = a_signature(open_registry, "copies/stay", images[0])
    source = f"docker://{open_registry.host}/copies/stay:v1"
    assert cli("copy", source, f"{open_registry.host}/copies/gone:v1", "--all").code == 0
    assert manifest(open_registry, "copies/gone", signature)[0] == 404


def test_blobs_are_mounted(open_registry: RunningRegistry, cli: Cli) -> None:
    image = image_of(40)
    put_by_hand(open_registry, "copies/mounted", image)
    with FaultyProxy(open_registry.host) as proxy:
        source = f"docker://{proxy.host}/copies/mounted:v1"
        done = cli("copy", source, f"{proxy.host}/copies/target:v1", "--format", "json")
        assert done.code == 0, done.err
        assert {row["status"] for row in json.loads(done.out)["pushed"]} == {"mounted"}
        assert not [seen for seen in proxy.seen if seen.method == "GET" and "/blobs/" in seen.path]
    assert stands_whole(open_registry, "copies/target", "v1", image)


def test_a_push_mounts_from_where_the_image_is_named(
    open_registry: RunningRegistry, cli: Cli
) -> None:
    name = f"{open_registry.host}/copies/built:v1"
    assert cli("build", C, "-t", name, "--push").code == 0
    done = cli("push", name, f"{open_registry.host}/copies/other:v1", "--format", "json")
    assert {row["status"] for row in json.loads(done.out)["pushed"]} == {"mounted"}


def test_tags_that_no_place_can_have(cli: Cli) -> None:
    assert cli("copy", "oci:x", "docker-daemon:x", "-t", "y").code == 2
    assert cli("copy", "oci:x", "oci:y", "-t", "no tag").code == 2


def test_a_warning_is_passed_on_once(open_registry: RunningRegistry, cli: Cli) -> None:
    put_by_hand(open_registry, "copies/warned", image_of(60, 1_000))
    warning = Fault(headers=(("Warning", r'299 - "this registry \"moves\" soon"'),))
    with FaultyProxy(open_registry.host, [Rule(fault=warning, times=-1)]) as proxy:
        done = cli("pull", f"{proxy.host}/copies/warned:v1")
    assert done.code == 0, done.err
    assert done.err.count('warns: this registry "moves" soon') == 1


@pytest.mark.parametrize(
    "place",
    ["oci:missing:v1", pytest.param("docker-daemon:no/such:v1", marks=pytest.mark.docker)],
)
def test_places_that_are_not_there(place: str, cli: Cli) -> None:
    if place.startswith("docker"):
        need("docker", "version")
    assert cli("copy", place, "oci:out:v1").code == 4
