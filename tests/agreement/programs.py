"""Modules whose start-up calls the host at random: what the mutation of bytes hardly ever reaches."""

from __future__ import annotations

import random

from support.plugins import binary

from wasmpack.proxy_abi import abi

WASI = "wasi_snapshot_preview1"
MARKERS = {v: k.decode() for k, v in abi.MARKERS.items()}
PHASES = ("_initialize", "main", "__main_void", "_start", "proxy_on_context_create",
          "proxy_on_vm_start", "proxy_on_configure")  # fmt: skip
REQUEST_PHASES = ("proxy_on_request_headers", "proxy_on_response_headers", "proxy_on_response_body",
                  "proxy_on_log", "proxy_on_done", "proxy_on_delete")  # fmt: skip
ENDLESS = 0.01
STRINGS = [b"plugin_root_id", b"abc", b"request\0path", b"xds\0cluster_name", b"compress", b"\x0a\x03\x0a\x01x",
           b"\x12\x00", b"", b"\x01\0\0\0\x05\0\0\0\x01\0\0\0:path\0/\0"]  # fmt: skip


def signature(module: str, name: str) -> tuple[list[str], list[str], list[str]]:
    """Parameters, results and ABIs of a host function."""
    tables = abi.tables()
    row = tables["wasiFunctions"][name] if module == WASI else (
        tables["hostFunctions"].get(name) or tables["extraFunctions"][name]
    )  # fmt: skip
    params, _, results = row["signature"].partition(" -> ")
    split = [[t for t in part.strip("()").split(", ") if t] for part in (params, results)]
    return split[0], split[1], row.get("abis", list(MARKERS))


def functions() -> list[tuple[str, str]]:
    """Every function a host provides."""
    tables = abi.tables()
    env = [("env", n) for n in (*tables["hostFunctions"], *tables["extraFunctions"])]
    return env + [(WASI, n) for n in tables["wasiFunctions"]]


def call(rng: random.Random, module: str, name: str) -> str:
    """One call with arguments that are sometimes sensible."""
    params, results, _ = signature(module, name)
    numbers = [0, 1, 2, 3, 4, 5, 7, 8, 9, 100, 260, 264, 268, 4096, 65535, 65536, 0x7FFFFFFF, -1]
    arguments = []
    string = rng.choice(range(len(STRINGS)))
    for position, kind in enumerate(params):
        value = rng.choice(numbers)
        if position == 0 and rng.random() < 0.6:
            value = 4096 + 64 * string
        if position == 1 and rng.random() < 0.6:
            value = len(STRINGS[string])
        arguments.append(f"({kind}.const {value})")
    text = f"(call ${name} {' '.join(arguments)})"
    if not results:
        return text
    return rng.choice([f"(drop {text})"] * 3 + [f"(if {text} (then (unreachable)))",
                       f"(if (i32.eqz {text}) (then (unreachable)))",
                       f"(global.set $r {text})"])  # fmt: skip


def statement(rng: random.Random) -> str:
    """Something else that start-up code does."""
    return rng.choice(
        [
            "(unreachable)",
            "(i32.store (i32.const 65533) (i32.const 1))",
            "(i32.store (i32.const 300) (i32.const 7))",
            "(drop (memory.grow (i32.const 1)))",
            "(if (i32.eq (memory.grow (i32.const 16384)) (i32.const -1)) (then (unreachable)))",
            "(if (i32.ne (memory.grow (i32.const 16383)) (i32.const -1)) (then (unreachable)))",
            "(drop (i32.div_u (i32.const 1) (global.get $r)))",
            "(call_indirect (i32.const 3))",
            "(memory.fill (i32.const 0) (i32.const 0) (i32.const 65537))",
            "(drop (table.grow (ref.null func) (i32.const 1000)))",
            "(drop (i32.trunc_f32_s (f32.const nan)))",
            "(if (i32.load (i32.const 264)) (then (unreachable)))",
            "(if (i32.load (i32.const 268)) (then (unreachable)))",
        ]
    )


def program(rng: random.Random) -> bytes:
    """A module with a few random calls in a few random phases."""
    version = rng.choice(list(MARKERS))
    chosen = rng.choices(functions(), k=rng.randint(1, 3))
    fitting = [f for f in chosen if version in signature(*f)[2] or rng.random() < 0.1]
    phases = rng.sample(PHASES, k=rng.randint(1, 3))
    if rng.random() < 0.5:
        phases = [name for name in phases if name.startswith("proxy_")]
    if rng.random() < 0.6:
        phases = rng.sample(REQUEST_PHASES, k=rng.randint(1, 3))
    if rng.random() < 0.05:
        phases.append("start section")
    memory = rng.choices(["exported", "hidden", "imported", "none"], [20, 2, 2, 1])[0]
    bodies = []
    for phase in phases:
        lines = [call(rng, *rng.choice(fitting)) for _ in range(rng.randint(0, 2)) if fitting]
        if rng.random() < 0.2 and memory != "none":
            lines.insert(rng.randint(0, len(lines)), statement(rng))
        bodies.append(_function(phase, version, " ".join(lines), rng))
    return binary(_module(rng, version, fitting, memory, bodies))


def _module(
    rng: random.Random, version: str, fitting: list[tuple[str, str]], memory: str, bodies: list[str]
) -> str:
    imports = []
    for module, name in dict.fromkeys(fitting):
        params, results, _ = signature(module, name)
        of = rng.choices([module, "wasi_unstable"], [9, 1])[0] if module == WASI else module
        clause = (f"(param {' '.join(params)})" if params else "") + (
            f"(result {' '.join(results)})" if results else ""
        )
        imports.append(f'(import "{of}" "{name}" (func ${name} {clause}))')
    memories = {"exported": '(memory (export "memory") 1)', "hidden": "(memory 1)",
                "imported": '(import "env" "memory" (memory 1))', "none": ""}  # fmt: skip
    data = "".join(
        f'(data (i32.const {4096 + 64 * n}) "{"".join(f"{chr(92)}{b:02x}" for b in s)}")'
        for n, s in enumerate(STRINGS)
    )
    allocator = rng.choice(["malloc", "proxy_on_memory_allocate"])
    address = rng.choices([8192, 0, 65000, 70000], [20, 1, 1, 1])[0]
    return f"""(module {"".join(imports)} {memories[memory] if memory == "imported" else ""}
        {memories[memory] if memory != "imported" else ""} {data if memory != "none" else ""}
        (table 10 funcref) (global $r (mut i32) (i32.const 0))
        (func (export "{MARKERS[version]}"))
        (func (export "{allocator}") (param i32) (result i32) (i32.const {address}))
        {"".join(bodies)})"""


def _function(phase: str, version: str, body: str, rng: random.Random) -> str:
    if phase == "start section":
        return f"(func $s {body}) (start $s)"
    wanted = abi.export_signature(phase, version, "9999-12-31") or "() -> ()"
    params, _, results = wanted.partition(" -> ")
    params = params.strip("()").replace(",", "")
    result = rng.choice(["(i32.const 1)"] * 3 + ["(global.get $r)", "(i32.eqz (global.get $r))",
                         "(i32.const 0)"])  # fmt: skip
    head = f'(func (export "{phase}") ' + (f"(param {params})" if params else "")
    return f"{head} (result i32) {body} {result})" if results == "i32" else f"{head} {body})"
