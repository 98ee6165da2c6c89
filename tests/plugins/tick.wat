;; tick: logs "tick" every 20 ms. Proxy-Wasm ABI 0.2.1.
(module
  (import "env" "proxy_set_tick_period_milliseconds" (func $period (param i32) (result i32)))
  (import "env" "proxy_log"
    (func $log (param $level i32) (param $text i32) (param $size i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 0) "tick")
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_configure") (param i32 i32) (result i32)
    (drop (call $period (i32.const 20)))
    (i32.const 1))
  (func (export "proxy_on_tick") (param i32)
    (drop (call $log (i32.const 2) (i32.const 0) (i32.const 4)))) ;; INFO
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32) (i32.const 0)))
