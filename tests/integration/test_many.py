"""Several images in one command: one process, one session, the worst exit code."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from conftest import Cli
from support.images import image_of, keep, put_by_hand, stands_whole
from support.plugins import PLUGINS
from support.registries import RunningRegistry
from support.registries.client import call

from wasmpack.images.variants import BuiltImage
from wasmpack.stores.local import store_path

C = PLUGINS / "header-append-c.wasm"
COUNT = 6


def kept(registry: RunningRegistry, repository: str) -> dict[str, BuiltImage]:
    """Images of the local store, by the repository that each belongs to."""
    images = {f"{repository}/p{number}": image_of(number, 500) for number in range(COUNT)}
    for path, image in images.items():
        keep(image, store_path(), f"{registry.host}/{path}:v1")
    return images


def there(registry: RunningRegistry, repository: str) -> dict[str, BuiltImage]:
    """The same in the registry."""
    images = {f"{repository}/p{number}": image_of(number, 500) for number in range(COUNT)}
    for path, image in images.items():
        put_by_hand(registry, path, image)
    return images


def names(registry: RunningRegistry, images: dict[str, BuiltImage]) -> list[str]:
    return [f"{registry.host}/{path}:v1" for path in images]


def printed(registry: RunningRegistry, images: dict[str, BuiltImage]) -> list[str]:
    return [
        f"{name}@{image.manifest.digest}"
        for name, image in zip(names(registry, images), images.values(), strict=True)
    ]


def test_push_each(open_registry: RunningRegistry, cli: Cli) -> None:
    images = kept(open_registry, "many/push")
    done = cli("push", "--each", "--no-validate", *names(open_registry, images))
    assert (done.code, done.out.splitlines()) == (0, printed(open_registry, images)), done.err
    assert f"{COUNT} images: {COUNT} pushed" in done.err
    assert all(stands_whole(open_registry, path, "v1", image) for path, image in images.items())


def test_one_that_fails_stops_no_other(open_registry: RunningRegistry, cli: Cli) -> None:
    images = kept(open_registry, "many/fails")
    absent = f"{open_registry.host}/many/fails/absent:v1"
    there = names(open_registry, images)
    arguments = ("push", "--each", "--no-validate", there[0], absent, *there[1:])
    done = cli(*arguments, "--format", "json")
    assert done.code == 4
    assert f"{COUNT + 1} images: {COUNT} pushed, 1 failed" in done.err
    value = json.loads(done.out)
    assert [row.get("exitCode", 0) for row in value["results"]] == [0, 4, *[0] * (COUNT - 1)]
    assert [row["subject"] for row in value["results"] if "subject" in row] == [absent]
    assert value["results"][0]["pushed"][0]["status"] == "uploaded"


def test_a_rejected_image_is_explained(open_registry: RunningRegistry, cli: Cli) -> None:
    images = kept(open_registry, "many/rejected")  # random bytes, no modules
    good = f"{open_registry.host}/many/rejected/good:v1"
    assert cli("build", C, "-t", good).code == 0
    done = cli("push", "--each", good, names(open_registry, images)[0])
    assert done.code == 3
    assert [line.partition("@")[0] for line in done.out.splitlines()] == [good]
    assert "rejected, " in done.err
    assert "MOD" in done.err, "the findings too"


def test_pull_several(open_registry: RunningRegistry, cli: Cli, tmp_path: Path) -> None:
    images = there(open_registry, "many/pull")
    done = cli("pull", *names(open_registry, images))
    assert (done.code, done.out.splitlines()) == (0, printed(open_registry, images)), done.err
    assert len(json.loads(cli("list", "--format", "json").out)["images"]) == COUNT
    below = cli("pull", *names(open_registry, images), "-o", "oci:out/")
    assert below.code == 0, below.err
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        f"p{number}" for number in range(COUNT)
    ]
    one_place = cli("pull", *names(open_registry, images), "-o", "oci:out")
    assert one_place.code == 2
    assert "does not end in /" in one_place.err


def test_copy_several_below_a_prefix(open_registry: RunningRegistry, cli: Cli) -> None:
    images = there(open_registry, "many/copy")
    sources = [f"docker://{name}" for name in names(open_registry, images)]
    done = cli("copy", *sources, f"{open_registry.host}/many/copied/")
    assert done.code == 0, done.err
    moved = {path.replace("many/copy", "many/copied"): image for path, image in images.items()}
    assert done.out.splitlines() == printed(open_registry, moved)
    assert all(stands_whole(open_registry, path, "v1", image) for path, image in moved.items())


def test_several_sources_need_a_prefix(cli: Cli) -> None:
    done = cli("copy", "quay.io/a/x:v1", "quay.io/a/y:v1", "r.io/p")
    assert done.code == 2
    assert "2 sources, but r.io/p does not end in /" in done.err
    assert "hint: r.io/p/" in done.err


DESTINATIONS = ["{host}/many/tags{n}", "{host}/many/below{n}/", "oci:tags", "oci:below/"]


@pytest.mark.parametrize("destination", DESTINATIONS)
def test_copy_all_tags(destination: str, open_registry: RunningRegistry, cli: Cli) -> None:
    repository = "many/source"
    for number in range(3):
        put_by_hand(open_registry, repository, image_of(number, 500))
        manifest = image_of(number, 500).manifest
        kind = {"Content-Type": manifest.media_type}
        path = f"{repository}/manifests/t{number}"
        call("PUT", open_registry, path, data=manifest.raw, headers=kind)
    place = destination.format(host=open_registry.host, n=DESTINATIONS.index(destination))
    done = cli("copy", "--all-tags", f"{open_registry.host}/{repository}", place)
    assert done.code == 0, done.err
    assert "4 images: 4 copied" in done.err
    for number in range(3):
        where = f"{place}source:t{number}" if place.endswith("/") else f"{place}:t{number}"
        found = cli("digest", where).out.strip()
        assert found == str(image_of(number, 500).manifest.digest)


def test_an_archive_holds_one_image(open_registry: RunningRegistry, cli: Cli) -> None:
    put_by_hand(open_registry, "many/one", image_of(1, 500))
    done = cli("copy", "--all-tags", f"{open_registry.host}/many/one", "oci-archive:tags.tar")
    assert (done.code, "an archive holds one image" in done.err) == (2, True)


def test_all_tags_of_one_repository(cli: Cli) -> None:
    for arguments in (["quay.io/a/x:v1", "r.io/p"], ["quay.io/a/x", "quay.io/a/y", "r.io/p/"]):
        done = cli("copy", "--all-tags", *arguments)
        assert (done.code, "expected one repository" in done.err) == (2, True)


@pytest.mark.parametrize("arguments", [["a", "b", "c"], ["--each", "oci:x:v1"]])
def test_push_of_several_says_how(arguments: list[str], cli: Cli) -> None:
    assert cli("push", *arguments).code == 2
