;; fd write of endless pieces
(module
  (type (;0;) (func (param i32 i32) (result i32)))
  (type (;1;) (func (param i32 i32 i32 i64 i32) (result i32)))
  (type (;2;) (func))
  (type (;3;) (func (param i32) (result i32)))
  (type (;4;) (func (param i32 i32)))
  (import "wasi_snapshot_preview1" "fd_renumber" (func $fd_renumber (type 0)))
  (import "wasi_snapshot_preview1" "fd_pwrite" (func $fd_pwrite (type 1)))
  (func (;2;) (type 2))
  (func (;3;) (type 3) (param i32) (result i32)
    i32.const 70000)
  (func (;4;) (type 4) (param i32 i32)
    i32.const 7
    i32.const 268
    i32.const 264
    i64.const 9
    i32.const 2147483647
    call $fd_pwrite
    drop
    i32.const 2
    i32.const 3
    i32.const -1
    i64.const 9
    i32.const 4
    call $fd_pwrite
    drop)
  (table (;0;) 10 funcref)
  (memory (;0;) 1)
  (global $r (mut i32) (i32.const 0))
  (export "memory" (memory 0))
  (export "proxy_abi_version_0_2_0" (func 2))
  (export "proxy_on_memory_allocate" (func 3))
  (export "proxy_on_context_create" (func 4))
  (data (;0;) (i32.const 4096) "plugin_root_id")
  (data (;1;) (i32.const 4160) "abc")
  (data (;2;) (i32.const 4224) "request\00path")
  (data (;3;) (i32.const 4288) "xds\00node")
  (data (;4;) (i32.const 4352) "compress")
  (data (;5;) (i32.const 4416) "\0a\03\0a\01x")
  (data (;6;) (i32.const 4480) "\12\00")
  (data (;7;) (i32.const 4544) "")
  (data (;8;) (i32.const 4608) "\01\00\00\00\05\00\00\00\01\00\00\00:path\00/\00"))
