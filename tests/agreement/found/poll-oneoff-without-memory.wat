;; poll oneoff without memory
(module
  (type (;0;) (func (param i32 i32 i32 i32) (result i32)))
  (type (;1;) (func))
  (type (;2;) (func (param i32) (result i32)))
  (type (;3;) (func (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll_oneoff (type 0)))
  (func (;1;) (type 1))
  (func (;2;) (type 2) (param i32) (result i32)
    i32.const 8192)
  (func (;3;) (type 3) (param i32 i32 i32) (result i32)
    i32.const 4160
    i32.const 3
    i32.const 264
    i32.const 2147483647
    call $poll_oneoff
    drop
    global.get $r)
  (table (;0;) 10 funcref)
  (global $r (mut i32) (i32.const 0))
  (export "proxy_abi_version_0_2_1" (func 1))
  (export "proxy_on_memory_allocate" (func 2))
  (export "proxy_on_request_headers" (func 3)))
