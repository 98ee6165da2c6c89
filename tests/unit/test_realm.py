"""Which challenges make Istio's fetcher turn away (rows N25 and N26 of the facts on consumers)."""

import pytest

from wasmpack.targets.realm import refused_realm

ACCEPTED = [
    "",
    'Bearer realm="https://auth.docker.io/token",service="registry.docker.io"',
    'Basic realm="https://123.dkr.ecr.eu-west-1.amazonaws.com/",service="ecr.amazonaws.com"',
    'Bearer realm="http://registry.example/token"',
    "Basic realm=Registry",
    'Bearer realm="https://8.8.8.8/token"',
    'Bearer realm="https://[2606:4700::1111]/token"',
    'Bearer realm="https://localhost.example/token"',
    "Negotiate",
]
PRIVATE = "private/loopback/link-local IP"
REFUSED = [
    ('Basic realm="Registry Realm"', 'realm scheme "" not allowed'),
    ('Basic realm=""', 'realm scheme "" not allowed'),
    ('Basic realm="ftp://x/"', 'realm scheme "ftp" not allowed'),
    ('Bearer realm="https://localhost/token"', "realm targets localhost"),
    ('Bearer realm="https://LOCALHOST:5001/token"', "realm targets localhost"),
    ('Bearer realm="http://metadata.google.internal/"', "realm targets metadata.google.internal"),
    ('Bearer realm="http://127.0.0.1:5001/token"', PRIVATE),
    ('Bearer realm="http://10.1.2.3/token"', PRIVATE),
    ('Bearer realm="http://192.168.0.1/token"', PRIVATE),
    ('Bearer realm="http://169.254.169.254/token"', PRIVATE),
    ('Bearer realm="http://[::1]/token"', PRIVATE),
    ('Bearer realm="http://[fe80::1]/token"', PRIVATE),
    ('Bearer realm="http://[::ffff:10.0.0.1]/token"', PRIVATE),
    ('Bearer realm="https://quay.io/v2/auth", Basic realm="Registry"', 'scheme "" not allowed'),
    ('Bearer realm="http://["', "invalid realm URL"),
]


@pytest.mark.parametrize("challenge", ACCEPTED)
def test_accepted(challenge: str) -> None:
    assert refused_realm(challenge) == ""


@pytest.mark.parametrize(("challenge", "words"), REFUSED)
def test_refused(challenge: str, words: str) -> None:
    assert refused_realm(challenge).startswith("rejected unsafe bearer realm: ")
    assert words in refused_realm(challenge)
