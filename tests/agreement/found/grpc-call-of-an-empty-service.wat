;; grpc call of an empty service
(module
  (type (;0;) (func (param i32 i32 i32) (result i32)))
  (type (;1;) (func (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
  (type (;2;) (func (param i32 i32 i32 i32 i32) (result i32)))
  (type (;3;) (func))
  (type (;4;) (func (param i32) (result i32)))
  (import "env" "proxy_log" (func $proxy_log (type 0)))
  (import "env" "proxy_grpc_call" (func $proxy_grpc_call (type 1)))
  (import "env" "proxy_set_buffer_bytes" (func $proxy_set_buffer_bytes (type 2)))
  (func (;3;) (type 3))
  (func (;4;) (type 4) (param i32) (result i32)
    i32.const 8192)
  (func (;5;) (type 0) (param i32 i32 i32) (result i32)
    i32.const 4544
    i32.const 0
    i32.const 4
    i32.const 7
    i32.const 7
    i32.const 7
    i32.const 2
    i32.const 100
    i32.const 5
    i32.const 1
    i32.const 7
    i32.const 3
    call $proxy_grpc_call
    i32.eqz
    if  ;; label = @1
      unreachable
    end
    global.get $r
    i32.eqz)
  (table (;0;) 10 funcref)
  (memory (;0;) 1)
  (global $r (mut i32) (i32.const 0))
  (export "memory" (memory 0))
  (export "proxy_abi_version_0_2_1" (func 3))
  (export "malloc" (func 4))
  (export "proxy_on_request_headers" (func 5))
  (data (;0;) (i32.const 4096) "plugin_root_id")
  (data (;1;) (i32.const 4160) "abc")
  (data (;2;) (i32.const 4224) "request\00path")
  (data (;3;) (i32.const 4288) "xds\00node")
  (data (;4;) (i32.const 4352) "compress")
  (data (;5;) (i32.const 4416) "\0a\03\0a\01x")
  (data (;6;) (i32.const 4480) "\12\00")
  (data (;7;) (i32.const 4544) "")
  (data (;8;) (i32.const 4608) "\01\00\00\00\05\00\00\00\01\00\00\00:path\00/\00"))
