;; compress whose result finds no memory
(module
  (type (;0;) (func (param i32 i32 i32 i32 i32 i32) (result i32)))
  (type (;1;) (func))
  (type (;2;) (func (param i32) (result i32)))
  (type (;3;) (func (param i32 i32)))
  (type (;4;) (func (param i32 i32 i32) (result i32)))
  (import "env" "proxy_call_foreign_function" (func $proxy_call_foreign_function (type 0)))
  (func (;1;) (type 1))
  (func (;2;) (type 2) (param i32) (result i32)
    i32.const 70000)
  (func (;3;) (type 3) (param i32 i32)
    i32.const 4352
    i32.const 8
    i32.const 260
    i32.const 264
    i32.const 9
    i32.const 1
    call $proxy_call_foreign_function
    if  ;; label = @1
      unreachable
    end)
  (func (;4;) (type 4) (param i32 i32 i32) (result i32)
    i32.const 4
    i32.const 0
    i32.const 3
    i32.const 3
    i32.const 7
    i32.const 5
    call $proxy_call_foreign_function
    drop
    i32.const 4480
    i32.const 2
    i32.const 7
    i32.const -1
    i32.const 264
    i32.const 65536
    call $proxy_call_foreign_function
    global.set $r
    i32.const 1)
  (table (;0;) 10 funcref)
  (memory (;0;) 1)
  (global $r (mut i32) (i32.const 0))
  (export "memory" (memory 0))
  (export "proxy_abi_version_0_2_1" (func 1))
  (export "malloc" (func 2))
  (export "proxy_on_context_create" (func 3))
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
