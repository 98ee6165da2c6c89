"""What a push asks a registry, and what an answer about a manifest's digest is worth."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import replace

import pytest
from support.faults.raw import RawServer, Script, answer
from support.faults.tidy import BLOBS, MANIFESTS, tidy
from support.images import image_of

from wasmpack.errors import DigestMismatch, NotFound, RegistryUnavailable, WasmpackError
from wasmpack.images.image import Image
from wasmpack.images.transfer import Moved, transfer
from wasmpack.oci.descriptor import Descriptor, Digest
from wasmpack.oci.manifest import Index, parse
from wasmpack.oci.media_types import DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST
from wasmpack.oci.reference import Reference
from wasmpack.stores.ports import BlobStatus, attached_tags
from wasmpack.stores.registry.options import RegistryOptions
from wasmpack.stores.registry.repository import RegistryReader, RegistryWriter
from wasmpack.stores.verified import VerifiedStream

IMAGE = image_of(1, 5000)
DIGEST = str(IMAGE.manifest.digest)
MODULE = IMAGE.manifest.layers[1].digest
OTHER = "sha256:" + "b" * 64
NO_RETRIES = RegistryOptions(retries=0)


def always(data: bytes) -> Script:
    return lambda _request, _headers: iter([data])


def named(server: RawServer, target: str = ":v1") -> Reference:
    return Reference.parse(f"{server.host}/a/b{target}")


def push(server: RawServer, *, force: bool = False) -> tuple[Moved, ...]:
    writer = RegistryWriter(named(server), NO_RETRIES, force=force)
    return transfer(Image(IMAGE), IMAGE.manifest, writer, ["v1"])


def asked(server: RawServer, method: str) -> int:
    return sum(request.startswith(f"{method} ") for request in server.seen)


@pytest.mark.stress
@pytest.mark.parametrize("status", [400, 403, 405, 406, 410, 415, 418, 500, 501, 503])
@pytest.mark.parametrize("pattern", [f"HEAD {MANIFESTS}", f"HEAD {BLOBS}", "HEAD"])
def test_a_refused_question_does_not_end_a_push(pattern: str, status: int) -> None:
    odd = {pattern: always(answer(f"{status} No"))}
    with RawServer(tidy(IMAGE, odd, empty=True)) as server:
        moved = push(server)
    assert {row.status for row in moved} == {BlobStatus.UPLOADED}
    assert server.seen[-1].startswith(f"PUT {MANIFESTS}v1")


def test_a_digest_is_read_with_get_where_head_is_refused() -> None:
    odd = {f"HEAD {MANIFESTS}": always(answer("405 Method Not Allowed"))}
    with RawServer(tidy(IMAGE, odd)) as server:
        moved = push(server)
    assert {row.status for row in moved} == {BlobStatus.EXISTS}
    assert asked(server, "PUT") == 0


def test_an_unchanged_push_asks_for_each_blob() -> None:
    with RawServer(tidy(IMAGE, {})) as server:
        moved = push(server)
    assert {row.status for row in moved} == {BlobStatus.EXISTS}
    assert len(server.seen) == asked(server, "HEAD") == 1 + len(IMAGE.manifest.blobs)


def test_a_blob_that_a_registry_has_lost_is_sent() -> None:
    odd = {f"HEAD {BLOBS}{MODULE}": always(answer("404 Not Found"))}
    with RawServer(tidy(IMAGE, odd)) as server:
        moved = push(server)
    statuses = {row.descriptor.digest: row.status for row in moved}
    assert statuses.pop(MODULE) is BlobStatus.UPLOADED
    assert set(statuses.values()) == {BlobStatus.EXISTS}
    assert not any(request.startswith(f"PUT {MANIFESTS}") for request in server.seen), (
        "the tag may be immutable"
    )


def test_force_sends_everything() -> None:
    with RawServer(tidy(IMAGE, {})) as server:
        moved = push(server, force=True)
    assert {row.status for row in moved} == {BlobStatus.UPLOADED}
    assert asked(server, "HEAD") == 0
    assert server.seen[-1].startswith(f"PUT {MANIFESTS}v1")


ODD_DIGESTS = {
    "another": OTHER,
    "no algorithm": DIGEST.partition(":")[2],
    "upper case": DIGEST.upper(),
    "cut": DIGEST[:-1],
    "an unknown algorithm": "md5:" + "0" * 32,
}


def stating(digest: str) -> dict[str, bytes]:
    """Answers to GET, HEAD and PUT of the manifest, with this ``Docker-Content-Digest``."""
    headers = {"Docker-Content-Digest": digest, "Content-Type": IMAGE.manifest.media_type}
    whole = answer(body=IMAGE.manifest.raw, headers=headers)
    return {
        "GET": whole,
        "HEAD": whole.removesuffix(IMAGE.manifest.raw),
        "PUT": answer("201 Created", headers=headers),
    }


def odd_manifest(answers: Mapping[str, bytes]) -> dict[str, Script]:
    return {f"{method} {MANIFESTS}": always(data) for method, data in answers.items()}


@pytest.mark.parametrize("name", ODD_DIGESTS)
def test_a_header_that_disagrees_is_a_warning_for_a_tag(name: str) -> None:
    told: list[str] = []
    odd = odd_manifest({"GET": stating(ODD_DIGESTS[name])["GET"]})
    with RawServer(tidy(IMAGE, odd)) as server:
        reader = RegistryReader(named(server), NO_RETRIES, told.append)
        assert reader.get().digest == IMAGE.manifest.digest
        reader.get()
    [warning] = told
    assert ODD_DIGESTS[name] in warning
    assert DIGEST in warning


@pytest.mark.parametrize("name", ODD_DIGESTS)
def test_a_header_that_disagrees_is_an_error_for_a_digest(name: str) -> None:
    odd = odd_manifest({"GET": stating(ODD_DIGESTS[name])["GET"]})
    with (
        RawServer(tidy(IMAGE, odd)) as server,
        pytest.raises(DigestMismatch, match="whose digest is sha256"),
    ):
        RegistryReader(named(server, f"@{DIGEST}"), NO_RETRIES).get()


@pytest.mark.parametrize("name", ODD_DIGESTS)
def test_a_push_believes_the_body_not_the_header(name: str) -> None:
    told: list[str] = []
    odd = odd_manifest({"PUT": stating(ODD_DIGESTS[name])["PUT"]})
    with RawServer(tidy(IMAGE, odd)) as server:
        RegistryWriter(named(server), NO_RETRIES, told.append).put_manifest(IMAGE.manifest, ["v1"])
    assert len(told) == 1


def test_a_push_that_stores_something_else_fails() -> None:
    odd = odd_manifest({**stating(OTHER), "GET": answer(body=b"{}")})
    with RawServer(tidy(IMAGE, odd)) as server, pytest.raises(DigestMismatch, match="was pushed"):
        RegistryWriter(named(server), NO_RETRIES).put_manifest(IMAGE.manifest, ["v1"])


@pytest.mark.parametrize("status", [403, 405])
def test_a_push_that_cannot_be_checked_is_done(status: int) -> None:
    refused = answer(f"{status} No")
    odd = odd_manifest({"GET": refused, "HEAD": refused, "PUT": answer("201 Created")})
    with RawServer(tidy(IMAGE, odd)) as server:
        RegistryWriter(named(server), NO_RETRIES).put_manifest(IMAGE.manifest, ["v1"])


def test_a_question_that_gets_no_answer_ends_a_push() -> None:
    blob = IMAGE.manifest.layers[0]
    with RawServer(tidy(IMAGE, {})) as server:
        name = named(server)
    writer = RegistryWriter(name, NO_RETRIES)
    with pytest.raises(WasmpackError, match="connection refused"):
        writer.has_blob(blob)
    data = IMAGE.blobs[blob.digest]
    with pytest.raises(WasmpackError, match="connection refused"):
        writer.put_blob(blob, lambda: VerifiedStream(io.BytesIO(data), blob))


def referrers_of(answers: Script) -> list[str]:
    """Digests that are listed, by a registry that has a list under the tag."""
    by_tag = {"mediaType": OCI_INDEX, "manifests": [IMAGE.manifest.descriptor.as_json()]}
    listed = answer(body=json.dumps(by_tag).encode(), headers={"Content-Type": OCI_INDEX})
    odd = {
        "GET /v2/a/b/referrers/": answers,
        f"GET {MANIFESTS}sha256-": always(listed),
        "GET /elsewhere": always(answer("302 Found", headers={"Location": "/elsewhere"})),
        "GET /login": always(answer(body=b"<html>", headers={"Content-Type": "text/html"})),
    }
    with RawServer(tidy(IMAGE, odd)) as server:
        found = RegistryReader(named(server), NO_RETRIES).referrers(IMAGE.manifest.digest)
    return [str(row.digest) for row in found]


REFUSALS = {
    **{status: answer(f"{status} No") for status in ("400", "403", "404", "405", "406", "501")},
    "401": answer("401 Unauthorized", headers={"WWW-Authenticate": "Basic realm=x"}),
    "a page": answer("302 Found", headers={"Location": "/login"}),
    "a circle": answer("302 Found", headers={"Location": "/elsewhere"}),
    "nonsense": answer("302 Found", headers={"Location": "ftp://x/"}),
    "another type": answer(body=b'{"manifests":[]}', headers={"Content-Type": "text/json"}),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_a_registry_without_the_referrers_api_is_asked_by_tag(name: str) -> None:
    assert referrers_of(always(REFUSALS[name])) == [DIGEST]


@pytest.mark.parametrize("name", ["403", "a circle", "401"])
def test_a_list_of_referrers_is_never_shorter(name: str) -> None:
    """The second page is refused."""
    kind = {"Content-Type": OCI_INDEX, "Link": "</v2/a/b/referrers/more>; rel=next"}
    first = answer(body=b'{"manifests":[]}', headers=kind)
    pages = iter([first, *[REFUSALS[name]] * 9])
    with pytest.raises(WasmpackError):
        referrers_of(lambda _request, _headers: iter([next(pages)]))


def test_tags_of_cosign() -> None:
    tag = attached_tags(IMAGE.manifest.digest)[1]
    whole = answer(body=IMAGE.manifest.raw, headers={"Content-Type": IMAGE.manifest.media_type})
    with RawServer(tidy(IMAGE, {f"GET {MANIFESTS}{tag}": always(whole)})) as server:
        found = RegistryReader(named(server), NO_RETRIES).attached(IMAGE.manifest.digest)
    assert {name: str(row.digest) for name, row in found.items()} == {tag: DIGEST}


@pytest.mark.parametrize(
    "kind", ["", "text/plain", "application/json; charset=utf-8", "application/octet-stream"]
)
@pytest.mark.parametrize("media_type", [OCI_MANIFEST, DOCKER_MANIFEST])
def test_the_body_decides_where_the_server_does_not_know(kind: str, media_type: str) -> None:
    body = {**json.loads(IMAGE.manifest.raw), "mediaType": media_type}
    whole = answer(body=json.dumps(body).encode(), headers={"Content-Type": kind} if kind else {})
    with RawServer(tidy(IMAGE, {f"GET {MANIFESTS}": always(whole)})) as server:
        assert RegistryReader(named(server), NO_RETRIES).get().media_type == media_type


class SharedList:
    """A list of referrers by tag, which another writer overwrites now and then."""

    def __init__(self, lost: int) -> None:
        """:param lost: how many of our writes the other one drops"""
        self.lost = lost
        self.held: Index | None = None

    def referrers(self, _digest: Digest) -> tuple[Descriptor, ...]:
        return ()

    def manifest(self, target: str) -> Index:
        if self.held is None:
            raise NotFound(target)
        return self.held

    def put_manifest(self, manifest: Index, _target: str) -> bool:
        self.lost -= 1
        self.held = None if self.lost >= 0 else manifest
        return False


SIGNATURE = replace(image_of(2, 10).manifest, subject=IMAGE.manifest.descriptor)


@pytest.fixture
def writer(monkeypatch: pytest.MonkeyPatch) -> RegistryWriter:
    monkeypatch.setattr("wasmpack.stores.registry.repository._PAUSE", 0)
    return RegistryWriter(Reference.parse("r.io/a/b:v1"), NO_RETRIES)


@pytest.mark.parametrize("lost", [0, 1, 3])
def test_a_referrer_that_another_writer_drops_is_listed_again(
    lost: int, writer: RegistryWriter
) -> None:
    found = SharedList(lost)
    writer._client = found  # type: ignore[assignment]
    writer.put_referrer(SIGNATURE)
    assert found.held is not None
    assert [row.digest for row in found.held.manifests] == [SIGNATURE.digest]


def test_a_list_that_never_keeps_a_referrer_is_an_error(writer: RegistryWriter) -> None:
    writer._client = SharedList(100)  # type: ignore[assignment]
    with pytest.raises(RegistryUnavailable, match="others write this list"):
        writer.put_referrer(SIGNATURE)


SHA512 = Digest("sha512", hashlib.sha512(IMAGE.manifest.raw).hexdigest())


def test_a_manifest_keeps_the_digest_it_was_asked_for_by() -> None:
    whole = answer(body=IMAGE.manifest.raw, headers={"Content-Type": OCI_MANIFEST})
    odd = {f"GET {MANIFESTS}sha512:": always(whole)}
    with RawServer(tidy(IMAGE, odd)) as server:
        found = RegistryReader(named(server, f"@{SHA512}"), NO_RETRIES).get()
    assert found.digest == found.descriptor.digest == SHA512
    assert parse(found.raw).digest == IMAGE.manifest.digest


@pytest.mark.parametrize("kept", [SHA512, IMAGE.manifest.digest], ids=["kept", "refused"])
def test_a_tag_is_written_with_the_digest_of_another_algorithm(kept: Digest) -> None:
    found = parse(IMAGE.manifest.raw, digest=SHA512)
    head = answer(headers={"Docker-Content-Digest": str(kept)})
    odd = {f"HEAD {MANIFESTS}v1": always(head), "PUT": always(answer("201 Created"))}
    with RawServer(tidy(IMAGE, odd)) as server:
        writer = RegistryWriter(named(server), NO_RETRIES)
        expected = contextlib.nullcontext() if kept == SHA512 else pytest.raises(DigestMismatch)
        with expected:
            writer.put_manifest(found, ["v1"])
    assert server.seen[0].startswith(f"PUT {MANIFESTS}{SHA512}?tag=v1 ")
