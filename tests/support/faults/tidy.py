"""A registry of one image that behaves, but for the requests that are told to be odd."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from support.faults.raw import Pieces, Script, answer
from wasmpack.images.variants import BuiltImage
from wasmpack.oci.descriptor import Digest

REPOSITORY = "/v2/a/b"
BLOBS, MANIFESTS, TAGS = f"{REPOSITORY}/blobs/", f"{REPOSITORY}/manifests/", f"{REPOSITORY}/tags/"


def tidy(image: BuiltImage, odd: Mapping[str, Script], *, empty: bool = False) -> Script:
    """Answers each request; one that matches a pattern of ``odd`` gets that answer instead.

    :param empty: the image is not there, and may be pushed
    """
    blobs = {} if empty else {str(digest): data for digest, data in image.blobs.items()}

    def script(request: str, headers: dict[str, str]) -> Pieces:
        for pattern, other in odd.items():
            if re.match(pattern, request):
                yield from other(request, headers)
                return
        method, path, _ = request.split(" ", 2)
        yield _answer(method, path, image, blobs)

    return script


def _answer(method: str, path: str, image: BuiltImage, blobs: Mapping[str, bytes]) -> bytes:
    last = path.partition("?")[0].rpartition("/")[2]
    if path.startswith(MANIFESTS) and method == "PUT":
        return answer("201 Created", headers=_of(image))
    if path.startswith(MANIFESTS):
        if not blobs or last not in {"v1", str(image.manifest.digest)}:
            return answer("404 Not Found")
        if method == "DELETE":
            return answer("202 Accepted")
        return _with_body(method, image.manifest.raw, _of(image))
    if path.startswith(TAGS):
        return answer(body=json.dumps({"tags": ["v1"]}).encode())
    if method == "POST":
        return answer("202 Accepted", headers={"Location": "/upload"})
    if path.startswith("/upload") and method in {"PUT", "PATCH"}:
        return answer("201 Created")
    if path.startswith(BLOBS) and last in blobs:
        return _with_body(method, blobs[last], {})
    return answer("404 Not Found")


def _of(image: BuiltImage) -> dict[str, str]:
    manifest = image.manifest
    digest = Digest.of(manifest.raw)
    return {"Content-Type": manifest.media_type, "Docker-Content-Digest": str(digest)}


def _with_body(method: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    whole = answer(body=body, headers=headers)
    return whole.removesuffix(body) if method == "HEAD" else whole
