;; x-wat: sets the response header "x-wat" to the text of the plugin configuration, or to "hello"
;; when there is none.
;;
;; Written by hand against the Proxy-Wasm ABI 0.2.1. The section names in the comments are those
;; of the ABI specification.
(module
  ;; "Logging", "Buffers" and "HTTP fields" list these host functions. Addresses and sizes are i32.
  (import "env" "proxy_get_buffer_bytes"
    (func $proxy_get_buffer_bytes
      (param $buffer i32) (param $start i32) (param $max_size i32)
      (param $return_data i32) (param $return_size i32) (result i32)))
  (import "env" "proxy_replace_header_map_value"
    (func $proxy_replace_header_map_value
      (param $map i32) (param $key_data i32) (param $key_size i32)
      (param $value_data i32) (param $value_size i32) (result i32)))

  ;; Exported, or the host cannot read and write what the addresses point to.
  (memory (export "memory") 1)

  ;; Memory layout:
  ;;    0  x-wat, 5 bytes
  ;;    8  hello, 5 bytes
  ;;   16  result of proxy_get_buffer_bytes: address, size
  ;;   64  heap, up to the end of the memory
  (data (i32.const 0) "x-wat")
  (data (i32.const 8) "hello")
  (global $heap_top (mut i32) (i32.const 64))

  ;; A context record, 20 bytes, one per plugin configuration and one per stream in flight:
  ;;   +0 next record, 0 at the end    +4 context id    +8 id of the parent context
  ;;   +12 address of the header value    +16 its size    (both of no use in a stream's record)
  (global $contexts (mut i32) (i32.const 0))
  (global $free_records (mut i32) (i32.const 0))

  ;; The host looks for this name only, it never calls the function ("Integration").
  (func (export "proxy_abi_version_0_2_1"))

  ;; The host places what it returns here ("Memory management"). Nothing takes memory back: records
  ;; are used again, and configurations are few. Answers 0 when the memory cannot grow.
  (func $allocate (export "proxy_on_memory_allocate") (param $size i32) (result i32)
    (local $address i32) (local $missing i32)
    (local.set $address (global.get $heap_top))
    ;; Rounded up to four bytes, so that the fields of every record are aligned.
    (global.set $heap_top
      (i32.and
        (i32.add (i32.add (local.get $address) (local.get $size)) (i32.const 3))
        (i32.const -4)))
    (local.set $missing
      (i32.sub (global.get $heap_top) (i32.mul (memory.size) (i32.const 65536))))
    (if (i32.gt_s (local.get $missing) (i32.const 0))
      (then
        (if (i32.eq
              (memory.grow
                (i32.div_u (i32.add (local.get $missing) (i32.const 65535)) (i32.const 65536)))
              (i32.const -1))
          (then
            (global.set $heap_top (local.get $address))
            (return (i32.const 0))))))
    (local.get $address))

  ;; The record of a context, 0 when there is none.
  (func $find (param $context_id i32) (result i32)
    (local $record i32)
    (local.set $record (global.get $contexts))
    (block $done
      (loop $next
        (br_if $done (i32.eqz (local.get $record)))
        (br_if $done (i32.eq (i32.load offset=4 (local.get $record)) (local.get $context_id)))
        (local.set $record (i32.load (local.get $record)))
        (br $next)))
    (local.get $record))

  ;; A free record, taken from the list or made; traps when there is no memory for it.
  (func $take_record (result i32)
    (local $record i32)
    (local.set $record (global.get $free_records))
    (if (local.get $record)
      (then (global.set $free_records (i32.load (local.get $record))))
      (else
        (local.set $record (call $allocate (i32.const 20)))
        (if (i32.eqz (local.get $record)) (then unreachable))))
    (local.get $record))

  ;; "Context lifecycle": one VM serves several plugin configurations, so each context has its own
  ;; record and a stream's names its parent.
  (func (export "proxy_on_context_create") (param $context_id i32) (param $parent_id i32)
    (local $record i32)
    (local.set $record (call $take_record))
    (i32.store (local.get $record) (global.get $contexts))
    (i32.store offset=4 (local.get $record) (local.get $context_id))
    (i32.store offset=8 (local.get $record) (local.get $parent_id))
    (global.set $contexts (local.get $record)))

  ;; Unlinks the record of the context and keeps it for the next one.
  (func (export "proxy_on_delete") (param $context_id i32)
    (local $record i32) (local $before i32)
    (local.set $record (call $find (local.get $context_id)))
    (if (i32.eqz (local.get $record)) (then return))
    (if (i32.eq (local.get $record) (global.get $contexts))
      (then (global.set $contexts (i32.load (local.get $record))))
      (else
        (local.set $before (global.get $contexts))
        (block $found
          (loop $next
            (br_if $found (i32.eq (i32.load (local.get $before)) (local.get $record)))
            (local.set $before (i32.load (local.get $before)))
            (br $next)))
        (i32.store (local.get $before) (i32.load (local.get $record)))))
    (i32.store (local.get $record) (global.get $free_records))
    (global.set $free_records (local.get $record)))

  ;; Answers 1: started.
  (func (export "proxy_on_vm_start")
    (param $unused i32) (param $configuration_size i32) (result i32)
    (i32.const 1))

  ;; Answers 1, or 0 to have the plugin refused ("Configuration"). The buffer PLUGIN_CONFIGURATION
  ;; can be read during this call only, so the record keeps its address and size. An empty one is
  ;; not read, as the host then writes no result.
  (func (export "proxy_on_configure")
    (param $context_id i32) (param $configuration_size i32) (result i32)
    (local $record i32)
    (local.set $record (call $find (local.get $context_id)))
    (if (i32.eqz (local.get $record)) (then (return (i32.const 0))))
    (i32.store offset=12 (local.get $record) (i32.const 8)) ;; hello
    (i32.store offset=16 (local.get $record) (i32.const 5))
    (if (i32.eqz (local.get $configuration_size)) (then (return (i32.const 1))))
    (if (call $proxy_get_buffer_bytes
          (i32.const 7) ;; PLUGIN_CONFIGURATION
          (i32.const 0) (local.get $configuration_size)
          (i32.const 16) (i32.const 20))
      (then (return (i32.const 0)))) ;; any status other than OK (0)
    (i32.store offset=12 (local.get $record) (i32.load (i32.const 16)))
    (i32.store offset=16 (local.get $record) (i32.load (i32.const 20)))
    (i32.const 1))

  ;; "HTTP streams": sets the header to what the parent context's record says.
  (func (export "proxy_on_response_headers")
    (param $context_id i32) (param $num_headers i32) (param $end_of_stream i32) (result i32)
    (local $record i32)
    (local.set $record (call $find (local.get $context_id)))
    (if (local.get $record)
      (then (local.set $record (call $find (i32.load offset=8 (local.get $record))))))
    (if (local.get $record)
      (then
        (drop
          (call $proxy_replace_header_map_value
            (i32.const 2) ;; HTTP_RESPONSE_HEADERS
            (i32.const 0) (i32.const 5) ;; x-wat
            (i32.load offset=12 (local.get $record))
            (i32.load offset=16 (local.get $record))))))
    (i32.const 0))) ;; CONTINUE
