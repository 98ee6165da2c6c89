;; counter: numbers the responses of its VM in the header "x-count" (the last digit), and counts the
;; requests in the metric "requests". Proxy-Wasm ABI 0.2.1.
(module
  (import "env" "proxy_define_metric"
    (func $define_metric (param $type i32) (param $name i32) (param $size i32) (param $id i32)
      (result i32)))
  (import "env" "proxy_increment_metric"
    (func $increment_metric (param $id i32) (param $by i64) (result i32)))
  (import "env" "proxy_replace_header_map_value"
    (func $replace (param $map i32) (param $key i32) (param $key_size i32) (param $value i32)
      (param $value_size i32) (result i32)))
  (memory (export "memory") 1)
  ;;   0  x-count, 7 bytes    8  requests, 8 bytes    16  the digit    20  id of the metric
  (data (i32.const 0) "x-count")
  (data (i32.const 8) "requests")
  (global $count (mut i32) (i32.const 0))
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
  (func (export "proxy_on_vm_start") (param i32 i32) (result i32)
    ;; COUNTER (0)
    (drop (call $define_metric (i32.const 0) (i32.const 8) (i32.const 8) (i32.const 20)))
    (i32.const 1))
  (func (export "proxy_on_request_headers") (param i32 i32 i32) (result i32)
    (global.set $count (i32.add (global.get $count) (i32.const 1)))
    (drop (call $increment_metric (i32.load (i32.const 20)) (i64.const 1)))
    (i32.const 0))
  (func (export "proxy_on_response_headers") (param i32 i32 i32) (result i32)
    (i32.store8 (i32.const 16)
      (i32.add (i32.const 48) (i32.rem_u (global.get $count) (i32.const 10))))
    ;; HTTP_RESPONSE_HEADERS (2)
    (drop (call $replace (i32.const 2) (i32.const 0) (i32.const 7) (i32.const 16) (i32.const 1)))
    (i32.const 0)))
