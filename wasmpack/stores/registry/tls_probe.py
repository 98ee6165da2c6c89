"""Probe a local port for TLS, after plain HTTP got no answer."""

import contextlib
import socket
import ssl

from wasmpack.stores.registry.address import Address

_SECONDS = 1.0
"""On loopback a handshake takes a millisecond; a server of plain HTTP may wait for a line end."""


def speaks_tls(address: Address) -> bool:
    """Try a handshake; nothing is sent over it, so its certificate does not matter yet."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    place = address.host.strip("[]"), address.port
    with (
        contextlib.suppress(OSError),  # ssl.SSLError is one
        socket.create_connection(place, timeout=_SECONDS) as connection,
        context.wrap_socket(connection, server_hostname=place[0]),
    ):
        return True
    return False
