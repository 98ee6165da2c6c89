"""What becomes of a request that a plugin traps in, holds, closes or answers itself: the status, and
whether the plugin has failed afterwards, in this Envoy and in the dry run."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import pytest
from support import exchanges
from support.envoy_batch import LOADS, NOT_ASKED, Observed, Subject, observe
from support.plugins import binary

from agreement.programs import MARKERS
from wasmpack.dry_run.host.exchange import CONNECTION, GET_REQUEST, Phase
from wasmpack.dry_run.result import Outcome, RunRequest, Served
from wasmpack.dry_run.runs import compiled_plugin, dry_runs
from wasmpack.envoy import find_envoy
from wasmpack.proxy_abi import abi

CRASH, FAILED = "crash", 503
CALLBACKS = [callback.name for callback in GET_REQUEST]
OF_CONNECTIONS = [callback.name for callback in CONNECTION]
_LOCAL = """(drop (call $local (i32.const 418) (i32.const 0) (i32.const 0) {body}
    (i32.const 0) (i32.const 0) (i32.const -1)))"""
_ANSWER = _LOCAL.format(body="(i32.const 1000) (i32.const 6)")
_EMPTY = _LOCAL.format(body="(i32.const 1000) (i32.const 0)")
_CLOSE = "(drop (call $close (i32.const 0)))"
_STATUS = """(drop (call $replace (i32.const 2)
    (i32.const 2000) (i32.const 7) (i32.const 2010) (i32.const 3)))"""
ACTIONS = {
    "traps": ("(unreachable)", 0),
    "answers 0 as always": ("", 0),
    "answers": (_ANSWER, 0),
    "answers and pauses": (_ANSWER, 1),
    "answers without a body": (_EMPTY, 0),
    "answers and traps": (_ANSWER + "(unreachable)", 0),
    "closes": (_CLOSE, 0),
    "closes and pauses": (_CLOSE, 1),
    "continues the request and pauses": ("(drop (call $continue (i32.const 0)))", 1),
    "continues the response and pauses": ("(drop (call $continue (i32.const 1)))", 1),
    "sets the status": (_STATUS, 0),
    "closes the connection": ("(drop (call $close (i32.const 2)))", 0),
    "continues with data and pauses": ("(drop (call $continue (i32.const 2)))", 1),
    **{f"returns {number}": ("", number) for number in range(1, 6)},
}
OUTSIDE = ("traps", "answers", "closes", "returns 1")


@dataclass(frozen=True)
class Case:
    """One callback, and what it does."""

    callback: str
    action: str
    network: bool = False


def module_of(*cases: Case) -> bytes:
    """A module that does all of these, with every callback, so that each that comes could fail."""
    names = OF_CONNECTIONS if cases[0].network else CALLBACKS
    actions = {case.callback: case.action for case in cases}
    functions = " ".join(_function(name, actions.get(name)) for name in names)
    return binary(f"""(module
      (import "env" "proxy_send_local_response"
        (func $local (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
      (import "env" "proxy_close_stream" (func $close (param i32) (result i32)))
      (import "env" "proxy_continue_stream" (func $continue (param i32) (result i32)))
      (import "env" "proxy_replace_header_map_value"
        (func $replace (param i32 i32 i32 i32 i32) (result i32)))
      (memory (export "memory") 1)
      (data (i32.const 1000) "teapot") (data (i32.const 2000) ":status")
      (data (i32.const 2010) "201")
      (func (export "{MARKERS["0.2.1"]}"))
      (func (export "malloc") (param i32) (result i32) (i32.const 8192))
      {functions})""")


def _function(name: str, action: str | None) -> str:
    body, result = ("", int(name == "proxy_on_done")) if action is None else ACTIONS[action]
    if name == "proxy_on_context_create":  # of the stream, not of the root
        body = f"(if (local.get 1) (then {body}))"
    wanted = abi.export_signature(name, "0.2.1", abi.NEWEST) or ""
    params, _, results = wanted.partition(" -> ")
    given = params.strip("()").replace(",", "")
    value = f"(result i32) {body} (i32.const {result})" if results == "i32" else body
    return f'(func (export "{name}") (param {given}) {value})'


def cases() -> list[tuple[Case, ...]]:
    """Each action in the callbacks of a stream; before and behind them, one of each kind."""
    middle = [c.name for c in GET_REQUEST if Phase.REQUEST <= c.phase <= Phase.RESPONSE]
    outside = [name for name in CALLBACKS if name not in middle]
    pairs = [*product(middle, ACTIONS), *product(outside, OUTSIDE)]
    return [*((Case(*pair),) for pair in pairs), *afterwards()]


def afterwards() -> list[tuple[Case, Case]]:
    """What a callback behind the request does, where the request did not end as usual."""
    before = [
        Case("proxy_on_request_headers", "returns 1"),
        Case("proxy_on_response_body", "returns 1"),
        Case("proxy_on_request_headers", "closes"),
        Case("proxy_on_request_headers", "answers"),
    ]
    after = [Case("proxy_on_log", name) for name in ("answers", "closes", "answers and traps")]
    return [*product(before, after)]


def connections() -> list[Case]:
    """Each action in each callback, but what would go on with the same bytes for ever."""
    endless = Case("proxy_on_upstream_data", "continues with data and pauses", network=True)
    found = [Case(*pair, network=True) for pair in product(OF_CONNECTIONS, ACTIONS)]
    return [case for case in found if case != endless]


def _theirs(seen: Observed) -> tuple[object, bool | None]:
    """The status, and whether the next request fails; None if that was not asked."""
    if seen.fate != LOADS:
        return CRASH, None
    return seen.status, None if seen.later == NOT_ASKED else seen.later == FAILED


def _ours(data: bytes, *, network: bool = False) -> tuple[object, bool]:
    request = RunRequest(abi_version="0.2.1", network=network)
    (run,) = dry_runs(compiled_plugin(data), [request], 10.0)
    served: Served = run.served
    assert run.failed is None
    if served.failed and served.failed.outcome is Outcome.CRASH:
        return CRASH, False
    return served.status, served.failed is not None


@pytest.mark.slow
def test_requests_end_as_in_envoy() -> None:
    modules = [module_of(*case) for case in cases()]
    seen = observe(find_envoy(), [Subject(data) for data in modules], again=True)
    wrong = []
    for case, data, there in zip(cases(), modules, seen, strict=True):
        ours, theirs = _ours(data), _theirs(there)
        if ours[0] != theirs[0] or theirs[1] not in {None, ours[1]}:
            wrong.append((case, ours, theirs))
    print(f"{len(modules) - len(wrong)} of {len(modules)} requests end as in Envoy")
    assert wrong == []


@pytest.mark.slow
def test_connections_end_as_in_envoy() -> None:
    """No call in a network plugin ends the proxy; a trap closes the connection, and each later one."""
    modules = [module_of(case) for case in connections()]
    subjects = [Subject(data) for data in modules]
    seen = observe(find_envoy(), subjects, exchanges.CONNECTION, again=True)
    wrong = []
    for case, data, there in zip(connections(), modules, seen, strict=True):
        status, failed = _ours(data, network=True)
        works = there.later == status if not failed else there.later is None
        if there.fate != LOADS or there.status != status or not works:
            wrong.append((case, status, failed, there))
    print(f"{len(modules) - len(wrong)} of {len(modules)} connections end as in Envoy")
    assert wrong == []
