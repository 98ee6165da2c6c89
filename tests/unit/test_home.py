"""No home directory (an arbitrary uid in a container) means no files there."""

from __future__ import annotations

import pwd
from pathlib import Path

import pytest
from support.images import image_of

from wasmpack.errors import NotFound
from wasmpack.files.home import below_home, home_directory
from wasmpack.findings import Report, Verdict
from wasmpack.oci.reference import Reference
from wasmpack.stores import local
from wasmpack.stores.registry.auth_files import auth_files
from wasmpack.stores.registry.credentials import (
    Credential,
    find_credential,
    save_credential,
)
from wasmpack.stores.registry.options import RegistryOptions

ACCEPTED = Report(subject="x", kind="image", verdict=Verdict.ACCEPT, targets=(), findings=())
VARIABLES = ["HOME", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_RUNTIME_DIR", "WASMPACK_STORE"]


@pytest.fixture
def homeless(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(_uid: int) -> pwd.struct_passwd:
        raise KeyError("uid not found")

    for name in VARIABLES:
        monkeypatch.delenv(name)
    monkeypatch.setattr(pwd, "getpwuid", unknown)
    monkeypatch.setattr("wasmpack.stores.registry.auth_files._RUN", Path("/nowhere"))


@pytest.mark.usefixtures("homeless")
def test_nothing_is_there() -> None:
    assert home_directory() is None
    assert below_home("XDG_DATA_HOME", "x") is None
    assert list(auth_files(RegistryOptions())) == []
    assert find_credential("quay.io", "a/b", RegistryOptions()) is None
    assert not local.has_store()
    assert local.find_local(Reference.parse("quay.io/a/b:v1")) is None
    assert local.forget_reports() == (0, 0)


@pytest.mark.usefixtures("homeless")
def test_reports_are_not_kept() -> None:
    manifest = image_of(1, 10).manifest
    local.keep_report(manifest, ACCEPTED)
    assert local.known_report(manifest, pytest.fail) is None


@pytest.mark.usefixtures("homeless")
def test_what_has_to_be_written_names_the_variable() -> None:
    with pytest.raises(NotFound) as store:
        local.open_store()
    assert "WASMPACK_STORE" in store.value.hint
    with pytest.raises(NotFound) as credentials:
        save_credential("quay.io", Credential(username="u", secret="p"), RegistryOptions())
    assert "DOCKER_CONFIG" in credentials.value.hint


@pytest.mark.usefixtures("homeless")
def test_variables_do_without_a_home(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert str(local.store_path()) == "/data/wasmpack/store"
    monkeypatch.setenv("DOCKER_CONFIG", "/docker")
    assert [str(path) for path in auth_files(RegistryOptions())] == ["/docker/config.json"]
