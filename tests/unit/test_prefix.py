"""Where several images go: below a prefix, each under its last name."""

from pathlib import Path

import pytest

from wasmpack.errors import WrongUsage
from wasmpack.oci.place import parse_place
from wasmpack.oci.prefix import Prefix

X = f"quay.io/a/x:v1@sha256:{'a' * 64}"
X2 = f"quay.io/a/x:v1@sha256:{'b' * 64}"
BELOW = {
    "names": ("r.io/p/", ["quay.io/a/x:v1", "y"], ["r.io/p/x:v1", "r.io/p/y:latest"]),
    "with a transport": ("docker://r.io/", ["quay.io/a/x:v1"], ["r.io/x:v1"]),
    "by digest": ("r.io/p/", [f"quay.io/a/z@sha256:{'c' * 64}"], ["r.io/p/z:sha256-cccccccccccc"]),
    "the same last name": (
        "r.io/p/",
        ["quay.io/a/x:v1", "docker.io/b/x:v1", "quay.io/a/x:v2"],
        ["r.io/p/quay.io/a/x:v1", "r.io/p/docker.io/b/x:v1", "r.io/p/x:v2"],
    ),
    "the same tag": (
        "r.io/p/",
        [X, X2],
        ["r.io/p/quay.io/a/x:v1-sha256-aaaaaaaaaaaa", "r.io/p/quay.io/a/x:v1-sha256-bbbbbbbbbbbb"],
    ),
    "layouts": ("oci:out/", ["quay.io/a/x:v1", "oci:y:v2"], ["oci:out/x:v1", "oci:out/y:v2"]),
    "archives": ("oci-archive:out/", ["quay.io/a/x:v1"], ["oci-archive:out/x-v1.tar:v1"]),
    "the engine": ("docker-daemon:me/", ["quay.io/a/x:v1"], ["docker-daemon:me/x:v1"]),
    "from files": (
        "r.io/p/",
        ["oci-archive:dir/Plug.tar.gz:v1", "oci:lay:quay.io/me/z:v3"],
        ["r.io/p/plug:v1", "r.io/p/z:v3"],
    ),
}


@pytest.mark.parametrize(("prefix", "sources", "expected"), BELOW.values(), ids=BELOW)
def test_each_image_has_a_place_of_its_own(
    prefix: str, sources: list[str], expected: list[str]
) -> None:
    below = Prefix.parse(prefix)
    assert below is not None
    places = [parse_place(source) for source in sources]
    found = below.places(places)
    assert [str(found[place]) for place in places] == expected


def test_two_images_never_meet() -> None:
    below = Prefix.of_registry("oci://r.io/p", "PREFIX")
    places = [parse_place(name) for name in ("h.io:1/a:v1", "h.io-1/a:v1")]
    with pytest.raises(WrongUsage, match=r"would both go to r\.io/p/h\.io-1/a:v1"):
        below.places(places)


@pytest.mark.parametrize("text", ["r.io/p", "oci:out", "./out/", "/", "oci:/", "~/x/", "oci:here/"])
def test_a_single_place_is_no_prefix(text: str, tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "oci-layout").touch()
    assert Prefix.parse(text) is None


@pytest.mark.parametrize("text", ["out/", "me/plugins/", "x.tar.d/../"])
def test_a_directory_is_not_sent_to_docker_hub(text: str) -> None:
    with pytest.raises(WrongUsage):
        Prefix.parse(text)


@pytest.mark.parametrize("text", ["http://r.io/p", "r.io/UPPER", "", "mirror", "me/plugins"])
def test_a_prefix_names_a_registry(text: str) -> None:
    with pytest.raises(WrongUsage):
        Prefix.of_registry(text, "PREFIX")
