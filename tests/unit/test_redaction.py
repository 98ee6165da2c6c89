"""No secret of this run in any form, and no signed address, in what is shown."""

import base64
from collections import deque
from collections.abc import Iterator
from urllib.parse import quote

import pytest
import requests

from wasmpack import redaction
from wasmpack.errors import WasmpackError
from wasmpack.findings import Rule, Severity, judge_alone
from wasmpack.redaction import (
    bounded,
    redacted,
    remember_query,
    remember_secret,
    remember_token,
    shown,
    shown_url,
)

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
def few_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    for ring in ("_tokens", "_queries"):
        monkeypatch.setattr(redaction, ring, deque(maxlen=2))


@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_hidden_in_every_form(form: str) -> None:
    remember_secret(SECRET)
    assert redacted(f"before {FORMS[form]} after") == "before … after"


def test_a_secret_that_is_given_encoded_is_hidden_decoded() -> None:
    remember_secret("hunter%32%32")
    assert redacted("hunter22 and hunter%32%32") == "… and …"


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_login_is_hidden_in_a_url_that_was_taken_for_a_path(scheme: str) -> None:
    assert redacted(f"{scheme}:/me:pw@r.io/x: no such file") == f"{scheme}:/r.io/x: no such file"
    assert redacted("oci:/tmp/x@sha256:1") == "oci:/tmp/x@sha256:1"


def test_the_longer_secret_goes_first() -> None:
    remember_secret("secret", "secret-and-more")
    assert redacted("secret-and-more") == "…"


@pytest.mark.parametrize("words", ["secret-one", "one-and-two"], ids=["before", "behind"])
def test_of_secrets_that_overlap_nothing_is_shown(words: str) -> None:
    remember_secret("secret-one", "one-and-two", words)
    assert redacted("a secret-one-and-two b") == "a … b"


@pytest.mark.stress
def test_the_work_does_not_grow_with_the_number_of_secrets(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Every login is written out once, however many texts are redacted after it."""
    written: list[str] = []

    def note(secret: str) -> Iterator[str]:
        written.append(secret)
        yield secret

    monkeypatch.setattr(redaction, "_written", note)
    for number in range(2000):
        remember_secret(f"password-{number:04}")
        assert redacted(f"it is password-{number:04}") == "it is …"
    assert len(written) == 2000


def test_half_characters_are_no_obstacle() -> None:
    remember_secret("\udcff\ud800 word")
    assert redacted("a \udcff\ud800 word") == "a …"


def test_what_is_too_short_to_be_a_secret_stays() -> None:
    """Hiding ``a`` everywhere would show where the password's letters are."""
    remember_secret("a", "", None)
    assert redacted("a banana") == "a banana"


def test_only_so_many_tokens_are_remembered() -> None:
    for token in ("first-one", "second-one", "third-one"):
        remember_token(token)
    assert redacted("first-one second-one third-one") == "first-one … …"


def test_no_flood_of_tokens_or_queries_makes_a_password_known() -> None:
    remember_secret("hunter22")
    for number in range(2000):
        remember_token(f"token-{number}")
        remember_query(f"https://h/x?sig={number}")
    assert redacted("it is hunter22") == "it is …"


def test_queries_push_no_tokens_out() -> None:
    remember_token("token-of-now")
    for number in range(2000):
        remember_query(f"https://h/x?sig={number}")
    assert redacted("it is token-of-now") == "it is …"


@pytest.mark.parametrize("most", range(1, 30))
def test_a_text_is_cut_after_it_is_redacted(most: int) -> None:
    remember_secret("hunter2hunter2")
    text = shown("it was hunter2hunter2 that was sent", most)
    assert "h" not in text[: most + 1].removeprefix("it was … th")
    assert len(text) <= most + 1


QUERIES = [
    "X-Sig=SIG", "SIG", "s=a(SIG)b", "s=a'SIG", 's=a"SIG', "s=a<SIG", "a;SIG", "a?SIG", "s=a SIG",
    "s=a\xa0SIG", "s=%0aSIG", "s=a>SIG", "a=b#SIG", "(SIG", "'SIG'",
]  # fmt: skip


@pytest.mark.parametrize("query", QUERIES)
@pytest.mark.parametrize(
    "place", ["https://me:pw@h/x", "ftp://h/x", "/v2/x", "http://a b/x", "//[/x"]
)
def test_of_a_url_from_outside_no_query_is_shown(place: str, query: str) -> None:
    text = shown_url(f"{place}?{query}", 200)
    assert "SIG" not in text
    assert "pw" not in text
    assert text.endswith("/x?…")


@pytest.mark.parametrize("place", ["https://h/x", "/v2/x", "//[/x"])
def test_of_a_url_from_outside_no_parameter_is_shown(place: str) -> None:
    assert shown_url(f"{place};sig=SIG/y;SIG", 200) == f"{place};…/y;…"
    remember_query(f"{place};SIGN-ED/y")
    assert redacted("at /x;SIGN-ED/y") == "at /x;…/y"


@pytest.mark.parametrize("query", [query for query in QUERIES if "#" not in query])
def test_a_query_that_was_followed_is_hidden_wherever_it_turns_up(query: str) -> None:
    query = query.replace("SIG", "signature")
    remember_query(f"/v2/x?{query}")
    written = [query, repr(query)[1:-1], requests.utils.requote_uri(query)]
    for text in written:
        assert "signature" not in redacted(f"no answer at /v2/x?{text} today")


def test_a_login_of_a_proxy_is_hidden_in_the_encoding_of_http_libraries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://me:p4ssw%C3%B6rd@proxy")
    for encoding in ("latin-1", "utf-8"):
        pair = base64.b64encode("me:p4sswörd".encode(encoding)).decode()
        assert redacted(f"sent {pair.rstrip('=')}") == "sent …"
    assert redacted("sent " + "p4sswörd".encode().decode("latin-1")) == "sent …"


def test_an_error_and_a_finding_hold_no_secret() -> None:
    remember_secret("hunter2hunter2")
    error = WasmpackError("sent hunter2hunter2", hint="not hunter2hunter2")
    assert (error.message, error.hint, str(error)) == ("sent …", "not …", "sent …")
    rule = Rule(code="XYZ001", title="t", severity=Severity.ERROR, fix="f")
    problem = rule.problem("at hunter2hunter2", "x" * 3990 + "hunter2hunter2", "hunter2hunter2")
    report = judge_alone("x", "module", [problem])
    assert "hunter2" not in repr(report)


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("WASMPACK_PASSWORD", "hunter22", "it is hunter22"),
        ("HTTPS_PROXY", "http://me:hunter22@proxy", "it is hunter22"),
        ("https_proxy", "me:hunter22@[", "it is hunter22"),
        ("ALL_PROXY", "socks5://hunter22@proxy", "it is hunter22"),
        ("Https_Proxy", "http://me:hunter22@proxy", "it is hunter22"),
        ("hTTP_pROXY", "http://me:hunter22@proxy", "it is hunter22"),
        ("ftp_proxy", "http://me:hunter22@proxy", "it is hunter22"),
        ("HTTP_PROXY", "http://me:hunter22/hunter22@proxy", "it is hunter22"),
        ("HTTP_PROXY", "http://me:hunter22@hunter22@proxy", "it is hunter22"),
        ("HTTPS_PROXY", "http://me:hunter22", "it is hunter22"),
        ("HTTPS_PROXY", "me:hunter22", "it is hunter22"),
        ("HTTPS_PROXY", "http://me:hunter22/", "it is hunter22/"),
        ("HTTPS_PROXY", "http://me:hunter22:3128", "it is hunter22:3128"),
        ("HTTPS_PROXY", "http://me:pw", "it is me:pw"),
    ],
)
def test_secrets_of_the_environment(
    name: str, value: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    assert redacted(text) == "it is …"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HTTPS_PROXY", "http://proxy.example:3128"),
        ("HTTPS_PROXY", "http://proxy.example:3128/"),
        ("HTTPS_PROXY", "proxy.example"),
        ("HTTPS_PROXY", "http://[2001:db8::1]:3128"),
        ("NO_PROXY", "localhost,127.0.0.1:8080,::1,proxy.example:3128"),
        ("ISTIO_PROXY", "docker.io/istio/proxyv2:3128"),
    ],
)
def test_the_address_of_a_proxy_is_no_secret(
    name: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(name, value)
    text = "proxy.example:3128 or [2001:db8::1]:3128 or 127.0.0.1:8080"
    assert redacted(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at https://me:pw@h/x", "at https://h/x"),
        ("at https://h/x;sig=abc/y;token?a=b", "at https://h/x;…/y;…?…"),
        ("at https://h/x;sig=abc.", "at https://h/x;…."),
        ("url: '/v2/x;sig=abc' (Caused", "url: '/v2/x;…' (Caused"),
        ("application/json;charset=utf-8", "application/json;charset=utf-8"),
        ("see https://h/x; then go on", "see https://h/x; then go on"),
        ("the file ./a;b.wasm", "the file ./a;b.wasm"),
        ("at http://me:p@ss@[bad", "at http://[bad"),
        ("url: /v2/x/blobs?sig=a&b=c (Caused", "url: /v2/x/blobs?… (Caused"),
        ("'https://h/x?token'", "'https://h/x?…'"),
        ("https://h/x#token", "https://h/x#…"),
        ("https://h/x?s=a(token)b", "https://h/x?…"),
        ("(at https://h/x?token'a\"b<c>).", "(at https://h/x?…>)."),
        ("a 'https://h/x', a \"https://h/y\"", "a 'https://h/x', a \"https://h/y\""),
        ("Authorization: Bearer abc.def-123", "Authorization: Bearer …"),
        ("Basic bWU6aHVudGVyMg==", "Basic …"),
        ("Basic credentials cannot be read", "Basic credentials cannot be read"),
        ("did you mean dir/what?.wasm", "did you mean dir/what?.wasm"),
        ("x:v1@sha256:abc is no such image", "x:v1@sha256:abc is no such image"),
    ],
)
def test_secrets_that_nobody_told_us(text: str, shown: str) -> None:
    assert redacted(text) == shown


@pytest.mark.stress
@pytest.mark.parametrize("piece", ["://", "a@", "?a=", "/?", "Basic ", "'\"", "://a", "Bearer 1"])
def test_long_texts_take_one_pass(piece: str) -> None:
    assert redacted(piece * 200_000) is not None


@pytest.mark.stress
def test_a_text_that_is_cut_ends_with_no_half_of_a_secret() -> None:
    """What is hidden makes it short enough, so that its end is shown."""
    remember_secret("x" * 3000, "hunter2hunter2")
    text = f"{'x' * 6000} {'a' * 1984} hunter2hunter2 {'b' * 100}"
    assert text[:8000].endswith("hunter2hunter2")
    for more in range(14):
        assert "hunt" not in bounded(f"{'c' * more} {text}")
