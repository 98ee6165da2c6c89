;; continue stream of a response
(module
  (type (;0;) (func (param i32) (result i32)))
  (type (;1;) (func (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
  (type (;2;) (func))
  (type (;3;) (func (param i32 i32 i32) (result i32)))
  (import "env" "proxy_continue_stream" (func $proxy_continue_stream (type 0)))
  (import "wasi_snapshot_preview1" "path_open" (func $path_open (type 1)))
  (func (;2;) (type 2))
  (func (;3;) (type 0) (param i32) (result i32)
    i32.const 8192)
  (func (;4;) (type 3) (param i32 i32 i32) (result i32)
    i32.const 1
    call $proxy_continue_stream
    drop
    i32.const 4096
    i32.const 4
    i32.const 65536
    i32.const 65535
    i32.const 1
    i64.const 100
    i64.const 65536
    i32.const 260
    i32.const 8
    call $path_open
    drop
    i32.const 1)
  (table (;0;) 10 funcref)
  (memory (;0;) 1)
  (global $r (mut i32) (i32.const 0))
  (export "memory" (memory 0))
  (export "proxy_abi_version_0_2_1" (func 2))
  (export "malloc" (func 3))
  (export "proxy_on_request_headers" (func 4))
  (data (;0;) (i32.const 4096) "plugin_root_id")
  (data (;1;) (i32.const 4160) "abc")
  (data (;2;) (i32.const 4224) "request\00path")
  (data (;3;) (i32.const 4288) "xds\00node")
  (data (;4;) (i32.const 4352) "compress")
  (data (;5;) (i32.const 4416) "\0a\03\0a\01x")
  (data (;6;) (i32.const 4480) "\12\00")
  (data (;7;) (i32.const 4544) "")
  (data (;8;) (i32.const 4608) "\01\00\00\00\05\00\00\00\01\00\00\00:path\00/\00"))
