"""The exchange ``support.exchanges.FULL`` as the dry run's host sees it: bodies and trailers."""

from wasmpack.dry_run.host.properties import number
from wasmpack.dry_run.host.state import (
    REQUEST_HEADERS,
    REQUEST_TRAILERS,
    RESPONSE_HEADERS,
    RESPONSE_TRAILERS,
    ROOT,
    Callback,
    Phase,
)
from wasmpack.dry_run.host.streams import ANSWERED, BODY_GOES_ON, CONNECTION, HEADERS_GO_ON

_REQUEST_BODY, _RESPONSE_BODY = 0, 1
_BODY = b"hello\n"
_ASKED = (
    (b":authority", b"localhost"),
    (b":path", b"/path?query"),
    (b":method", b"POST"),
    (b":scheme", b"http"),
    (b"user-agent", b"curl/8.0"),
    (b"accept", b"*/*"),
    (b"te", b"trailers"),
    (b"x-forwarded-proto", b"http"),
    (b"x-request-id", b"00000000-0000-4000-8000-000000000000"),
)
_ANSWERED = (
    (b":status", b"200"),
    (b"content-type", b"text/plain"),
    (b"transfer-encoding", b"chunked"),
    (b"trailer", b"x-trailer"),
    (b"x-envoy-upstream-service-time", b"0"),
)
_UPSTREAM = {
    b"request\0size": number(len(_BODY)),
    b"upstream\0address": b"127.0.0.1:9000",
    b"upstream\0port": number(9000),
    b"upstream\0transport_failure_reason": b"",
    b"upstream\0locality": b"",
    b"upstream\0request_attempt_count": number(1),
    b"xds\0upstream_host_metadata": None,
    b"xds\0upstream_host_locality_metadata": None,
}
FULL_EXCHANGE = (
    Callback(
        "proxy_on_context_create",
        Phase.CREATED,
        given=(ROOT,),
        properties={
            **CONNECTION,
            b"xds\0cluster_name": b"upstream",
            b"xds\0cluster_metadata": b"",
            b"upstream\0num_endpoints": number(1),
        },
    ),
    Callback(
        "proxy_on_request_headers",
        Phase.REQUEST,
        given=(len(_ASKED),),
        newer=(0,),
        goes_on=HEADERS_GO_ON,
        maps={REQUEST_HEADERS: _ASKED},
    ),
    Callback(
        "proxy_on_request_body",
        Phase.REQUEST,
        given=(len(_BODY), 0),
        goes_on=BODY_GOES_ON,
        buffers={_REQUEST_BODY: _BODY},
        properties=_UPSTREAM,
    ),
    Callback(
        "proxy_on_request_trailers",
        Phase.REQUEST,
        given=(1,),
        goes_on=BODY_GOES_ON,
        maps={REQUEST_TRAILERS: ((b"x-trailer", b"1"),)},
    ),
    Callback(
        "proxy_on_response_headers",
        Phase.RESPONSE,
        given=(len(_ANSWERED),),
        newer=(0,),
        goes_on=HEADERS_GO_ON,
        maps={RESPONSE_HEADERS: _ANSWERED},
        properties={
            **ANSWERED,
            b"response\0code_details": b"via_upstream",
            b"upstream\0local_address": b"127.0.0.1:40001",
            b"upstream\0cx_pool_ready_duration": number(0),
            b"upstream_filter_state": None,
        },
    ),
    Callback(
        "proxy_on_response_body",
        Phase.RESPONSE,
        given=(len(_BODY), 0),
        goes_on=BODY_GOES_ON,
        buffers={_RESPONSE_BODY: _BODY},
    ),
    Callback(
        "proxy_on_response_trailers",
        Phase.RESPONSE,
        given=(1,),
        goes_on=BODY_GOES_ON,
        maps={RESPONSE_TRAILERS: ((b"x-trailer", b"2"),)},
        properties={
            b"response\0size": number(len(_BODY)),
            b"response\0backend_latency": number(0),
        },
    ),
    Callback(
        "proxy_on_log",
        Phase.LOG,
        added={
            REQUEST_HEADERS: ((b"x-envoy-expected-rq-timeout-ms", b"15000"),),
            RESPONSE_HEADERS: (
                (b"date", b"Sat, 28 Nov 2026 00:00:00 GMT"),
                (b"server", b"envoy"),
            ),
        },
        properties={b"request\0duration": number(0)},
    ),
    Callback("proxy_on_done", Phase.OVER),
    Callback("proxy_on_delete", Phase.OVER),
)
"""In the proxy's order."""
