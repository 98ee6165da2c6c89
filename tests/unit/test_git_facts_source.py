"""What of a remote's URL is published: no credentials, no control characters, or nothing."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wasmpack.git.facts import source_url

P = "https://example.com/me/p.git"

PUBLISHED = [
    ("https://example.com/me/p.git", P),
    ("https://user:token@example.com/me/p.git", P),
    ("https://token@example.com/me/p.git", P),
    ("https://:token@example.com/me/p.git", P),
    ("https://@example.com/me/p.git", P),
    ("https://user%40corp:to%2Fken@example.com/me/p.git", P),
    ("https://us$er!:t&o'(k)*+,;=n@example.com/me/p.git", P),
    ("HTTPS://Example.COM/me/p.git", P),
    ("http://user:token@example.com/me/p.git", "http://example.com/me/p.git"),
    ("https://example.com:8443/me/p?token=x#y", "https://example.com:8443/me/p"),
    ("https://example.com/me/p#https://other/", "https://example.com/me/p"),
    ("http://example.com:00080/p", "http://example.com:80/p"),
    ("https://example.com/me/p/", "https://example.com/me/p/"),
    ("https://192.0.2.1:3000/p", "https://192.0.2.1:3000/p"),
    ("https://[2001:DB8::1]:3000/p", "https://[2001:db8::1]:3000/p"),
    ("https://localhost/p", "https://localhost/p"),
    ("https://xn--bcher-kva.example/p", "https://xn--bcher-kva.example/p"),
    ("https://dev.azure.com/me/My%20Project/_git/p", "https://dev.azure.com/me/My%20Project/_git/p"),
    ("https://example.com/gr%C3%BCn/~me/a+b_c-d.e", "https://example.com/gr%C3%BCn/~me/a+b_c-d.e"),
    ("git://example.com/me/p.git", P),
    ("git://example.com:9418/me/p.git", P),
    ("ssh://git@example.com:2222/me/p.git", P),
    ("ssh://example.com/me/p.git", P),
    ("git@example.com:me/p.git", P),
    ("git@example.com:/me/p.git", P),
    ("token@example.com:me/p.git", P),
    ("us%40er@example.com:me/p.git", P),
    ("example.com:me/p.git", P),
    ("git@intranet:me/p.git", "https://intranet/me/p.git"),
    ("git@[2001:db8::1]:me/p.git", "https://[2001:db8::1]/me/p.git"),
    ("git@ssh.dev.azure.com:v3/me/p", "https://ssh.dev.azure.com/v3/me/p"),
]  # fmt: skip


@pytest.mark.parametrize(("remote", "source"), PUBLISHED, ids=[form for form, _ in PUBLISHED])
def test_published(remote: str, source: str) -> None:
    assert source_url(remote) == source


NOTHING = {
    "empty": "",
    "absolute path": "/srv/git/p.git",
    "relative path": "../p.git",
    "path with a colon": "./a:b/p.git",
    "file": "file:///srv/p.git",
    "file, one slash": "file:/srv/p.git",
    "drive": "C:/Users/me/p.git",
    "drive, backslashes": "C:\\Users\\me\\p.git",
    "share": "\\\\server\\share\\p.git",
    "bundle": "p.bundle",
    "ssh alias": "work:me/p.git",
    "insteadOf": "gh:me/p.git",
    "insteadOf, slashes": "gh://user:secret@me/p.git",
    "git+ssh": "git+ssh://git:secret@example.com/p.git",
    "ssh+git": "ssh+git://git:secret@example.com/p.git",
    "git+https": "git+https://u:secret@example.com/p.git",
    "ftp": "ftp://user:secret@example.com/p.git",
    "ext": "ext::sh -c secret% %S p",
    "helper": "https::https://u:secret@example.com/p.git",
    "helper, scp": "u::secret@example.com:p.git",
    "fd": "fd::17",
    "scp with a password": "user:secret@example.com:me/p.git",
    "scp with two users": "a@secret@example.com:me/p.git",
    "scp with user in the path": "example.com:secret@other/p.git",
    "scp with a url": "git@example.com:https://u:secret@other/p.git",
    "scp with a query": "git@example.com:p.git?token=secret@x",
    "one slash": "https:/user:secret@example.com/p.git",
    "one slash, token": "https:/secret/example.com/p.git",
    "no slash": "https:user:secret@example.com/p.git",
    "three slashes": "https:///user:secret@example.com/p.git",
    "no scheme": "//user:secret@example.com/p.git",
    "only a colon": "://user:secret@example.com/p.git",
    "scheme misspelt": "htps://user:secret@example.com/p.git",
    "scheme twice": "https://https://user:secret@example.com/p.git",
    "scheme and scp": "https://git@example.com:me/p.git",
    "two users": "https://secret@example.com@evil.example/p.git",
    "at in the password": "https://user:sec@ret@example.com/p.git",
    "slash in the password": "https://user:sec/ret@example.com/p.git",
    "slash in a numeric password": "https://user:123/4@example.com/p.git",
    "slash in a token": "https://sec/ret@example.com/p.git",
    "query in the password": "https://user:123?secret@example.com/p.git",
    "query in a token": "https://secret?@example.com/p.git",
    "fragment in the password": "https://user:123#secret@example.com/p.git",
    "fragment, then path": "https://user:123/x#secret@example.com/p.git",
    "query with a user": "https://example.com/p?u=a:secret@other",
    "backslash in the password": "https://user:sec\\ret@example.com/p.git",
    "backslash before the host": "https://user:secret\\@example.com/p.git",
    "backslashes": "https:\\\\user:secret@example.com\\p.git",
    "encoded at": "https://user:secret%40example.com/p.git",
    "encoded at in the path": "https://example.com/u:secret%40other/p.git",
    "encoded url in the path": "https://proxy.example/https%3A%2F%2Fu%3Asecret%40h%2Fp",
    "url in the path": "https://proxy.example/https://u:secret@example.com/p.git",
    "user in the path": "https://proxy.example/secret@example.com/p.git",
    "encoded control character": "https://example.com/p%0a.git",
    "encoded nul": "https://example.com/p%00.git",
    "lone percent": "https://example.com/p%zz.git",
    "matrix parameter": "https://example.com/p;token=secret",
    "assignment in the path": "https://example.com/token=secret/p.git",
    "space in the password": "https://user:sec ret@example.com/p.git",
    "space in front": " https://example.com/p.git",
    "space behind": "https://example.com/p.git ",
    "space in the path": "https://example.com/my p.git",
    "newline behind": "https://example.com/p.git\n",
    "newline in the path": "https://example.com/p\nAuthorization: secret",
    "newline in the query": "https://example.com/p?a\nb",
    "tab in the scheme": "ht\ttps://user:secret@example.com/p",
    "carriage return": "https://example.com/p\r",
    "escape": "https://example.com/\x1b[31mp",
    "nul": "https://example.com/p\x00.git",
    "del": "https://example.com/p\x7f",
    "c1": "https://example.com/p\x9b31m",
    "bidi": "https://example.com/\u202egit.p",
    "line separator": "https://example.com/p\u2028",
    "umlaut": "https://example.com/grün",
    "fullwidth at": "https://user:secret\uff20example.com/p.git",
    "fullwidth digits": "https://example.com:\uff18\uff10/p",
    "kelvin sign": "https://example.com/\u212a",
    "dotless i": "http\u017f://example.com/p",
    "surrogate": "https://example.com/\udcff",
    "no path": "https://example.com",
    "no path, slash": "https://example.com/",
    "no host": "https:///p.git",
    "no host, port": "https://:443/p.git",
    "empty segment": "https://example.com//p.git",
    "dot segment": "https://example.com/./p.git",
    "parent segment": "https://example.com/../p.git",
    "parent segment behind": "https://example.com/p/..",
    "port zero": "https://example.com:0/p",
    "port too high": "https://example.com:65536/p",
    "port too long": "https://example.com:000443/p",
    "port not a number": "https://example.com:https/p",
    "empty port": "https://example.com:/p",
    "port of ssh out of range": "ssh://git@example.com:99999/p",
    "underscore in the host": "https://my_host.example/p",
    "hyphen in front": "https://-host.example/p",
    "hyphen behind": "https://host-.example/p",
    "dot in front": "https://.example.com/p",
    "dot behind": "https://example.com./p",
    "two dots": "https://example..com/p",
    "label too long": f"https://{'a' * 64}.example/p",
    "host too long": f"https://{'a.' * 127}example/p",
    "ipv4 out of range": "https://192.0.2.256/p",
    "ipv4 too short": "https://192.2/p",
    "ipv4 as one number": "https://3221225985/p",
    "ipv4 in brackets": "https://[192.0.2.1]/p",
    "ipv6 without brackets": "https://2001:db8::1/p",
    "ipv6 zone": "https://[fe80::1%25eth0]/p",
    "ipv6 zone, raw": "https://[fe80::1%eth0]/p",
    "ipv6 broken": "https://[2001:db8:::1]/p",
    "ipv future": "https://[v1.x]/p",
    "option for ssh": "ssh://-oProxyCommand=secret/p",
    "option for ssh, scp": "-oProxyCommand=secret:p",
    "much too long": f"https://example.com/{'a' * 3000}",
    "endless dots": f"https://example.com/{'../' * 600}",
}  # fmt: skip


@pytest.mark.parametrize("remote", NOTHING.values(), ids=NOTHING)
def test_not_published(remote: str) -> None:
    assert source_url(remote) == ""


HARMLESS = re.compile(
    r"https?://(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[1-9][0-9]{0,4})?"
    r"(?:/(?:[A-Za-z0-9._~+-]|%[2-9A-Fa-f][0-9A-Fa-f])+)+/?"
)
SECRET = "S3cr3t"
MARKS = st.text("@:/\\?#%&=+ \t\r\n\x00\x1b[]." + "aZ9", max_size=3)
NEAR_URLS = st.lists(
    st.sampled_from(
        ["https", "http", "ssh", "git", "ext", "git+ssh", ":", "/", "//", "://", "@", "%40", "%3A",
         "example.com", "git@example.com:", "https://", "me", "p.git", "..", "?", "#", "\\", " ",
         "\n", "\x1b", "\u202e", "[", "]", "::1", "443", "ü", "%0a", "%00", SECRET]
    ),
    max_size=12,
).map("".join)  # fmt: skip


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(st.one_of(NEAR_URLS, st.text(max_size=60)))
def test_whatever_is_published_is_harmless(remote: str) -> None:
    published = source_url(remote)
    assert not published or HARMLESS.fullmatch(published)
    assert "%40" not in published
    assert published.isascii()


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(
    scheme=st.sampled_from(["https://", "http://", "ssh://", "git://", "https:/", "https:", "//",
                            "", "git+ssh://", "ext::", "https://https://", "HTTPS://", "h://"]),
    before=MARKS, after=MARKS,
    separator=st.sampled_from(["@", "@@", "\\@", "/@", "?@", "#@", "%40", ":@", " @", "@a@"]),
    host=st.sampled_from(["example.com", "example.com:443", "example.com:", "[::1]", "EVIL", ""]),
    path=st.sampled_from(["/p.git", ":p.git", "/p?q", "/p#f", "", "/", "//p"]),
)  # fmt: skip
def test_what_is_before_the_at_is_never_published(
    scheme: str, before: str, after: str, separator: str, host: str, path: str
) -> None:
    remote = f"{scheme}{before}{SECRET}{after}{separator}{host}{path}"
    assert SECRET.lower() not in source_url(remote).lower()


@pytest.mark.stress
@settings(deadline=None)
@given(mark=st.sampled_from("?#"), before=MARKS, after=MARKS)
def test_query_and_fragment_are_never_published(mark: str, before: str, after: str) -> None:
    remote = f"https://example.com/p{mark}{before}{SECRET}{after}"
    assert source_url(remote) in {"", "https://example.com/p"}


@pytest.mark.stress
@settings(deadline=None)
@given(source=NEAR_URLS.map(source_url))
def test_what_was_published_stays_as_it_is(source: str) -> None:
    assert source_url(source) == source
