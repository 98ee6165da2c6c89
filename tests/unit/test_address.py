"""URLs that registries send us to."""

import pytest

from wasmpack.stores.registry.address import Address


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        ("https://R.example/x?y=z", ("https", "r.example", 443)),
        ("HTTP://r.example:8080", ("http", "r.example", 8080)),
        ("https://[2001:DB8::1]:5000/x", ("https", "[2001:db8::1]", 5000)),
        ("https://under_score.example./x", ("https", "under_score.example.", 443)),
        ("https://127.0.0.1:65535/", ("https", "127.0.0.1", 65535)),
        (f"https://{'a' * 63}.example/", ("https", f"{'a' * 63}.example", 443)),
    ],
)
def test_origins(text: str, origin: tuple[str, str, int]) -> None:
    assert Address.parse(text).origin == origin


INVALID = [
    "", "/v2/", "r.example/x", "http:/r.example", "http://", "https:///x", "ftp://r.example/",
    "http://[", "http://[::1", "http://[::1]x/", "http://[::zz]/", "http://[fe80::1%25lo]/",
    "https://h:99999/", "https://h:0/", "https://h:-1/", "https://h:/x", "http://h:\u0663/",
    "https://h:80:80/", "https://me@h/", "https://me:pw@h/", "https://@h/", "https://h\\@g/",
    "https://h\\.g/", "https://%68/", "https://\u00fc.example/", "https://a..b/", "https://.a/",
    f"https://{'a' * 64}/", f"https://{'a.' * 200}b/", "https://h\0/", "https://h\t/", "https://h/\n",
    "\x01https://h/", "https://h/" + "x" * 20_000, "javascript:1", "https://h g/",
]  # fmt: skip


@pytest.mark.parametrize("text", INVALID, ids=lambda t: repr(t)[:40])
def test_what_parsers_might_not_agree_on_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Address.parse(text)


@pytest.mark.parametrize(
    ("location", "found"),
    [
        ("/up?x=y", "https://r.example/up?x=y"),
        ("up", "https://r.example/v2/up"),
        ("//other.example/x", "https://other.example/x"),
        ("?n=2", "https://r.example/v2/list?n=2"),
        ("http://other.example/#part", "http://other.example/"),
        ("/x?_state=a%2Bb%3D&y=", "https://r.example/x?_state=a%2Bb%3D&y="),
    ],
)
def test_joined(location: str, found: str) -> None:
    assert Address.parse("https://r.example/v2/list").join(location).url == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("http://r.example/x?y", "https://r.example/x?y"),
        ("http://r.example:80/x", "https://r.example/x"),
        ("http://r.example:443/x", "https://r.example/x"),
        ("http://r.example:5000/x", "https://r.example:5000/x"),
        ("http://[::1]:5000/x", "https://[::1]:5000/x"),
    ],
)
def test_with_tls(text: str, found: str) -> None:
    assert Address.parse(text).with_tls().url == found
