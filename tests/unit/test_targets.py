"""The releases, under all names that people give them."""

import pytest

from wasmpack.errors import WrongUsage
from wasmpack.mesh.releases import istio_release
from wasmpack.targets import all_targets, choose, default_targets, target

ISTIO_OF_OSSM = {"2.2": "1.12", "2.3": "1.14", "2.4": "1.16", "2.5": "1.18", "2.6": "1.20",
                 "3.0": "1.24", "3.1": "1.26", "3.2": "1.27", "3.3": "1.28",
                 "3.4": "1.30"}  # fmt: skip
"""By the support tables of July 2026, and Maistra's branches before."""


@pytest.mark.parametrize("name", ["istio-1.29", "ISTIO-1.29", " Istio-1.29 "])
def test_case_means_nothing(name: str) -> None:
    assert target(name) == target("istio-1.29")


def test_a_patch_release_is_named_as_it_was_asked_for() -> None:
    """What ``istioctl version`` prints."""
    found = target("Istio-1.29.2")
    assert (found.name, found.host) == ("istio-1.29.2", target("istio-1.29").host)
    assert istio_release(found) == (1, 29)
    assert [row.name for row in choose(["istio-1.29.2", "ISTIO-1.29.2"])] == ["istio-1.29.2"]


@pytest.mark.parametrize(
    ("name", "guarded"),
    [("istio-1.26", False), ("istio-1.26.99", False), ("istio-1.27.7", False),
     ("istio-1.27.8", True), ("istio-1.27", True), ("istio-1.28.4", False), ("istio-1.28.5", True),
     ("istio-1.29.0", False), ("istio-1.29.1", True), ("istio-1.30.0", True), ("istio-1.31", True),
     ("ossm-3.0", False), ("ossm-3.1", False), ("ossm-3.2", True), ("ossm-3.3", True),
     ("ossm-3.4", True), ("envoy-gateway-1.9", False), ("higress-2", False)],
)  # fmt: skip
def test_a_patch_release_has_its_own_rules(name: str, guarded: bool) -> None:
    """The realm guard: Istio 1.27.8, 1.28.5, 1.29.1, all 1.30 and later."""
    assert target(name).realm_guard is guarded


@pytest.mark.parametrize(("ossm", "istio"), ISTIO_OF_OSSM.items())
def test_which_istio_a_service_mesh_ships(ossm: str, istio: str) -> None:
    found = target(f"ossm-{ossm}")
    assert found.ships.startswith(f"Istio {istio}")
    same = target(f"istio-{istio}")
    assert istio_release(found) == istio_release(same)
    if ossm != "2.3":  # it has the rule of the last layer as a backport
        assert (found.host, found.image) == (same.host, same.image)


def test_the_service_meshes_in_support_are_judged() -> None:
    names = {row.name for row in default_targets()}
    assert names >= {"ossm-2.6", "ossm-3.0", "ossm-3.1", "ossm-3.2", "ossm-3.3", "ossm-3.4"}
    assert "not established" in target("ossm-3.4").remark


ISTIO, OSSM = (
    [row.name for row in all_targets() if row.consumer == consumer][-1]
    for consumer in ("istio", "ossm")
)
"""The newest releases."""


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("istio-1.99", f"the newest known is {ISTIO}"),
        ("istio-1.98.1", f"the newest known is {ISTIO}"),
        ("istio-1.11", f"the nearest known is istio-1.12, the newest {ISTIO}"),
        ("ossm-2.9", f"the nearest known is ossm-2.6, the newest {OSSM}"),
        ("ossm-4.0", f"the newest known is {OSSM}"),
        ("istio", f"the nearest known is istio-1.12, the newest {ISTIO}"),
        ("isto-1.29", "did you mean istio-1.29?"),
        ("istio-1.²", "the nearest known is istio-1.12"),
        ("istio-" + "9" * 10_000, f"the newest known is {ISTIO}"),
        ("nonsense", "wasmpack targets"),
        ("", "wasmpack targets"),
    ],
)
def test_an_unknown_release_names_known_ones(name: str, hint: str) -> None:
    with pytest.raises(WrongUsage, match="unknown target") as raised:
        target(name)
    assert hint in raised.value.hint
    assert len(raised.value.message) < 100


def test_every_target_is_found_by_its_own_name() -> None:
    assert all(target(row.name) == row for row in all_targets())
