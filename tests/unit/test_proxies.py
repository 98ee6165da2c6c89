"""``NO_PROXY`` in the forms that Go's httpproxy takes; SOCKS."""

from __future__ import annotations

import pytest

from wasmpack.errors import RegistryUnavailable
from wasmpack.stores.registry import proxies
from wasmpack.stores.registry.address import Address
from wasmpack.stores.registry.proxies import bypassed, proxies_for

HOST = "reg.corp.example"
NAMED = [
    ("*", HOST), ("reg.corp.example", HOST), ("corp.example", HOST), (".corp.example", HOST),
    ("*.corp.example", HOST), ("REG.Corp.Example", HOST), ("reg.corp.example:443", HOST),
    (".corp.example:443", HOST), ("x.example, corp.example", HOST), (",,corp.example,", HOST),
    ("corp.example", "corp.example"), ("corp.example", "corp.example."),
    ("10.9.8.7", "10.9.8.7"), ("10.9.8.7:443", "10.9.8.7"), ("10.0.0.0/8", "10.9.8.7"),
    ("10.9.8.7/8", "10.9.8.7"), ("fd00::/8", "fd00::1"), ("[fd00::1]:443", "fd00::1"),
    ("fd00::1", "fd00::1"), ("[fd00::1]", "fd00::1"), ("FD00:0::1", "fd00::1"),
]  # fmt: skip
OTHERS = [
    ("", HOST), ("x.example", HOST), ("orp.example", HOST), ("reg.corp.example:80", HOST),
    ("*.corp.example", "corp.example"), (".corp.example", "corp.example"), (",", HOST),
    ("*orp.example", HOST), ("10.9.8.7:80", "10.9.8.7"), ("11.0.0.0/8", "10.9.8.7"),
    ("9.8.7", "10.9.8.7"), ("10.0.0.0/99", "10.9.8.7"), ("10.0.0.0/8", HOST), (":443", HOST),
    ("[", HOST), ("fd00::2", "fd00::1"), ("[fd00::1]:80", "fd00::1"),
]  # fmt: skip


@pytest.mark.parametrize(("excluded", "host"), NAMED)
def test_reached_without_a_proxy(excluded: str, host: str) -> None:
    assert bypassed(host, 443, excluded)


@pytest.mark.parametrize(("excluded", "host"), OTHERS)
def test_reached_through_a_proxy(excluded: str, host: str) -> None:
    assert not bypassed(host, 443, excluded)


@pytest.fixture(autouse=True)
def proxy(monkeypatch: pytest.MonkeyPatch) -> str:
    for name in ("no_proxy", "NO_PROXY", "https_proxy", "http_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy:1")
    monkeypatch.setenv("HTTP_PROXY", "http://proxy:2")
    return "http://proxy:1"


def test_by_scheme(proxy: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert proxies_for(Address.parse(f"https://{HOST}/")) == {"https": proxy}
    assert proxies_for(Address.parse(f"http://{HOST}/")) == {"http": "http://proxy:2"}
    assert proxies_for(Address.parse("https://[::1]:5000/")) == {}
    monkeypatch.setenv("NO_PROXY", f"{HOST}:8443")
    assert proxies_for(Address.parse(f"https://{HOST}:8443/")) == {}
    assert proxies_for(Address.parse(f"https://{HOST}/")) == {"https": proxy}


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "socks4"])
@pytest.mark.parametrize("variable", ["HTTPS_PROXY", "ALL_PROXY"])
def test_socks_needs_a_library(variable: str, scheme: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setenv(variable, f"{scheme}://me:secret@proxy:1080")
    monkeypatch.setattr(proxies, "find_spec", lambda _name: None)
    with pytest.raises(RegistryUnavailable, match="speaks SOCKS") as caught:
        proxies_for(Address.parse(f"https://{HOST}/"))
    assert "pip install PySocks" in caught.value.hint
    assert "secret" not in caught.value.message
    monkeypatch.setattr(proxies, "find_spec", lambda _name: object())
    assert proxies_for(Address.parse(f"https://{HOST}/"))
