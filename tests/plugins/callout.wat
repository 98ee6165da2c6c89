;; callout: asks the cluster "auth" for /check before a request goes on; any status but 2xx makes the
;; answer a 403. Proxy-Wasm ABI 0.2.1.
(module
  (import "env" "proxy_http_call"
    (func $http_call (param $upstream i32) (param $upstream_size i32) (param $headers i32)
      (param $headers_size i32) (param $body i32) (param $body_size i32) (param $trailers i32)
      (param $trailers_size i32) (param $timeout i32) (param $token i32) (result i32)))
  (import "env" "proxy_get_header_map_value"
    (func $get (param $map i32) (param $key i32) (param $key_size i32) (param $value i32)
      (param $value_size i32) (result i32)))
  (import "env" "proxy_set_effective_context" (func $act_for (param $context i32) (result i32)))
  (import "env" "proxy_continue_stream" (func $continue (param $stream i32) (result i32)))
  (import "env" "proxy_send_local_response"
    (func $answer (param $status i32) (param $details i32) (param $details_size i32)
      (param $body i32) (param $body_size i32) (param $headers i32) (param $headers_size i32)
      (param $grpc_status i32) (result i32)))
  (memory (export "memory") 1)
  ;;   0  auth    8  :status, 7 bytes    16  denied    32  address and size of the status
  ;;   40  token of the last call    2048  the context that made each call, by token modulo 256
  (data (i32.const 0) "auth")
  (data (i32.const 8) ":status")
  (data (i32.const 16) "denied")
  ;; A header map as the ABI writes it ("Serialization"): the number of pairs, the sizes of each
  ;; name and value, then all of them with a zero byte after each. 69 bytes.
  (data (i32.const 64) "\03\00\00\00"
    "\07\00\00\00\03\00\00\00" "\05\00\00\00\06\00\00\00" "\0a\00\00\00\04\00\00\00"
    ":method\00GET\00" ":path\00/check\00" ":authority\00auth\00")
  (func (export "proxy_abi_version_0_2_1"))
  (func (export "proxy_on_memory_allocate") (param i32) (result i32) (i32.const 1024))
  (func $deny
    (drop (call $answer (i32.const 403) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 6)
      (i32.const 0) (i32.const 0) (i32.const -1))))
  (func $caller (param $token i32) (result i32) ;; the place of its context
    (i32.add (i32.const 2048)
      (i32.mul (i32.and (local.get $token) (i32.const 255)) (i32.const 4))))
  (func (export "proxy_on_request_headers") (param $context i32) (param i32 i32) (result i32)
    (if (call $http_call (i32.const 0) (i32.const 4) (i32.const 64) (i32.const 69) (i32.const 0)
          (i32.const 0) (i32.const 0) (i32.const 0) (i32.const 5000) (i32.const 40))
      (then (call $deny))
      (else (i32.store (call $caller (i32.load (i32.const 40))) (local.get $context))))
    (i32.const 1)) ;; PAUSE
  ;; Called for the root context, which acts for the one that made the call.
  (func (export "proxy_on_http_call_response") (param i32) (param $token i32) (param i32 i32 i32)
    ;; HTTP_CALL_RESPONSE_HEADERS (6); the status of a call that failed is missing.
    (if (call $get (i32.const 6) (i32.const 8) (i32.const 7) (i32.const 32) (i32.const 36))
      (then (i32.store (i32.const 32) (i32.const 16))))
    (drop (call $act_for (i32.load (call $caller (local.get $token)))))
    (if (i32.eq (i32.load8_u (i32.load (i32.const 32))) (i32.const 50)) ;; 2
      (then (drop (call $continue (i32.const 0))))
      (else (call $deny)))))
