"""The few raw HTTP calls the fixtures' own tests make.

Plain requests, so that these tests say something about the registries and not about our client.
"""

import requests

from support.registries.model import RunningRegistry
from support.registries.start import TokenRegistry

TIMEOUT = 10
EMPTY_BLOB = "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def call(method: str, registry: RunningRegistry, path: str, **more: object) -> requests.Response:
    """Call `/v2/{path}`; `more` goes to requests."""
    with requests.Session() as session:
        session.trust_env = False  # no proxy and no .netrc
        url = f"http://{registry.host}/v2/{path}"
        return session.request(method, url, timeout=TIMEOUT, **more)  # type: ignore[arg-type]


def call_with_token(
    pair: TokenRegistry, method: str, path: str, scope: str, user: str | None = "pusher"
) -> requests.Response:
    """Call the registry with a token for `scope` that `user` was given."""
    token = ask_token(pair, [scope], user).json()["token"]
    return call(method, pair.registry, path, headers={"Authorization": f"Bearer {token}"})


def ask_token(pair: TokenRegistry, scopes: list[str], user: str | None) -> requests.Response:
    """Ask the token server as one of its users; nobody in particular is None."""
    passwords = {who.name: who.password for who in (pair.tokens.pusher, pair.tokens.puller)}
    return requests.get(
        pair.tokens.realm,
        params={"service": pair.tokens.service, "scope": scopes},
        auth=(user, passwords[user]) if user else None,
        timeout=TIMEOUT,
    )


def push_blob(registry: RunningRegistry, repository: str, **more: object) -> requests.Response:
    """Push the empty blob in the two requests of the specification."""
    started = call("POST", registry, f"{repository}/blobs/uploads/", **more)
    assert started.status_code == 202
    location = started.headers["Location"]
    assert location.startswith(f"http://{registry.host}/v2/")
    path = location.removeprefix(f"http://{registry.host}/v2/")
    return call("PUT", registry, f"{path}&digest={EMPTY_BLOB}", **more)
