"""What a name, a file or a directory is found to be, without a noun."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.desk import MODULES, make_desk

from wasmpack.actions.inputs import read_module_file
from wasmpack.actions.subjects import recognize
from wasmpack.errors import BadArtifact, NotFound, WasmpackError, WrongUsage
from wasmpack.oci.place import ArchivePlace, LayoutPlace, NamePlace

TEXTS = Path(__file__).parents[1] / "golden" / "desk"
JSON_RESOURCE = '{"apiVersion": "extensions.istio.io/v1alpha1", "kind": "WasmPlugin"}'


@pytest.fixture(autouse=True)
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    here = make_desk(TEXTS, tmp_path / "desk")
    (here / "module").write_bytes(MODULES["small.wasm"])
    (here / "resource.json").write_text(JSON_RESOURCE)
    (here / "tarball").write_bytes(bytes(257) + b"ustar\0")
    monkeypatch.chdir(here)
    return here


@pytest.mark.parametrize(
    ("name", "kind", "what"),
    [
        ("small.wasm", "module", "WebAssembly module"),
        ("text.wat", "module", "WebAssembly module"),
        ("cut.wasm", "module", "WebAssembly module"),
        ("module", "module", "WebAssembly module"),
        ("good.json", "config", "runtime configuration"),
        ("broken.json", "config", "runtime configuration"),
        ("resource.json", "wasmplugin", "Kubernetes resources"),
        ("plugin.yaml", "wasmplugin", "Kubernetes resources"),
        ("resources", "wasmplugin", "directory of Kubernetes resources"),
        ("./resources", "wasmplugin", "directory of Kubernetes resources"),
        ("old", "image", "OCI layout"),
        ("./old", "image", "OCI layout"),
        ("oci:absent:v1", "image", "OCI layout"),
        ("tarball", "image", "OCI archive"),
        ("oci-archive:absent.tar", "image", "OCI archive"),
        ("docker-daemon:me/plugin:v1", "image", "image in the Docker engine"),
        ("quay.io/me/plugin:v1", "image", "image in a registry"),
        ("quay.io/me/plugin.wasm", "image", "image in a registry"),
        ("docker://me/plugin:v1", "image", "image in a registry"),
    ],
)
def test_a_subject_is_recognized(name: str, kind: str, what: str) -> None:
    found = recognize(name)
    assert (found.kind.value, found.what) == (kind, what)


def test_the_place_of_an_image() -> None:
    assert recognize("old").place == LayoutPlace("old")
    assert recognize("tarball").place == ArchivePlace("tarball")
    for name, remote in (("docker://quay.io/a/b:v1", False), ("quay.io/a/b:v1", True)):
        place = recognize(name, remote=remote).place
        assert isinstance(place, NamePlace)
        assert place.remote


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("absent.wasm", NotFound),
        ("absent.yaml", NotFound),
        ("*.wasm", NotFound),
        ("absent", NotFound),
        ("folder", NotFound),
        ("nonsense.txt", BadArtifact),
        ("Quay.io/Me", WrongUsage),
    ],
)
def test_what_is_not_recognized(name: str, kind: type[WasmpackError]) -> None:
    with pytest.raises(kind):
        recognize(name)


def test_what_can_be_read_only_once_is_read_once() -> None:
    reader, writer = os.pipe()
    os.write(writer, JSON_RESOURCE.encode())
    os.close(writer)
    os.set_inheritable(reader, True)
    found = recognize(f"/dev/fd/{reader}")
    os.close(reader)
    assert found.kind.value == "wasmplugin"
    documents, problems = found.documents
    assert [document.value["kind"] for document in documents] == ["WasmPlugin"]  # type: ignore[index, call-overload]
    assert not problems


@pytest.mark.parametrize("name", ["missing.wasm", "dist/missing.wasm", "a/b/missing.yaml"])
def test_a_missing_file_is_not_asked_of_docker_hub(name: str) -> None:
    """Somebody else's image could be there."""
    with pytest.raises(NotFound, match="no such file"):
        recognize(name, remote=False)


@pytest.mark.parametrize("find", [recognize, read_module_file])
def test_a_url_is_judged_as_that_of_a_resource(find: Callable[[str], object]) -> None:
    with pytest.raises(WrongUsage, match=r"http://r\.io/x\.wasm: a") as caught:
        find("http://me:hunter2@r.io/x.wasm")
    assert "a module behind a URL is judged as spec.url" in caught.value.hint
    assert "hunter2" not in f"{caught.value.message}{caught.value.hint}"
