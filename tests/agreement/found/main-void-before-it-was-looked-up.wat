;; main void before it was looked up
(module
  (type (;0;) (func (param i32 i64 i32) (result i32)))
  (type (;1;) (func))
  (type (;2;) (func (param i32) (result i32)))
  (type (;3;) (func (result i32)))
  (import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time_get (type 0)))
  (func (;1;) (type 1))
  (func (;2;) (type 2) (param i32) (result i32)
    i32.const 8192)
  (func (;3;) (type 1)
    i32.const 65535
    i64.const 14
    i32.const 0
    call $clock_time_get
    drop
    i32.const 4352
    i64.const 260
    i32.const 5
    call $clock_time_get
    drop)
  (func (;4;) (type 3) (result i32)
    i32.const 65533
    i32.const 1
    i32.store
    i32.const 1)
  (func (;5;) (type 1)
    i32.const 4096
    i64.const 65535
    i32.const 4
    call $clock_time_get
    if  ;; label = @1
      unreachable
    end
    i32.const 3
    i64.const 5
    i32.const 8
    call $clock_time_get
    i32.eqz
    if  ;; label = @1
      unreachable
    end)
  (table (;0;) 10 funcref)
  (memory (;0;) 1)
  (global $r (mut i32) (i32.const 0))
  (export "proxy_abi_version_0_1_0" (func 1))
  (export "malloc" (func 2))
  (export "_initialize" (func 3))
  (export "__main_void" (func 4))
  (export "_start" (func 5))
  (data (;0;) (i32.const 4096) "plugin_root_id")
  (data (;1;) (i32.const 4160) "abc")
  (data (;2;) (i32.const 4224) "request\00path")
  (data (;3;) (i32.const 4288) "xds\00node")
  (data (;4;) (i32.const 4352) "compress")
  (data (;5;) (i32.const 4416) "\0a\03\0a\01x")
  (data (;6;) (i32.const 4480) "\12\00")
  (data (;7;) (i32.const 4544) "")
  (data (;8;) (i32.const 4608) "\01\00\00\00\05\00\00\00\01\00\00\00:path\00/\00"))
