"""The type of a plugin, HTTP or network: a proxy calls only the callbacks of that type."""

from collections.abc import Iterator

from wasmpack.findings import Problem, Rule, Severity
from wasmpack.wasm.types import Module

_HTTP = {
    b"proxy_on_request_headers",
    b"proxy_on_request_body",
    b"proxy_on_request_trailers",
    b"proxy_on_response_headers",
    b"proxy_on_response_body",
    b"proxy_on_response_trailers",
}
_NETWORK = {
    b"proxy_on_new_connection",
    b"proxy_on_downstream_data",
    b"proxy_on_upstream_data",
    b"proxy_on_downstream_connection_close",
    b"proxy_on_upstream_connection_close",
}
_BOTH = {b"proxy_on_log"}
_IN_BACKGROUND = {b"proxy_on_tick", b"proxy_on_queue_ready", b"proxy_on_foreign_function"}
"""All that a service of the proxy itself needs, which has no traffic (wasm_service in Envoy)."""
TYPE = "type"
"""The place of a problem that a plugin of the other type would not have."""
NO_CALLBACK = Rule(
    code="RUN014",
    title="a plugin without any callback, or without one of the type that it is used as",
    severity=Severity.WARNING,
    cause="the proxy loads it and calls nothing of it: HTTP plugins get requests and responses, "
    "`type: NETWORK` ones get connections and their bytes",
    consumer="every proxy",
    example='(func (export "proxy_on_new_connection") (param i32) (result i32)\n'
    "  (i32.const 0)) ;; of a plugin with type: HTTP",
    fix="use the other `type`, or export the callbacks",
)


def is_network(module: Module) -> bool:
    """The plugin can be nothing but a network plugin."""
    exported = module.functions.keys()
    return bool(exported & _NETWORK) and not exported & _HTTP


def type_problems(module: Module, *, network: bool | None) -> Iterator[Problem]:
    """Findings of a module that is used as a plugin of that type; None if that is not known."""
    exported = module.functions.keys()
    called = {None: _HTTP | _NETWORK | _IN_BACKGROUND, False: _HTTP, True: _NETWORK}[network]
    if exported & (called | _BOTH):
        return
    kind = "" if network is None else f" of the type {_name(network)}"
    message = f"no callback{kind} is exported: the plugin does nothing"
    where, hint = "exports", "export the callbacks that it needs"
    of_other = sorted(exported & (_HTTP | _NETWORK))
    if of_other:
        message += f"; {of_other[0].decode()} is one of the other type"
        where, hint = TYPE, f"type: {_name(not network)}"
    yield NO_CALLBACK.problem(where, message, hint)


def _name(network: bool) -> str:
    return "NETWORK" if network else "HTTP"
