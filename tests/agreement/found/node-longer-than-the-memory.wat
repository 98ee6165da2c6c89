;; xds.node is longer than the memory
(module
  (type (;0;) (func (param i32 i32 i32 i32) (result i32)))
  (type (;1;) (func (result i32)))
  (type (;2;) (func (param i32 i32) (result i32)))
  (type (;3;) (func))
  (type (;4;) (func (param i32) (result i32)))
  (import "env" "proxy_get_property" (func $proxy_get_property (type 0)))
  (import "wasi_snapshot_preview1" "sched_yield" (func $sched_yield (type 1)))
  (import "wasi_snapshot_preview1" "fd_prestat_get" (func $fd_prestat_get (type 2)))
  (func (;3;) (type 3))
  (func (;4;) (type 4) (param i32) (result i32)
    i32.const 8192)
  (func (;5;) (type 2) (param i32 i32) (result i32)
    i32.const 1)
  (func (;6;) (type 2) (param i32 i32) (result i32)
    i32.const 4288
    i32.const 8
    i32.const 3
    i32.const 8
    call $proxy_get_property
    i32.eqz
    if  ;; label = @1
      unreachable
    end
    i32.const 1)
  (func (;7;) (type 1) (result i32)
    call $sched_yield
    drop
    i32.const 16384
    memory.grow
    i32.const -1
    i32.eq
    if  ;; label = @1
      unreachable
    end
    i32.const 1)
  (table (;0;) 10 funcref)
  (memory (;0;) 1)
  (global $r (mut i32) (i32.const 0))
  (export "memory" (memory 0))
  (export "proxy_abi_version_0_1_0" (func 3))
  (export "malloc" (func 4))
  (export "main" (func 5))
  (export "proxy_on_configure" (func 6))
  (export "__main_void" (func 7))
  (data (;0;) (i32.const 4096) "plugin_root_id")
  (data (;1;) (i32.const 4160) "abc")
  (data (;2;) (i32.const 4224) "request\00path")
  (data (;3;) (i32.const 4288) "xds\00node")
  (data (;4;) (i32.const 4352) "compress")
  (data (;5;) (i32.const 4416) "\0a\03\0a\01x")
  (data (;6;) (i32.const 4480) "\12\00")
  (data (;7;) (i32.const 4544) "")
  (data (;8;) (i32.const 4608) "\01\00\00\00\05\00\00\00\01\00\00\00:path\00/\00"))
