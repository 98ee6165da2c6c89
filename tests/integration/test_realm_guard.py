"""Registries that Istio's fetcher does not talk to: said by whoever asks them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest
from conftest import Cli
from support.plugins import PLUGINS, wat
from support.registries import RunningRegistry
from support.registries.start import TokenRegistry

C = PLUGINS / "header-append-c.wasm"
WORDS = "rejected unsafe bearer realm"
CONFIG = '{"first-header": "a", "another-header": "b"}'


@pytest.fixture(params=["htpasswd", "token"])
def guarded(
    request: pytest.FixtureRequest, htpasswd_registry: RunningRegistry,
    token_registry: TokenRegistry,
) -> tuple[str, Mapping[str, str]]:  # fmt: skip
    """A plain htpasswd registry, and one whose token server is on this machine."""
    if request.param == "htpasswd":
        registry = htpasswd_registry
        name = f"{registry.host}/guard/plugin"
    else:
        registry = token_registry.registry
        name = f"{registry.host}/guard/plugin"
    login = {"WASMPACK_USERNAME": registry.username or "",
             "WASMPACK_PASSWORD": registry.password or ""}  # fmt: skip
    return f"{name}:v1", login


def squeezed(text: str) -> str:
    return " ".join(text.split())


def test_it_is_said_at_every_step(
    guarded: tuple[str, Mapping[str, str]], cli: Cli, tmp_path: Path
) -> None:
    name, login = guarded
    built = cli("build", C, "-t", name, "--push", env=login)
    assert built.code == 0, built.err
    assert WORDS in built.err
    pushed = cli("push", name, "-t", "v2", env=login)
    assert (pushed.code, WORDS in pushed.err) == (0, True)
    asked = ["--remote", "--plugin-config", CONFIG]
    for target, code in (
        ("istio-1.29.2", 3),
        ("istio-1.29.0", 0),
        ("ossm-3.2", 3),
        ("ossm-3.1", 0),
    ):
        rendered = cli("render", "wasmplugin", name, "--pin", *asked, "--target", target, env=login)
        assert (rendered.code, bool(rendered.out)) == (code, code == 0), rendered.err
        judged = cli("validate", "image", name, "--remote", "--target", target, env=login)
        assert judged.code == code
        assert (WORDS in squeezed(judged.out)) is (code == 3)
    by_default = cli("validate", "image", name, "--remote", env=login)
    assert by_default.code == 0
    assert "warning IMG009" in by_default.out
    assert "only: istio-1.29, istio-1.30, istio-1.31, ossm-3.2, ossm-3.3, ossm-3.4" in squeezed(
        by_default.out
    )
    written = cli(
        "render", "wasmplugin", name, *asked, "--target", "istio-1.31", "--no-validate", env=login
    )
    (tmp_path / "p.yaml").write_text(written.out)
    last = cli("validate", "wasmplugin", "p.yaml", "--remote", "--target", "istio-1.31", env=login)
    assert (last.code, "IMG009" in last.out) == (3, True)
    for release, code in (("1.31", 3), ("1.26", 0)):  # the challenge alone says so
        without = cli(
            "validate", "wasmplugin", "p.yaml", "--remote", "--target", f"istio-{release}"
        )
        assert (without.code, "IMG009" in without.out) == (code, code == 3)
        assert "WPL015" in without.out


def test_login_warns(htpasswd_registry: RunningRegistry, cli: Cli) -> None:
    registry = htpasswd_registry
    done = cli("login", registry.host, "-u", registry.username or "", "--password-stdin",
               stdin=(registry.password or "").encode())  # fmt: skip
    assert done.code == 0, done.err
    assert WORDS in done.err


def test_an_open_registry_is_asked_for_nothing(open_registry: RunningRegistry, cli: Cli) -> None:
    name = f"{open_registry.host}/guard/open:v1"
    built = cli("build", C, "-t", name, "--push")
    assert (built.code, WORDS in built.err) == (0, False)
    judged = cli("validate", "image", name, "--remote", "--target", "istio-1.31")
    assert (judged.code, "IMG009" in judged.out) == (0, False)


def test_a_pipeline_stops_at_the_first_step_that_ends_in_a_refusal(
    guarded: tuple[str, Mapping[str, str]], cli: Cli, tmp_path: Path
) -> None:
    """``build --push``, ``render --pin``, ``validate wasmplugin``, for three kinds of outages."""
    name, login = guarded
    target = ["--target", "istio-1.30"]

    def pipeline(module: str, label: str) -> list[int]:
        codes = [cli("build", module, "-t", name, "--push", *target, env=login).code]
        if codes[-1]:
            return codes
        rendered = cli("render", "wasmplugin", name, "--pin", "-l", label, "--plugin-config",
                       CONFIG, *target, env=login)  # fmt: skip
        codes.append(rendered.code)
        assert bool(rendered.out) is (rendered.code == 0)
        if rendered.code:
            return codes
        (tmp_path / "p.yaml").write_text(rendered.out)
        return [*codes, cli("validate", "wasmplugin", "p.yaml", *target, env=login).code]

    (tmp_path / "bad.wasm").write_bytes(wat(imports='(import "env" "proxy_none" (func))'))
    assert pipeline("bad.wasm", "app=x") == [3], "a missing import"
    assert pipeline(str(C), "app=my web") == [0, 3], "a label that no pod can carry"
    assert cli("remove", name).code == 0
    elsewhere = cli("render", "wasmplugin", name, "--pin", *target, env=login)
    assert (elsewhere.code, elsewhere.out) == (3, ""), "a registry under the guard"
