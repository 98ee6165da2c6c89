"""What a user means by a text: names, repositories, patterns and digests of the local store."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Cli
from support.images import image_of, keep

from wasmpack.actions.local import list_local, remove_local
from wasmpack.errors import NotFound, WrongUsage
from wasmpack.files.directories import write_inside
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.stores.index_json import Entry
from wasmpack.stores.layout import Layout
from wasmpack.stores.local import store_path
from wasmpack.stores.store_names import StoreNames

ONE, TWO = (Digest("sha256", "ab" * 6 + digit * 52) for digit in "12")
KNOWN = {
    "quay.io/me/plugin:v1": ONE,
    "quay.io/me/plugin:v2": TWO,
    f"quay.io/me/plugin@{ONE}": ONE,
    "quay.io/me/other:v1": TWO,
    "docker.io/library/plugin:v1": ONE,
    "docker.io/library/plugin:latest": TWO,
}


def names() -> StoreNames:
    return StoreNames(
        Entry(name=name, descriptor=Descriptor(media_type="", digest=digest, size=1))
        for name, digest in KNOWN.items()
    )


ALL_OF_PLUGIN = {name for name in KNOWN if name.startswith("quay.io/me/plugin")}
MEANT = {
    "quay.io/me/plugin:v1": {"quay.io/me/plugin:v1"},
    "docker://quay.io/me/plugin:v1": {"quay.io/me/plugin:v1"},
    "quay.io/me/plugin": ALL_OF_PLUGIN,
    "plugin": {"docker.io/library/plugin:v1", "docker.io/library/plugin:latest"},
    "plugin:latest": {"docker.io/library/plugin:latest"},
    f"quay.io/me/plugin@{ONE}": {"quay.io/me/plugin:v1", f"quay.io/me/plugin@{ONE}"},
    str(TWO): {name for name, digest in KNOWN.items() if digest == TWO},
    str(ONE)[:20]: {name for name, digest in KNOWN.items() if digest == ONE},
    "*": set(KNOWN),
    "quay.io/*": {name for name in KNOWN if name.startswith("quay.io")},
    "*:v1": {name for name in KNOWN if name.endswith(":v1")},
    "plugin:*": {"docker.io/library/plugin:v1", "docker.io/library/plugin:latest"},
    "quay.io/*/plugin": ALL_OF_PLUGIN,
    "quay.io/me/plugin:v[12]": {"quay.io/me/plugin:v1", "quay.io/me/plugin:v2"},
    "quay.io/me/?ther:v1": {"quay.io/me/other:v1"},
}


@pytest.mark.parametrize(("text", "expected"), MEANT.items(), ids=MEANT)
def test_what_is_meant(text: str, expected: set[str]) -> None:
    assert set(names().meant([text])) == expected


@pytest.mark.parametrize(
    "text",
    ["quay.io/me/plugin:v3", "quay.io/me", "nothing/*", f"other@{ONE}", f"sha256:{'0' * 64}"],
)
def test_nothing_is_meant(text: str) -> None:
    with pytest.raises(NotFound, match="not in the local store"):
        names().meant(["plugin:v1", text])


def test_the_start_of_several_digests() -> None:
    with pytest.raises(WrongUsage, match="several images"):
        names().meant([f"sha256:{'ab' * 6}"])


def kept(count: int) -> None:
    for number in range(count):
        keep(image_of(number, 10), store_path(), f"quay.io/me/p{number}:v1")


def test_many_are_removed_in_one_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    kept(6)
    written: list[str] = []

    def write(root: Path, name: str, data: list[bytes]) -> None:
        written.append(name)
        write_inside(root, name, data)

    monkeypatch.setattr("wasmpack.stores.index_json.write_inside", write)
    removed = remove_local(["quay.io/me/p1:v1", "quay.io/me/p2", "quay.io/me/p[34]:*"])
    assert [str(name) for name, _ in removed] == [f"quay.io/me/p{n}:v1" for n in (1, 2, 3, 4)]
    assert written == ["index.json"]
    assert [row.name for row in list_local()] == ["quay.io/me/p0:v1", "quay.io/me/p5:v1"]
    assert len(list((store_path() / "blobs" / "sha256").iterdir())) == 2 * 2 + 1


def test_one_that_is_unknown_removes_none() -> None:
    kept(1)
    with pytest.raises(NotFound):
        remove_local(["quay.io/me/p0:v1", "quay.io/me/p7:v1"])
    assert len(list_local()) == 1


def test_list_shows_sizes_and_dates(cli: Cli) -> None:
    image = image_of(1, 10)
    keep(image, store_path(), "quay.io/me/p:v1")
    (row,) = json.loads(cli("list", "--format", "json").out)["images"]
    blobs = sum(blob.size for blob in image.manifest.blobs)
    assert (row["size"], row["created"]) == (len(image.manifest.raw) + blobs, None)
    head, line = cli("list").out.splitlines()
    assert head.split() == ["IMAGE", "VARIANT", "SIZE", "CREATED", "DIGEST"]
    assert line.split()[-2:] == ["-", str(row["digest"])[:19]]


def test_an_image_that_is_damaged_is_listed() -> None:
    kept(1)
    layout = Layout(store_path())
    (entry,) = layout.entries()
    layout.blob_path(entry.descriptor.digest).unlink()
    (row,) = list_local()
    assert (row.variant, row.size, row.created) == ("damaged", entry.descriptor.size, None)
