;; hidden memory and the last address
(module
  (type (;0;) (func (param i32 i32 i32 i32 i32 i32) (result i32)))
  (type (;1;) (func (param i32 i32 i32) (result i32)))
  (type (;2;) (func))
  (type (;3;) (func (param i32) (result i32)))
  (type (;4;) (func (param i32 i32) (result i32)))
  (type (;5;) (func (result i32)))
  (import "wasi_snapshot_preview1" "path_readlink" (func $path_readlink (type 0)))
  (import "wasi_snapshot_preview1" "sock_accept" (func $sock_accept (type 1)))
  (func (;2;) (type 2))
  (func (;3;) (type 3) (param i32) (result i32)
    i32.const 8192)
  (func (;4;) (type 4) (param i32 i32) (result i32)
    global.get $r)
  (func (;5;) (type 5) (result i32)
    i32.const 4096
    i32.const 14
    i32.const 65535
    call $sock_accept
    if  ;; label = @1
      unreachable
    end
    i32.const 1)
  (func (;6;) (type 2)
    i32.const 4096
    i32.const 14
    i32.const 2147483647
    i32.const 7
    i32.const 268
    i32.const -1
    call $path_readlink
    drop)
  (table (;0;) 10 funcref)
  (global $r (mut i32) (i32.const 0))
  (export "proxy_abi_version_0_2_0" (func 2))
  (export "malloc" (func 3))
  (export "main" (func 4))
  (export "__main_void" (func 5))
  (export "_start" (func 6)))
