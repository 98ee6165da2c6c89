;; sock recv at the last address
(module
  (type (;0;) (func (param i32 i32 i32 i32 i32 i32) (result i32)))
  (type (;1;) (func))
  (type (;2;) (func (param i32) (result i32)))
  (type (;3;) (func (param i32 i32 i32) (result i32)))
  (import "wasi_snapshot_preview1" "sock_recv" (func $sock_recv (type 0)))
  (func (;1;) (type 1))
  (func (;2;) (type 2) (param i32) (result i32)
    i32.const 8192)
  (func (;3;) (type 3) (param i32 i32 i32) (result i32)
    i32.const 8
    i32.const 14
    i32.const 65535
    i32.const 260
    i32.const -1
    i32.const 3
    call $sock_recv
    drop
    i32.const 1)
  (table (;0;) 10 funcref)
  (global $r (mut i32) (i32.const 0))
  (export "proxy_abi_version_0_2_0" (func 1))
  (export "malloc" (func 2))
  (export "proxy_on_request_headers" (func 3)))
