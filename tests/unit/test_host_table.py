"""The table of host functions beside the ABI's, and calls without an engine."""

from __future__ import annotations

import contextlib
import itertools
import json
from importlib.resources import files

import pytest

from wasmpack.dry_run.host import calls_out, header_maps, streams, values, wasi
from wasmpack.dry_run.host.exchange import GET_REQUEST, Callback, Phase
from wasmpack.dry_run.host.memory import GuestMemory, OverLimit, ProxyCrash, Refused, Status
from wasmpack.dry_run.host.request import RequestState
from wasmpack.dry_run.host.shared_state import SharedState
from wasmpack.dry_run.host.state import Host, VmState
from wasmpack.dry_run.host.table import HOST_FUNCTIONS
from wasmpack.dry_run.result import Cause, RunRequest
from wasmpack.proxy_abi import abi

pytestmark = pytest.mark.dependencies

ENV = [("env", n) for n in (*abi.tables()["hostFunctions"], *abi.tables()["extraFunctions"])]
WASI = list(itertools.product(abi.WASI_MODULES, abi.tables()["wasiFunctions"]))
FREE = 512
"""Where the allocator puts things."""


class Bytes(GuestMemory):
    """A kibibyte."""

    def __init__(self) -> None:
        self.bytes = bytearray(1024)

    def read(self, address: int, size: int) -> bytes | None:
        inside = address + size <= len(self.bytes)
        return bytes(self.bytes[address : address + size]) if inside else None

    def write(self, address: int, data: bytes) -> bool:
        inside = address + len(data) <= len(self.bytes)
        if inside:
            self.bytes[address : address + len(data)] = data
        return inside

    def allocate(self, size: int) -> int:
        return FREE if size < FREE else 0

    def number(self, address: int) -> int:
        return int.from_bytes(self.bytes[address : address + 4], "little")


def host_in(phase: Phase | None = None, host: abi.HostDate = abi.NEWEST) -> tuple[Host, Bytes]:
    """With a request in that phase, or none."""
    memory, vm = Bytes(), VmState(RunRequest(abi_version="0.2.1", host=host))
    vm.has_context = True
    vm.request = None if phase is None else RequestState(phase, network=phase is Phase.CONNECTION)
    return Host(memory, vm, SharedState()), memory


def ask(host: Host, name: str, *arguments: int, module: str = "env") -> int:
    """The status."""
    try:
        return HOST_FUNCTIONS[module, name](host, *arguments) or 0
    except Refused as refused:
        return refused.status


def test_every_function_of_a_proxy_is_answered() -> None:
    assert HOST_FUNCTIONS.keys() == {*ENV, *WASI}


def test_no_fixed_answer_is_left_over() -> None:
    """Each is of a function that the ABI has, and that no code answers."""
    fixed = json.loads(files("wasmpack.dry_run.host").joinpath("fixed_answers.json").read_text())
    homes = {"env": (calls_out, header_maps, streams, values), "wasi": (wasi,)}
    names = {"env": {name for _, name in ENV}, "wasi": {name for _, name in WASI}}
    for module, rows in fixed.items():
        if module in names:
            assert rows.keys() <= names[module]
            assert not [n for n in rows for home in homes[module] if hasattr(home, n)]


@pytest.mark.stress
@pytest.mark.parametrize(
    ("module", "name"), [*ENV, *WASI], ids=lambda part: part.removeprefix("wasi_")
)
def test_any_arguments_have_an_answer(module: str, name: str) -> None:
    """As many as the signature says, and only the exceptions that a run knows of."""
    rows = abi.tables()
    row = (rows["hostFunctions"] | rows["extraFunctions"] | rows["wasiFunctions"])[name]
    count = row["signature"].partition(" -> ")[0].count("i")
    for phase in (None, *Phase):
        for value in (0, 1, 1024, 0xFFFFFFFF):
            host, _ = host_in(phase)
            with contextlib.suppress(ProxyCrash, OverLimit):
                assert isinstance(ask(host, name, *[value] * count, module=module), int)


def test_calls_without_a_context_end_the_proxy() -> None:
    host, _ = host_in()
    host.vm.has_context = False
    with pytest.raises(ProxyCrash) as crash:
        ask(host, "proxy_done")
    assert crash.value.cause is Cause.CONTEXT


@pytest.mark.parametrize(
    ("name", "phases"),
    [
        ("proxy_continue_response", {Phase.CREATED, Phase.REQUEST, Phase.TRAILERS}),
        ("proxy_continue_stream", {Phase.CREATED, Phase.REQUEST, Phase.TRAILERS}),
        ("proxy_close_stream", {Phase.CREATED, Phase.TRAILERS, Phase.LOG, Phase.OVER}),
        ("proxy_send_local_response", {Phase.LOG, Phase.OVER}),
    ],
)
@pytest.mark.parametrize("phase", Phase, ids=lambda phase: phase.name)
@pytest.mark.parametrize("as_root", [False, True], ids=["stream", "root"])
def test_streams_are_steered_where_there_is_one(
    name: str, phases: set[Phase], phase: Phase, as_root: bool
) -> None:
    """Elsewhere the proxy ends; for the root context there is nothing to act on."""
    count = {"proxy_send_local_response": 8, "proxy_continue_response": 0}.get(name, 1)
    host, _ = host_in(phase)
    if as_root:
        assert ask(host, "proxy_set_effective_context", 1) == Status.OK
    if phase in phases and not as_root:
        with pytest.raises(ProxyCrash) as crash:
            ask(host, name, *[1] * count)
        assert crash.value.cause is Cause.STREAM
    else:
        assert ask(host, name, *[1] * count) == Status.OK


def test_a_response_is_answered_once() -> None:
    host, _ = host_in(Phase.RESPONSE)
    assert ask(host, "proxy_send_local_response", *[0] * 8) == Status.OK
    assert host.vm.request
    assert host.vm.request.ended
    with pytest.raises(ProxyCrash):
        ask(host, "proxy_send_local_response", *[0] * 8)


def test_the_next_callback_begins_without_what_the_last_one_did() -> None:
    request = RequestState(Phase.RESPONSE, ended=True, as_root=True, own={b"key": b"value"})
    request.enter(Callback("first", Phase.RESPONSE, maps={2: [(b"a", b"b")]}, buffers={1: b"x"}))
    assert (request.ended, request.as_root) == (False, False)
    assert request.readable(2) == [(b"a", b"b")]
    request.enter(Callback("second", Phase.RESPONSE, addable=frozenset({3})))
    assert (request.readable(2), request.readable(3), request.buffers) == (None, None, {})
    assert (request.changeable(3), request.readable(3), request.changeable(1)) == ([], [], None)
    request.enter(Callback("log", Phase.LOG, added={2: [(b"c", b"d")]}))
    assert request.readable(2) == [(b"a", b"b"), (b"c", b"d")]
    assert request.changeable(2) is None
    assert request.own == {b"key": b"value"}


@pytest.mark.parametrize(("version", "count"), [("0.1.0", 2), ("0.2.0", 3), ("0.2.1", 3)])
def test_header_callbacks_have_the_arguments_of_their_abi(version: str, count: int) -> None:
    for callback in GET_REQUEST:
        wanted = abi.export_signature(callback.name, version, abi.NEWEST) or ""
        given = callback.arguments(version)
        assert len(given) == wanted.partition(" -> ")[0].count("i32"), callback.name
        if callback.name.endswith("_headers"):
            assert len(given) == count


def test_older_hosts_do_not_poll() -> None:
    for date, expected in (("2024-12-19", 52), (abi.since("poll"), 0)):
        host, memory = host_in(host=date)
        memory.bytes[100] = 7
        assert ask(host, "poll_oneoff", 0, 0, 1, 100, module="wasi_unstable") == expected
        assert memory.number(100) == (7 if expected else 0)


def test_headers_are_changed_and_read_back() -> None:
    host, memory = host_in(Phase.REQUEST)
    assert host.vm.request
    headers = [(b"x", b"1"), (b"y", b"2")]
    host.vm.request.enter(Callback("headers", Phase.REQUEST, maps={0: headers}))
    memory.bytes[0:3] = b"Xab"
    assert ask(host, "proxy_replace_header_map_value", 0, 0, 1, 1, 2) == Status.OK
    assert ask(host, "proxy_add_header_map_value", 0, 0, 1, 2, 1) == Status.OK
    assert host.vm.request.maps[0] == [(b"y", b"2"), (b"x", b"ab"), (b"x", b"b")]
    assert ask(host, "proxy_get_header_map_value", 0, 0, 1, 100, 104) == Status.OK
    assert memory.read(memory.number(100), memory.number(104)) == b"ab"
    assert ask(host, "proxy_remove_header_map_value", 0, 0, 1) == Status.OK
    assert host.vm.request.maps[0] == [(b"y", b"2")]
    assert ask(host, "proxy_get_header_map_value", 0, 0, 1, 100, 104) == Status.NOT_FOUND
    assert ask(host, "proxy_get_header_map_value", 3, 0, 1, 100, 104) == Status.BAD_ARGUMENT


def test_what_one_instance_leaves_another_finds() -> None:
    first, memory = host_in()
    memory.bytes[0:2] = b"kv"
    assert ask(first, "proxy_set_shared_data", 0, 1, 1, 1, 0) == Status.OK
    assert ask(first, "proxy_set_shared_data", 0, 1, 1, 1, 7) == Status.CAS_MISMATCH
    second = Host(memory, host_in()[0].vm, first.shared)
    assert ask(second, "proxy_get_shared_data", 0, 1, 100, 104, 108) == Status.OK
    assert memory.read(FREE, memory.number(104)) == b"v"
    assert memory.number(108) == 1


def test_metrics_are_numbered_by_type() -> None:
    host, memory = host_in()
    for kind, expected in ((0, 4), (0, 8), (1, 5), (2, 6)):
        assert ask(host, "proxy_define_metric", kind, 0, 1, 100) == Status.OK
        assert memory.number(100) == expected
    assert ask(host, "proxy_record_metric", 4, 3) == Status.OK
    assert ask(host, "proxy_increment_metric", 4, 2) == Status.OK
    assert ask(host, "proxy_get_metric", 4, 100) == Status.OK
    assert memory.number(100) == 5
    assert ask(host, "proxy_increment_metric", 4, -1) == Status.BAD_ARGUMENT
    assert ask(host, "proxy_get_metric", 6, 100) == Status.BAD_ARGUMENT
    assert ask(host, "proxy_get_metric", 12, 100) == Status.NOT_FOUND


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "arguments", "what"),
    [
        ("proxy_register_shared_queue", (0, 1000, 0), "shared data"),
        ("proxy_set_header_map_pairs", (0, 0, 1000), "headers, bodies and properties"),
        ("proxy_set_buffer_bytes", (0, 1 << 30, 0, 0, 1000), "headers, bodies and properties"),
        ("proxy_set_property", (0, 10, 0, 1000), "headers, bodies and properties"),
    ],
)
def test_what_a_host_keeps_is_bounded(name: str, arguments: tuple[int, ...], what: str) -> None:
    host, _ = host_in(Phase.REQUEST)
    assert host.vm.request
    host.vm.request.enter(Callback("headers", Phase.REQUEST, maps={0: []}, buffers={0: b""}))

    def ask_for_ever() -> None:
        while True:
            ask(host, name, *arguments)

    with pytest.raises(OverLimit, match=f"bytes of {what}"):
        ask_for_ever()
