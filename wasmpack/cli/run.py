"""``wasmpack run``."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wasmpack.cli.check_options import StartOptions
from wasmpack.cli.command import argument, command, grouped, option
from wasmpack.cli.console import Console, Facts, format_option
from wasmpack.cli.names import MAYBE_NAME, completed_subject
from wasmpack.cli.options import exclude, registry_options
from wasmpack.errors import WasmpackError, WrongUsage
from wasmpack.stores.session import Session

if TYPE_CHECKING:
    from wasmpack.actions.plugin_chain import ChainRequest
    from wasmpack.actions.run import RunRequest
    from wasmpack.envoy import Exchange, Proxy, Request

LEVELS = click.Choice(["trace", "debug", "info", "warn", "error", "critical"])
_GLANCE = 0.1
"""Seconds between two looks at the log and at the files."""
_FORM = ("content-type", "application/x-www-form-urlencoded")
"""The type that curl gives to data."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyOptions(StartOptions):
    """How plugins are started in a proxy."""

    fail_strategy: str | None = option(
        "Fail as a WasmPlugin with this failStrategy.",
        type=click.Choice(["FAIL_OPEN", "FAIL_CLOSE", "FAIL_RELOAD"]),
        metavar="STRATEGY",
    )
    type: str | None = option(
        "Use it as a WasmPlugin of this type. [default: as its exports suggest]",
        type=click.Choice(["HTTP", "NETWORK"]),
        metavar="HTTP|NETWORK",
    )
    remote: bool = option("Read images from registries only, not from the local store.")
    envoy_path: Path | None = option("Run this Envoy. [default: wasmpack[envoy], or the PATH]")

    def chain(self, subjects: tuple[str, ...]) -> ChainRequest:
        """The plugins with these names, started so."""
        from wasmpack.actions.plugin_chain import ChainRequest

        network = None if self.type is None else self.type == "NETWORK"
        return ChainRequest(
            subjects=tuple(map(completed_subject, subjects)),
            start_up=replace(self.start_up(), network=network),
            fail_strategy=self.fail_strategy or "",
            remote=self.remote,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions(ProxyOptions):
    """Requests to send through the plugins, or how they serve others."""

    subjects: tuple[str, ...] = argument(
        metavar="PLUGIN...", nargs=-1, required=True, type=MAYBE_NAME
    )
    upstream: str | None = option("Send requests on to this server.", metavar="URL")
    requests: tuple[str, ...] = option(
        "Send this request and show what becomes of it (repeatable).",
        "--request",
        metavar="'METHOD /PATH'",
    )
    headers: tuple[str, ...] = option(
        "Send this header (repeatable).", "-H", "--header", metavar="'NAME: VALUE'"
    )
    data: str | None = option("Send this body.", "-d", "--data", metavar="BODY")
    data_file: Path | None = option("Send this file as the body.")
    port: int | None = option(
        "Listen on this loopback port. [default: a free one]",
        type=click.IntRange(1, 65535),
        metavar="PORT",
    )
    log_level: str = option(
        "Show the plugin's log from this level on.", type=LEVELS, default="info", metavar="LEVEL"
    )
    watch: bool = option("Start again when a file changes.")
    record: Path | None = option("Write what was sent and seen as a test file.")

    def request(self) -> RunRequest:
        """Return the request to run them."""
        from wasmpack.actions.run import RunRequest

        exclude(data=self.data, data_file=self.data_file)
        for name in ("requests", "data", "data_file"):
            exclude(**{name.removesuffix("s"): getattr(self, name)}, watch=self.watch)
        if self.headers and not self.requests:
            raise WrongUsage("-H needs --request")
        if self.record and not self.sends:
            raise WrongUsage("--record needs --request, or -d for network plugins")
        return RunRequest(
            chain=self.chain(self.subjects),
            upstream=self.upstream or "",
            log_level=self.log_level,
            port=self.port or 0,
            envoy=self.envoy_path,
            bytes_alone=self.sends and not self.requests,
        )

    @property
    def sends(self) -> bool:
        """True if there is something to send: a request, or bytes for network plugins."""
        return bool(self.requests) or self.data is not None or self.data_file is not None

    def messages(self) -> list[Request]:
        """The requests to send."""
        from wasmpack.actions.inputs import read_file
        from wasmpack.envoy import Request

        body = (self.data or "").encode() if not self.data_file else read_file(self.data_file)
        headers = [_header(text) for text in self.headers]
        if self.data is not None and not any(name.lower() == _FORM[0] for name, _ in headers):
            headers.append(_FORM)
        default = "POST" if self.data is not None or self.data_file else "GET"
        if not self.requests:
            return [Request(method=default, body=body)]
        found = []
        for text in self.requests:
            method, _, path = text.strip().rpartition(" ")
            if not path.startswith("/") or not (method or default).isalpha():
                raise WrongUsage(f"--request {text!r}: expected 'GET /path'")
            method = method or default
            found.append(Request(method=method, path=path, headers=tuple(headers), body=body))
        return found


@command(
    examples=[
        "wasmpack run filter.wasm --request 'GET /hello'",
        "wasmpack run quay.io/me/filter:v1 --plugin-config config.json --watch",
    ]
)
@grouped("given", RunOptions)
@format_option
@registry_options
def run(given: RunOptions, console: Console, session: Session) -> None:
    """Run plugins in a real Envoy, as the mesh would load them.

    PLUGIN is a module, an image, or a file of WasmPlugins; several run in the order of their phases
    and priorities. With --request the command shows the request as the upstream got it, the
    response as the client got it, what the plugin changed, and its log. Network plugins get a
    connection with the bytes of -d. Without either, it serves on a loopback port and prints the log
    until Ctrl-C. The upstream answers with what reached it.
    """
    from wasmpack.actions.run import running_plugins

    request = given.request()
    if given.sends:
        messages = given.messages()
        with running_plugins(request, session) as proxy:
            exchanges = [proxy.ask(message) for message in messages]
        _show(exchanges, console)
        if given.record is not None:
            _record(given.record, request.chain, exchanges, console)
        return
    if console.is_json:
        raise WrongUsage("--format json needs --request, or -d for network plugins")
    _serve(request, given, console, session)


def _show(exchanges: list[Exchange], console: Console) -> None:
    from wasmpack.actions.run import exchange_json
    from wasmpack.cli.run_text import exchange_lines

    style = console.out_style
    lines = (line for exchange in exchanges for line in exchange_lines(exchange, style))
    console.show(Facts(requests=[exchange_json(exchange) for exchange in exchanges]), lines)


def _record(file: Path, chain: ChainRequest, exchanges: list[Exchange], console: Console) -> None:
    from wasmpack.actions.record import recorded

    names = tuple(
        os.path.relpath(name, file.parent) if Path(name).exists() else name
        for name in chain.subjects
    )
    console.write(file, recorded(replace(chain, subjects=names), exchanges))
    console.notice(f"{file}: written; run it with: wasmpack test {file}")


def _serve(request: RunRequest, given: RunOptions, console: Console, session: Session) -> None:
    """Until Ctrl-C, or until a plugin ends Envoy; with ``--watch``, again after each change."""
    from wasmpack.actions.run import running_plugins

    files = [Path(name) for name in (*given.subjects, given.plugin_config) if name]
    while True:
        seen = _times(files)
        try:
            with running_plugins(request, session) as proxy:
                request = replace(request, port=proxy.port())
                scheme = "tcp" if proxy.network else "http"
                console.result(f"{scheme}://127.0.0.1:{request.port}")
                console.status("Ctrl-C ends it")
                _follow(proxy, console, files if given.watch else [], seen)
        except WasmpackError as error:
            if not given.watch:
                raise
            console.error(error.message, error.hint)
            while _times(files) == seen:
                time.sleep(_GLANCE)
        console.status("changed: starting again")
        request = replace(given.request(), port=request.port)


def _follow(proxy: Proxy, console: Console, files: list[Path], seen: list[float]) -> None:
    """Print the log until a file changes.

    :raises EnvoyRefused: Envoy has ended, or no longer answers
    """
    from wasmpack.cli.run_text import log_lines

    shown = 0
    while not files or _times(files) == seen:
        lines = proxy.log
        for text in log_lines(lines[shown:], console.out_style):
            console.result(text)
        shown = len(lines)
        proxy.settle()
        time.sleep(_GLANCE)


def _times(files: list[Path]) -> list[float]:
    """When they were changed."""
    return [_time(file) for file in files]


def _time(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def _header(text: str) -> tuple[str, str]:
    name, colon, value = text.partition(":")
    if not colon or not name.strip():
        raise WrongUsage(f"-H {text!r}: expected 'NAME: VALUE'")
    if "\r" in text or "\n" in text:
        raise WrongUsage(f"-H {text!r}: a line break")
    return name.strip(), value.strip()
