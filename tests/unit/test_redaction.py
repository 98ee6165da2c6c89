"""No secret of this run in any form, and no signed address, in what is shown."""

import base64
from urllib.parse import quote

import pytest

from wasmpack import redaction
from wasmpack.redaction import redacted, remember_secret

SECRET = "p ss/w%rd+ü'\"\\"
QUOTED = quote(SECRET, safe="")
FORMS = {
    "plain": SECRET,
    "in repr": repr(SECRET)[1:-1],
    "in JSON": r"p ss/w%rd+\u00fc'\"\\",
    "percent-encoded": QUOTED,
    "percent-encoded in lower case": "p%20ss%2fw%25rd%2b%c3%bc%27%22%5c",
    "percent-encoded but for slashes": quote(SECRET),
    "of a form": QUOTED.replace("%20", "+"),
    "in base64": base64.b64encode(SECRET.encode()).decode().rstrip("="),
    "in base64 for URLs": base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
}


@pytest.fixture(autouse=True)
def no_other_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_known", {})


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_hidden_in_every_form(form: str) -> None:
    remember_secret(SECRET)
    assert redacted(f"before {FORMS[form]} after") == "before … after"


def test_a_secret_that_is_given_encoded_is_hidden_decoded() -> None:
    remember_secret("hunter%32%32")
    assert redacted("hunter22 and hunter%32%32") == "… and …"


def test_the_longer_secret_goes_first() -> None:
    remember_secret("secret", "secret-and-more")
    assert redacted("secret-and-more") == "…"


def test_half_characters_are_no_obstacle() -> None:
    remember_secret("\udcff\ud800 word")
    assert redacted("a \udcff\ud800 word") == "a …"


def test_what_is_too_short_to_be_a_secret_stays() -> None:
    """Hiding ``a`` everywhere would show where the password's letters are."""
    remember_secret("a", "", None)
    assert redacted("a banana") == "a banana"


def test_only_so_many_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redaction, "_MOST", 2)
    remember_secret("first-one", "second-one", "third-one")
    assert redacted("first-one second-one third-one") == "first-one … …"


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("WASMPACK_PASSWORD", "hunter22", "it is hunter22"),
        ("HTTPS_PROXY", "http://me:hunter22@proxy", "it is hunter22"),
        ("https_proxy", "me:hunter22@[", "it is hunter22"),
        ("ALL_PROXY", "socks5://hunter22@proxy", "it is hunter22"),
        ("HTTP_PROXY", "http://me:hunter22/hunter22@proxy", "it is hunter22"),
        ("HTTP_PROXY", "http://me:hunter22@hunter22@proxy", "it is hunter22"),
    ],
)
def test_secrets_of_the_environment(
    name: str, value: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert redacted(text) == "it is …"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at https://me:pw@h/x", "at https://h/x"),
        ("at http://me:p@ss@[bad", "at http://[bad"),
        ("url: /v2/x/blobs?sig=a&b=c (Caused", "url: /v2/x/blobs?… (Caused"),
        ("'https://h/x?token'", "'https://h/x?…'"),
        ("https://h/x#token", "https://h/x#…"),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer …"),
        ("Basic bWU6aHVudGVyMg==", "Basic …"),
        ("Basic credentials cannot be read", "Basic credentials cannot be read"),
        ("did you mean dir/what?.wasm", "did you mean dir/what?.wasm"),
        ("x:v1@sha256:abc is no such image", "x:v1@sha256:abc is no such image"),
    ],
)
def test_secrets_that_nobody_told_us(text: str, shown: str) -> None:
    assert redacted(text) == shown


@pytest.mark.parametrize("piece", ["://", "a@", "?a=", "/?", "Basic ", "'\"", "://a", "Bearer 1"])
def test_long_texts_take_one_pass(piece: str) -> None:
    assert redacted(piece * 200_000) is not None
