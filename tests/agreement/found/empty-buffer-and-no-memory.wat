;; empty buffer and no memory
(module
  (type (;0;) (func (param i32 i32 i32 i32 i32) (result i32)))
  (type (;1;) (func))
  (type (;2;) (func (param i32) (result i32)))
  (type (;3;) (func (param i32 i32) (result i32)))
  (import "env" "proxy_get_buffer_bytes" (func $proxy_get_buffer_bytes (type 0)))
  (func (;1;) (type 1))
  (func (;2;) (type 2) (param i32) (result i32)
    i32.const 8192)
  (func (;3;) (type 3) (param i32 i32) (result i32)
    i32.const 4480
    i32.const 2
    i32.const 2147483647
    i32.const 65535
    i32.const 3
    call $proxy_get_buffer_bytes
    global.set $r
    i32.const 1)
  (func (;4;) (type 3) (param i32 i32) (result i32)
    i32.const 4608
    i32.const 20
    i32.const 4
    i32.const 4096
    i32.const 8
    call $proxy_get_buffer_bytes
    drop
    i32.const 5
    i32.const 0
    i32.const 3
    i32.const 3
    i32.const 260
    call $proxy_get_buffer_bytes
    drop
    i32.const 1)
  (table (;0;) 10 funcref)
  (global $r (mut i32) (i32.const 0))
  (export "proxy_abi_version_0_1_0" (func 1))
  (export "malloc" (func 2))
  (export "proxy_on_vm_start" (func 3))
  (export "proxy_on_configure" (func 4)))
