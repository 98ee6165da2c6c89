"""Modules that make host calls in one callback of a request, and log what each was answered.

A probe is a callback and the calls made in it, in order. Its module logs a line a call: the result,
the numbers that were written, and the value that was handed over. Envoy and the dry run must log
the same, but for values that depend on the machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Literal

from support.envoy_batch import LOADS, Subject, observe
from support.exchanges import FULL, PLAIN
from support.plugins import binary

from agreement.programs import MARKERS, signature
from wasmpack.dry_run.host.exchange import GET_REQUEST, callbacks
from wasmpack.dry_run.result import Outcome, RunRequest
from wasmpack.dry_run.runs import compiled_plugin, dry_runs
from wasmpack.dry_run.start_up import StartUp

ExchangeName = Literal["plain", "full"]
OUT, LINE, TEXT, HEAP = 256, 1024, 4096, 65536
"""Addresses of what a call writes, of the line, of the strings, and of the allocator's memory."""
_WRITTEN, _VALUE = 16, 96
"""Bytes of each that are logged; what more there is of a value is not compared."""
CALLBACKS: dict[ExchangeName, tuple[str, ...]] = {
    "plain": (
        "proxy_on_context_create",
        "proxy_on_request_headers",
        "proxy_on_response_headers",
        "proxy_on_response_body",
        "proxy_on_log",
        "proxy_on_done",
        "proxy_on_delete",
    ),
    "full": (
        "proxy_on_request_headers",
        "proxy_on_request_body",
        "proxy_on_request_trailers",
        "proxy_on_response_headers",
        "proxy_on_response_body",
        "proxy_on_response_trailers",
        "proxy_on_log",
    ),
}
"""Those that are called during each exchange."""
PAIRS = b"\x01\0\0\0\x05\0\0\0\x02\0\0\0x-set\0xy\0"
"""A header map with one pair, as the ABI encodes it."""


@dataclass(frozen=True, slots=True)
class Out:
    """The address of a result."""

    number: int = 0


Argument = int | bytes | Out
Step = tuple[Argument | str, ...]
"""The function's name, then its arguments; bytes are two of them, an address and a size."""


EXCHANGES = {"plain": PLAIN, "full": FULL}
"""As Envoy sees them."""
_CALLBACKS = {
    "plain": GET_REQUEST,
    "full": callbacks(Path(__file__).with_name("full_exchange.json").read_text()),
}
"""As the dry run does."""
CONFIGURATION = b"hello"
CRASH = "crash"
_PATIENCE = 30.0
"""Seconds for a whole exchange: no probe holds it, however busy the machine is."""


@dataclass(frozen=True)
class Probe:
    """Calls in one callback of one exchange."""

    exchange: ExchangeName
    callback: str
    version: str
    steps: tuple[Step, ...]

    @property
    def name(self) -> str:
        """Unique, and readable."""
        steps = "; ".join(f"{name}{arguments}" for name, *arguments in self.steps)
        return f"{self.exchange} {self.callback} {self.version} {steps}"

    @property
    def key(self) -> str:
        """Short, for the record."""
        return hashlib.sha256(self.name.encode()).hexdigest()[:12]


def _path(text: str) -> bytes:
    return text.replace(".", "\0").encode()


_OF_REQUEST = """
    path url_path host scheme method headers referer useragent time id protocol query duration size
    total_size headers.:path headers.x-none nothing
"""
_OF_RESPONSE = """
    code code_details flags grpc_status headers trailers size total_size backend_latency
    headers.:status nothing
"""
_OF_CONNECTION = """
    id mtls requested_server_name tls_version subject_local_certificate subject_peer_certificate
    dns_san_local_certificate uri_san_peer_certificate sha256_peer_certificate_digest
    transport_failure_reason termination_details nothing
"""
_OF_UPSTREAM = """
    address port tls_version local_address transport_failure_reason request_attempt_count
    num_endpoints locality cx_pool_ready_duration
"""
_OF_XDS = """
    node cluster_name cluster_metadata route_name route_metadata upstream_host_metadata
    upstream_host_locality_metadata filter_chain_name listener_direction listener_metadata
    virtual_host_name virtual_host_metadata filter_chain_metadata nothing
"""
_OTHERS = """
    source.address source.port source.nothing destination.address destination.port metadata
    metadata.filter_metadata filter_state filter_state.x upstream_filter_state node node.id
    node.metadata cluster_name cluster_metadata route_name route_metadata listener_direction
    listener_metadata upstream_host_metadata plugin_name plugin_root_id plugin_vm_id connection_id
    request response source destination connection upstream xds nothing wasm.key
"""
PROPERTIES = [
    _path(f"{group}.{name}" if group else name)
    for group, names in {
        "request": _OF_REQUEST,
        "response": _OF_RESPONSE,
        "connection": _OF_CONNECTION,
        "upstream": _OF_UPSTREAM,
        "xds": _OF_XDS,
        "": _OTHERS,
    }.items()
    for name in names.split()
]
_MACHINE = {
    _path(name)
    for name in [
        "request.time",
        "request.id",
        "request.duration",
        "request.total_size",
        "request.headers",
        "response.headers",
        "response.total_size",
        "response.backend_latency",
        "source.port",
        "destination.port",
        "source.address",
        "destination.address",
        "connection.id",
        "connection_id",
        "upstream.local_address",
        "upstream.address",
        "upstream.port",
        "upstream.cx_pool_ready_duration",
        "xds.node",
        "plugin_name",
        "plugin_vm_id",
        "request.host",
        "upstream.num_endpoints",
    ]
}
"""Properties whose values, or their sizes, depend on the machine."""
_MAPS = range(9)
_BUFFERS = range(10)
_PIECE = 100
"""Calls of one module that change nothing."""
_CHANGED_MAPS = (0, 1, 2, 3, 5, 8)
_CHANGED_BUFFERS = (0, 1, 2, 7, 9)
"""The others of each answer as one of these does."""


def _reads(version: str) -> list[Step]:
    """Calls that change nothing, all of them in one module."""
    given = (Out(0), Out(1))
    steps: list[Step] = [("proxy_get_property", path, *given) for path in PROPERTIES]
    for kind in _MAPS:
        steps.append(("proxy_get_header_map_size", kind, Out(0)))
        steps.append(("proxy_get_header_map_pairs", kind, *given))
        steps += [
            ("proxy_get_header_map_value", kind, name, *given)
            for name in (b":path", b":status", b"Content-Type", b"x-none", b"x-trailer", b"")
        ]
    for kind in _BUFFERS:
        steps.append(("proxy_get_buffer_status", kind, Out(0), Out(1)))
        steps += [
            ("proxy_get_buffer_bytes", kind, start, length, *given)
            for start, length in ((0, 100), (2, 2), (6, 1), (7, 1), (0, 0), (1, -1))
        ]
    steps.append(("proxy_get_status", Out(0), Out(1), Out(2)))
    steps.append(("proxy_get_current_time_nanoseconds", Out(0)))
    steps.append(("proxy_get_log_level", Out(0)))
    if version == "0.1.0":
        steps.append(("proxy_get_configuration", *given))
    steps.append(("proxy_get_shared_data", b"x-none", *given, Out(2)))
    steps.append(("proxy_resolve_shared_queue", b"", b"x-none", Out(0)))
    return steps


def _writes(version: str) -> Iterator[tuple[Step, ...]]:
    """Calls that change something, and what is seen of it afterwards."""
    given = (Out(0), Out(1))
    for kind in _CHANGED_MAPS:
        size: Step = ("proxy_get_header_map_size", kind, Out(0))
        for name, change in {
            b"x-a": ("proxy_add_header_map_value", kind, b"X-A", b"one"),
            b"x-b": ("proxy_replace_header_map_value", kind, b"x-b", b"two"),
            b"x-set": ("proxy_set_header_map_pairs", kind, PAIRS),
            b"x-none": ("proxy_remove_header_map_value", kind, b"x-none"),
            b"content-type": ("proxy_remove_header_map_value", kind, b"Content-Type"),
            b":status": ("proxy_replace_header_map_value", kind, b":status", b"201"),
        }.items():
            yield change, size, ("proxy_get_header_map_value", kind, name, *given)
    for kind in _CHANGED_BUFFERS:
        for start, length in ((0, 6), (0, 0), (6, 0), (2, 2), (7, 1), (1, 9)):
            yield (
                ("proxy_set_buffer_bytes", kind, start, length, b"HELLO"),
                ("proxy_get_buffer_bytes", kind, 0, 100, *given),
                ("proxy_get_buffer_status", kind, Out(0), Out(1)),
            )
    for key in ("key", "a.b", "request.path", "plugin_root_id", "response.code", "wasm.key", ""):
        read = [("proxy_get_property", p, *given) for p in (_path(key), b"wasm\0" + _path(key))]
        yield ("proxy_set_property", _path(key), b"value"), *read
    for context in (0, 1, 2, 3, 99):
        yield (
            ("proxy_set_effective_context", context),
            ("proxy_get_property", _path("request.method"), *given),
            ("proxy_get_header_map_size", 0, Out(0)),
            ("proxy_get_buffer_status", 1, Out(0), Out(1)),
            ("proxy_set_property", b"key", b"value"),
            ("proxy_set_effective_context", 2),
        )
    yield from _steering(version)
    yield from _calls_out()
    for kind in range(4):
        yield (
            ("proxy_define_metric", kind, b"metric", Out(0)),
            ("proxy_define_metric", kind, b"metric", Out(0)),
            ("proxy_record_metric", 4 + kind, 5),
            ("proxy_increment_metric", 4 + kind, 2),
            ("proxy_get_metric", 4 + kind, Out(0)),
        )
    yield (
        ("proxy_register_shared_queue", b"queue", Out(0)),
        ("proxy_done",),
        ("proxy_set_tick_period_milliseconds", 0),
        ("proxy_log", 0, b"text"),
        ("proxy_log", 7, b"text"),
    )


def _changes(version: str) -> Iterator[tuple[Step, ...]]:
    """0.2.0 differs from 0.2.1 in what can be read alone."""
    return iter(()) if version == "0.2.0" else _writes(version)


def _steering(version: str) -> Iterator[tuple[Step, ...]]:
    """Calls that act on the stream; each may end the proxy."""
    if version == "0.1.0":
        yield (("proxy_continue_request",),)
        yield (("proxy_continue_response",),)
        yield (("proxy_clear_route_cache",),)
        return
    for kind in range(5):
        yield (("proxy_continue_stream", kind),)
        yield (("proxy_close_stream", kind),)
    local: Step = ("proxy_send_local_response", 418, b"", b"teapot", b"", -1)
    yield (local,)
    yield local, local
    yield local, ("proxy_get_header_map_size", 2, Out(0)), ("proxy_continue_stream", 0)
    yield ("proxy_close_stream", 0), ("proxy_get_header_map_size", 0, Out(0))


_GOOGLE = b"\x12\x0e\x0a\x0b127.0.0.1:1\x1a\x01x"
"""``google_grpc`` with a target and a stat prefix."""


def _calls_out() -> Iterator[tuple[Step, ...]]:
    request = (
        b"\x03\0\0\0\x05\0\0\0\x01\0\0\0\x07\0\0\0\x03\0\0\0\x0a\0\0\0\x01\0\0\0"
        b":path\0/\0:method\0GET\0:authority\0h\0"
    )
    for name in (b"nowhere", b""):
        for headers in (request, b"", PAIRS):
            yield (("proxy_http_call", name, headers, b"", b"\0\0\0\0", 1000, Out(0)),)
    for service in (b"nowhere", b"\x0a\x09\x0a\x07nowhere", _GOOGLE, b""):
        message = (b"pkg.Service", b"Method", b"\0\0\0\0")
        yield (("proxy_grpc_call", service, *message, b"message", 1000, Out(0)),)
        yield (
            ("proxy_grpc_stream", service, *message, Out(0)),
            ("proxy_grpc_send", 6, b"text", 0),
            ("proxy_grpc_close", 6),
            ("proxy_grpc_cancel", 6),
        )
    for function in (
        b"clear_route_cache", b"set_envoy_filter_state", b"declare_property", b"expr_create",
        b"compress", b"nothing",
    ):  # fmt: skip
        for data in (b"", b"text"):
            yield (("proxy_call_foreign_function", function, data, Out(0), Out(1)),)


def probes() -> list[Probe]:
    """All, for each exchange, callback and ABI version."""
    found = [
        Probe(exchange, callback, version, steps)
        for exchange, callbacks in CALLBACKS.items()
        for callback, version in product(callbacks, MARKERS)
        for steps in (*_pieces(_reads(version), version), *_changes(version))
        if all(version in signature("env", str(name))[2] for name, *_ in steps)
    ]
    return list({probe.name: probe for probe in found if not _counts_threads(probe)}.values())


def _counts_threads(probe: Probe) -> bool:
    """Metrics are the process's, and each thread has a root context that would count too."""
    created = probe.callback == "proxy_on_context_create"
    return created and any(name == "proxy_get_metric" for name, *_ in probe.steps)


def _pieces(steps: Sequence[Step], version: str) -> Iterator[tuple[Step, ...]]:
    """Those that the version has, some in each module: hosts keep so much of a log."""
    known = [step for step in steps if version in signature("env", str(step[0]))[2]]
    for start in range(0, len(known), _PIECE):
        yield tuple(known[start : start + _PIECE])


def prober(probe: Probe) -> bytes:
    """The module for it."""
    imports = {str(name) for name, *_ in probe.steps} | {"proxy_log"}
    strings: dict[bytes, int] = {}
    body = " ".join(_call(step, strings) for step in probe.steps)
    data = " ".join(f'(data (i32.const {at}) "{_escaped(s)}")' for s, at in strings.items())
    head, value = _export(probe)
    return binary(f"""(module
      {" ".join(_import(name) for name in sorted(imports))}
      (memory (export "memory") 3)
      (data (i32.const 64) "0123456789abcdef") {data}
      (func (export "{MARKERS[probe.version]}"))
      (func (export "malloc") (param i32) (result i32) (i32.const {HEAP}))
      (func $clear
        (memory.fill (i32.const {OUT}) (i32.const 0) (i32.const {_WRITTEN}))
        (memory.fill (i32.const {HEAP}) (i32.const 0) (i32.const {_VALUE})))
      (func $digit (param i32 i32)
        (i32.store8 (local.get 0)
          (i32.load8_u (i32.add (i32.const 64) (i32.and (local.get 1) (i32.const 15))))))
      (func $hex (param $from i32) (param $to i32) (param $size i32) (local $i i32)
        (local $byte i32) (local $at i32)
        (loop $next
          (local.set $byte (i32.load8_u (i32.add (local.get $from) (local.get $i))))
          (local.set $at (i32.add (local.get $to) (i32.mul (local.get $i) (i32.const 2))))
          (call $digit (local.get $at) (i32.shr_u (local.get $byte) (i32.const 4)))
          (call $digit (i32.add (local.get $at) (i32.const 1)) (local.get $byte))
          (local.set $i (i32.add (local.get $i) (i32.const 1)))
          (br_if $next (i32.lt_u (local.get $i) (local.get $size)))))
      (func $line
        (call $hex (i32.const {OUT}) (i32.const {LINE}) (i32.const {_WRITTEN}))
        (call $hex (i32.const {HEAP}) (i32.const {LINE + 2 * _WRITTEN}) (i32.const {_VALUE}))
        (drop (call $proxy_log (i32.const 2) (i32.const {LINE})
          (i32.const {2 * (_WRITTEN + _VALUE)}))))
      {head} {body} {value}))""")


def _import(name: str) -> str:
    params, results, _ = signature("env", name)
    given = f"(param {' '.join(params)})" if params else ""
    return f'(import "env" "{name}" (func ${name} {given} {"(result i32)" if results else ""}))'


def _call(step: Step, strings: dict[bytes, int]) -> str:
    name, *arguments = step
    params, results, _ = signature("env", str(name))
    numbers: list[int] = []
    for argument in arguments:
        if isinstance(argument, bytes):
            end = max([TEXT, *(at + len(text) + 1 for text, at in strings.items())])
            numbers += [strings.setdefault(argument, end), len(argument)]
        elif isinstance(argument, Out):
            numbers.append(OUT + 4 + 4 * argument.number)
        else:
            assert isinstance(argument, int)
            numbers.append(argument)
    given = " ".join(f"({kind}.const {n})" for kind, n in zip(params, numbers, strict=True))
    call = f"(call ${name} {given})"
    done = f"(i32.store (i32.const {OUT}) {call})" if results else call
    return f"(call $clear) {done} (call $line)"


def _export(probe: Probe) -> tuple[str, str]:
    from wasmpack.proxy_abi import abi

    wanted = abi.export_signature(probe.callback, probe.version, abi.NEWEST) or "() -> ()"
    params, _, results = wanted.partition(" -> ")
    given = params.strip("()").replace(",", "")
    head = f'(func (export "{probe.callback}") ' + (f"(param {given})" if given else "")
    value = int(probe.callback == "proxy_on_done")
    return (f"{head} (result i32)", f"(i32.const {value})") if results == "i32" else (head, "")


def _escaped(text: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in text)


def their_answers(binary: Path, probes: Sequence[Probe]) -> Iterator[list[str]]:
    """Envoy's, in order; one alone if the request ends the proxy."""
    for exchange, request in EXCHANGES.items():
        some = [probe for probe in probes if probe.exchange == exchange]
        subjects = [Subject(prober(probe), CONFIGURATION) for probe in some]
        for probe, seen in zip(
            some, observe(binary, subjects, request, seconds=_PATIENCE), strict=True
        ):
            yield answers(probe, seen.request_log) if seen.fate == LOADS else [CRASH]


def our_answers(probe: Probe) -> list[str]:
    """The dry run's."""
    start_up = StartUp(plugin_config=CONFIGURATION)
    request = RunRequest(abi_version=probe.version, start_up=start_up)
    (run,) = dry_runs(
        compiled_plugin(prober(probe)), [request], 10.0, exchange=_CALLBACKS[probe.exchange]
    )
    ended = run.failed or run.served.failed
    if ended and ended.outcome is Outcome.CRASH:
        return [CRASH]
    return answers(probe, run.served.log)


def digest(found: Sequence[str]) -> str:
    """Of the answers of a probe, for the record."""
    return hashlib.sha256("\n".join(found).encode()).hexdigest()[:12]


def answers(probe: Probe, log: Sequence[str]) -> list[str]:
    """One a call that came to an end, as ``status numbers value``."""
    width = 2 * (_WRITTEN + _VALUE)
    lines = [line for line in log if len(line) == width]
    return [
        _answer(probe, step, bytes.fromhex(line))
        for step, line in zip(probe.steps, lines, strict=False)
    ]


def _answer(probe: Probe, step: Step, line: bytes) -> str:
    name, *arguments = step
    numbers = [int.from_bytes(line[n : n + 4], "little") for n in range(0, _WRITTEN, 4)]
    value = line[_WRITTEN:].rstrip(b"\0")
    if _races(probe, arguments):
        return "…"
    if _varies(probe, str(name), arguments):
        return f"{numbers[0]} …"
    written = " ".join(f"{n:x}" for n in numbers).removesuffix(" 0").removesuffix(" 0")
    return f"{written.removesuffix(' 0')} {value.decode('latin-1')!r}" if value else written


def _races(probe: Probe, arguments: Sequence[object]) -> bool:
    """Whether there is an upstream yet, while the end of the request is on its way to it."""
    path = arguments[0] if arguments else b""
    upstream = isinstance(path, bytes) and path.startswith((b"upstream\0", b"upstream_"))
    return upstream and probe.callback in {"proxy_on_request_body", "proxy_on_request_trailers"}


def _varies(probe: Probe, name: str, arguments: Sequence[object]) -> bool:
    """Compare the status alone."""
    if name == "proxy_get_property":
        return arguments[0] in _MACHINE
    if name in {"proxy_get_header_map_size", "proxy_get_header_map_pairs"}:
        return probe.exchange == "full" and arguments[0] == 2  # how long the upstream took is there
    return "time" in name
