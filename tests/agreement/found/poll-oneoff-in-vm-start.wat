;; poll oneoff in vm start
(module
  (type (;0;) (func (param i32 i64) (result i32)))
  (type (;1;) (func (param i32 i32 i32 i32) (result i32)))
  (type (;2;) (func))
  (type (;3;) (func (param i32) (result i32)))
  (type (;4;) (func (result i32)))
  (type (;5;) (func (param i32 i32)))
  (type (;6;) (func (param i32 i32) (result i32)))
  (import "env" "proxy_record_metric" (func $proxy_record_metric (type 0)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (type 1)))
  (import "wasi_snapshot_preview1" "fd_write" (func $fd_write (type 1)))
  (func (;3;) (type 2))
  (func (;4;) (type 3) (param i32) (result i32)
    i32.const 70000)
  (func (;5;) (type 4) (result i32)
    i32.const 1)
  (func (;6;) (type 5) (param i32 i32)
    i32.const 4608
    i64.const 20
    call $proxy_record_metric
    i32.eqz
    if  ;; label = @1
      unreachable
    end)
  (func (;7;) (type 6) (param i32 i32) (result i32)
    i32.const 264
    i32.const 5
    i32.const 3
    i32.const 268
    call $poll_oneoff
    drop
    i32.const 0
    i32.const 0
    i32.const 2
    i32.const 268
    call $poll_oneoff
    if  ;; label = @1
      unreachable
    end
    i32.const 1)
  (table (;0;) 10 funcref)
  (memory (;0;) 1)
  (global $r (mut i32) (i32.const 0))
  (export "memory" (memory 0))
  (export "proxy_abi_version_0_1_0" (func 3))
  (export "proxy_on_memory_allocate" (func 4))
  (export "__main_void" (func 5))
  (export "proxy_on_context_create" (func 6))
  (export "proxy_on_vm_start" (func 7))
  (data (;0;) (i32.const 4096) "plugin_root_id")
  (data (;1;) (i32.const 4160) "abc")
  (data (;2;) (i32.const 4224) "request\00path")
  (data (;3;) (i32.const 4288) "xds\00node")
  (data (;4;) (i32.const 4352) "compress")
  (data (;5;) (i32.const 4416) "\0a\03\0a\01x")
  (data (;6;) (i32.const 4480) "\12\00")
  (data (;7;) (i32.const 4544) "")
  (data (;8;) (i32.const 4608) "\01\00\00\00\05\00\00\00\01\00\00\00:path\00/\00"))
