"""A small module for every load rule, with the errors that the newest host makes."""

from support.plugins import binary, wat

LOG = '(import "env" "proxy_log" (func $log (param i32 i32 i32) (result i32)))'
WASI = "wasi_snapshot_preview1"

RULES = [
    ("good", wat(), []),
    ("no marker", binary('(module (memory (export "memory") 1))'), ["ABI001"]),
    ("draft marker", wat(marker="proxy_abi_version_0_x_x"), ["ABI001"]),
    ("unknown import", wat(imports='(import "env" "proxy_foo" (func))'), ["ABI002"]),
    ("import of another ABI", wat(imports='(import "env" "proxy_clear_route_cache" '
                                          '(func (result i32)))'), ["ABI002"]),
    ("import of its ABI", wat(imports='(import "env" "proxy_clear_route_cache" '
                                      '(func (result i32)))', marker="proxy_abi_version_0_1_0"),
     []),
    ("newer import under 0.2.0", wat(imports='(import "env" "proxy_get_log_level" '
                                     '(func (param i32) (result i32)))',
                                     marker="proxy_abi_version_0_2_0"), ["ABI002"]),
    ("global import", wat(imports='(import "env" "g" (global i32))'), ["ABI002"]),
    ("memory import", binary("""(module (import "env" "memory" (memory 1))
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) i32.const 8))"""), []),
    ("import signature", wat(imports='(import "env" "proxy_log" (func (param i32)))'), ["ABI003"]),
    ("wasi signature", wat(imports=f'(import "{WASI}" "fd_write" (func))'), ["ABI003"]),
    ("wasi under the old name", wat(imports='(import "wasi_unstable" "proc_exit" '
                                            '(func (param i32)))'), []),
    ("wbindgen", wat(imports='(import "__wbindgen_placeholder__" "x" (func))'), ["ABI002"]),
    ("callback signature", wat('(func (export "proxy_on_log") (result i32) i32.const 0)'),
     ["ABI004"]),
    ("headers under 0.1.0", wat('(func (export "proxy_on_request_headers") (param i32 i32) '
                                '(result i32) i32.const 0)', marker="proxy_abi_version_0_1_0"),
     []),
    ("headers under 0.2.1", wat('(func (export "proxy_on_request_headers") (param i32 i32) '
                                '(result i32) i32.const 0)'), ["ABI004"]),
    ("malloc beside a good allocator", wat('(func (export "malloc") (result i32) i32.const 0)'),
     ["ABI004"]),
    ("the other allocator beside malloc is not looked up", binary("""(module
        (memory (export "memory") 1) (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) i32.const 8)
        (func (export "proxy_on_memory_allocate")))"""), []),
    ("tag import", wat(imports='(import "env" "t" (tag (param i32)))'), ["ABI009"]),
    ("tag export", wat('(tag (export "t") (param i32))'), ["ABI009"]),
    ("tag inside", wat("(tag (param i32))"), []),
    ("v128 export", wat('(func (export "t") (result v128) unreachable)'), ["ABI009"]),
    ("anyref table export", wat('(table (export "t") 1 anyref)'), ["ABI009"]),
    ("anyref global export", wat('(global (export "t") anyref (ref.null any))'), ["ABI009"]),
    ("anyref parameter", wat('(func (export "t") (param anyref))'), ["ABI009"]),
    ("anyref table import", wat(imports='(import "env" "t" (table 1 anyref))'), ["ABI009"]),
    ("externref export", wat('(global (export "t") externref (ref.null extern)) '
                             '(func (export "u") (param externref funcref))'), []),
    ("funcref table import", wat(imports='(import "env" "t" (table 1 funcref))'), []),
    ("externref table import", wat(imports='(import "env" "t" (table 1 externref))'), []),
    ("shared memory import", wat(imports='(import "env" "m" (memory 1 2 shared))'), ["MEM003"]),
    ("64-bit memory import", wat(imports='(import "env" "m" (memory i64 1 2))'), ["MEM003"]),
    ("shared memory export", wat('(memory (export "m2") 1 2 shared)'), []),
    ("no allocator", binary("""(module (memory (export "memory") 1)
        (func (export "proxy_abi_version_0_2_1")))"""), ["ABI005"]),
    ("main is not looked up without _initialize", wat('(func (export "main"))'), []),
    ("main is looked up with it", wat('(func (export "_initialize")) (func (export "main"))'),
     ["ABI004"]),
    ("_start is not looked up with it", wat('(func (export "_initialize")) '
                                            '(func (export "_start") (param i32))'), []),
    ("too much memory", binary("""(module (memory (export "memory") 16385)
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) i32.const 8))"""), ["MEM001"]),
    ("memory nobody uses", binary(f"""(module {LOG} (memory 1)
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) i32.const 8))"""), []),
    ("memory nobody sees, used by a request", binary(f"""(module {LOG} (memory 1)
        (func (export "proxy_abi_version_0_2_1"))
        (func (export "malloc") (param i32) (result i32) i32.const 8)
        (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
          (call $log (i32.const 2) (i32.const 0) (i32.const 1))))"""), ["MEM002"]),
    ("export named as a number", wat('(func (export "0"))'), ["ABI011"]),
    ("export whose name ends in zero", wat('(func (export "x\\00"))'), ["ABI011"]),
    ("zero inside a name", wat('(func (export "x\\00y"))'), []),
    ("global named as a number", wat('(global (export "0") i32 (i32.const 0))'), []),
    ("too large a table", wat("(table 10000001 funcref)"), ["MEM005"]),
    ("local response when all is over", wat("""(func (export "proxy_on_log") (param i32)
        (drop (call $r (i32.const 200) (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 0)
          (i32.const 0) (i32.const 0) (i32.const -1))))""", '(import "env" '
        '"proxy_send_local_response" (func $r (param i32 i32 i32 i32 i32 i32 i32 i32) '
        '(result i32)))'), ["RUN008"]),
    ("start section is a host function", wat("(start $x)", '(import "env" "proxy_done" '
                                             '(func (result i32))) (import "env" "emscripten" '
                                             '(func $x))'), ["ABI002"]),
    ("start section logs", wat("""(func $s (drop (call $log (i32.const 2) (i32.const 0)
        (i32.const 0)))) (start $s)""", LOG), ["STA001"]),
    ("start section traps", wat("(func $s unreachable) (start $s)"), ["RUN001"]),
    ("_start traps", wat('(func (export "_start") unreachable)'), ["RUN001"]),
    ("main traps", wat("""(func (export "_initialize"))
        (func (export "main") (param i32 i32) (result i32) unreachable)"""), ["RUN001"]),
    ("restricted call", wat("""(func (export "_start")
        (drop (call $tick (i32.const 1))))""", '(import "env" "proxy_set_tick_period_milliseconds" '
        '(func $tick (param i32) (result i32)))'), ["RUN002"]),
    ("log in _start is allowed", wat("""(func (export "_start")
        (drop (call $log (i32.const 2) (i32.const 0) (i32.const 0))))""", LOG), []),
    ("vm start says no", wat('(func (export "proxy_on_vm_start") (param i32 i32) (result i32) '
                             'i32.const 0)'), ["RUN003"]),
    ("vm start traps", wat('(func (export "proxy_on_vm_start") (param i32 i32) (result i32) '
                           'unreachable)'), ["RUN003"]),
    ("start never ends", wat('(func (export "_start") (loop $l (br $l)))'), ["RUN006"]),
    ("not valid", b"\0asm\1\0\0\0\x0a\4\1\2\0\x0b", ["MOD003"]),
    ("cut off", wat()[:-5], ["MOD001"]),
    ("name section", wat() + b"\0\7\4name\1\5", ["MOD002"]),
]  # fmt: skip
