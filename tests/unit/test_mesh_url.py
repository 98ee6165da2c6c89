"""``spec.url`` as the webhook, pilot and istio-agent read it (the table was run against Istio)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wasmpack.mesh.url import MeshUrl

pytestmark = pytest.mark.dependencies

HEX = "a" * 64
PULLED = [
    ("oci://quay.io/a/b:v1", "quay.io/a/b:v1"),
    ("quay.io/a/b:v1", "quay.io/a/b:v1"),
    ("OCI://quay.io/a/b:v1", "quay.io/a/b:v1"),
    ("oci://private-registry:5000/a/b:latest", "private-registry:5000/a/b:latest"),
    ("oci://[::1]:5000/a:v1", "[::1]:5000/a:v1"),
    (f"oci://quay.io/a/b:v1@sha256:{HEX}", f"quay.io/a/b:v1@sha256:{HEX}"),
    ("oci://user:pw@quay.io/a:v1", "quay.io/a:v1"),
    ("oci://quay.io/a:v1?x#y", "quay.io/a:v1"),
]
REFUSED = [
    ("localhost:5000/a/b:v1", "url contains unsupported scheme: localhost"),
    ("registry.example.com:5000/x", "url contains unsupported scheme: registry.example.com"),
    ("private-registry:5000/x", "url contains unsupported scheme: private-registry"),
    ("10.0.0.1:5000/a/b:v1", "first path segment in URL cannot contain colon"),
    ("docker://quay.io/a:v1", "url contains unsupported scheme: docker"),
    ("ftp://x/y", "url contains unsupported scheme: ftp"),
    ("oci:quay.io/a", "there is neither host nor path"),
    ("oci:///a/b", "no host"),
    ("/opt/x.wasm", "no host"),
    ("oci://plugin:v1", 'invalid port ":v1" after host'),
    ("oci://quay.io/Upper:v1", "could not parse url in image reference"),
    ("oci://quay.io/a\nb", "invalid control character"),
    (":x", "missing protocol scheme"),
    ("file://opt/x.wasm", "not absolute"),
]
WARNED = [
    ("oci://user:pw@quay.io/a:v1", "silently dropped"),
    ("oci://quay.io/a:v1?x#y", "silently dropped"),
    ("oci://myregistry/a:v1", "a name on Docker Hub: docker.io/myregistry/a"),
    ("oci://localhost:5000/a:v1", "is the proxy itself"),
    ("oci://127.0.0.1:5000/a:v1", "is the proxy itself"),
]


@pytest.mark.parametrize(("text", "reference"), PULLED)
def test_pulled(text: str, reference: str) -> None:
    url = MeshUrl.parse(text)
    assert (url.scheme, str(url.reference)) == ("oci", reference)
    assert all(fault.severity.value == "warning" for fault in url.faults)


@pytest.mark.parametrize(("text", "said"), REFUSED)
def test_refused(text: str, said: str) -> None:
    url = MeshUrl.parse(text)
    assert url.reference is None
    (fault,) = url.faults
    assert fault.severity.value == "error"
    assert said in fault.message
    assert fault.hint()


@pytest.mark.parametrize(("text", "said"), WARNED)
def test_warned(text: str, said: str) -> None:
    (fault,) = MeshUrl.parse(text).faults
    assert fault.severity.value == "warning"
    assert said in fault.message


def test_files_and_downloads() -> None:
    assert MeshUrl.parse("file:///opt/x.wasm").path == "/opt/x.wasm"
    assert MeshUrl.parse("https://example.com/x.wasm").scheme == "https"
    assert not MeshUrl.parse("file:///opt/x.wasm").faults


@pytest.mark.parametrize(
    ("text", "with_scheme", "without"),
    [
        ("oci://quay.io/a?x", "write oci://HOST[:PORT]/REPOSITORY:TAG",
         "write HOST[:PORT]/REPOSITORY:TAG"),
        ("oci://myregistry/a:v1", "write oci://docker.io/myregistry/a:v1",
         "write docker.io/myregistry/a:v1"),
        ("localhost:5000/a", "write oci://localhost:5000/a", "write localhost:5000/a"),
        ("oci://localhost:5000/a", "a host name that the pods can resolve", ""),
        ("oci://u:p@quay.io/a", "imagePullSecret: wasmpack render secret", ""),
        ("https://", "write https://HOST/PATH", ""),
        ("file://x", "write file:///PATH", ""),
    ],
    ids=["form", "Docker Hub", "no scheme", "loopback", "password", "https", "file"],
)  # fmt: skip
def test_an_image_to_write_is_named_with_a_scheme_or_without(
    text: str, with_scheme: str, without: str
) -> None:
    (fault,) = MeshUrl.parse(text).faults
    assert fault.hint() == with_scheme
    assert fault.hint(scheme="") == (without or with_scheme)


@pytest.mark.stress
@settings(max_examples=500, deadline=None)
@given(st.text(), st.sampled_from(["", "oci://", "file://", "https://"]))
def test_any_url(text: str, scheme: str) -> None:
    url = MeshUrl.parse(scheme + text)
    assert url.faults or url.reference or url.path or url.scheme in {"http", "https"}
