"""The dry run's first request, as it is sent through a real proxy, and how it ends there."""

from dataclasses import dataclass

from wasmpack.envoy.messages import Request

BODY = "hello\n"
"""The response of the listener itself, and the bytes of a connection."""
PLAIN = Request(
    headers=(
        ("host", "localhost"),
        ("user-agent", "curl/8.0"),
        ("accept", "*/*"),
        ("connection", "close"),
    )
)
"""The request of ``dry_run/host/get_request.json``."""
DELIVERED = 200
"""The status of a connection whose bytes came back, as in the dry run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a plain request ended, or a connection."""

    status: int | None
    """The status that the client got; None without a complete response."""
    held: bool = False
    """No response came, and the proxy had nothing left to do."""
    failed: tuple[str, ...] = ()
    """The proxy's messages, if the plugin's VM has failed."""
    network: bool = False
    """It was a connection."""
