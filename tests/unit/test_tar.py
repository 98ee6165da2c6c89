"""Tar files as Go's archive/tar reads them, entry by entry."""

from __future__ import annotations

import random
import tarfile
import tempfile

import pytest
from support.tar_cases import READ, REFUSED
from support.tars import END, file, good_tars, header, pax, pax_sparse, special

from wasmpack.errors import BadArtifact
from wasmpack.oci.budget import Budget
from wasmpack.oci.gunzip import UnreadableLayer
from wasmpack.oci.stream import SeekableFile, Stream
from wasmpack.oci.tar import TarReader
from wasmpack.oci.tar_header import decimal, number

P = b"plugin.wasm"


def read(data: bytes, budget: Budget | None = None) -> tuple[list[tuple[bytes, str, bytes]], str]:
    """Name, kind and content of every entry, and why there are no more."""
    reader = TarReader(Stream(iter([data])), budget or Budget())
    found = []
    try:
        for entry in reader:
            found.append((entry.name, entry.kind.decode(), b"".join(reader.content())))
    except UnreadableLayer as error:
        return found, error.reason
    return found, ""


@pytest.mark.parametrize("name", READ)
def test_what_is_read(name: str) -> None:
    data, expected = READ[name]
    assert read(data) == (expected, "")


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_in_the_words_of_go(name: str) -> None:
    data, reason = REFUSED[name]
    assert read(data)[1] == reason


def test_content_is_passed_over_or_read() -> None:
    reader = TarReader(Stream(iter([file(b"a", b"x" * 600) + file(b"b", b"y") + END])), Budget())
    assert [entry.name for entry in reader] == [b"a", b"b"]


def test_pieces_of_any_size() -> None:
    data = pax(path=b"p" * 600) + file(P, b"x" * 600) + END
    for size in (1, 7, 511, 513):
        pieces = (data[at : at + size] for at in range(0, len(data), size))
        assert [entry.size for entry in TarReader(Stream(pieces), Budget())] == [600]


def test_files_are_where_the_reader_says() -> None:
    for data, files in good_tars(random.Random(7)):
        with tempfile.TemporaryFile() as archive:
            archive.write(data)
            archive.seek(0)
            found = [
                (entry.name.decode(), data[entry.data : entry.end])
                for entry in TarReader(SeekableFile(archive), Budget())
            ]
        assert found == files


def test_sizes_over_eight_gigabytes() -> None:
    for form in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT):
        info = tarfile.TarInfo("plugin.wasm")
        info.size = 10 << 30
        reader = TarReader(Stream(iter([info.tobuf(form)])), Budget())
        assert next(iter(reader)).size == 10 << 30


def test_a_file_that_claims_more_than_there_is_is_not_read() -> None:
    with tempfile.TemporaryFile() as archive:
        archive.write(header(P, b"\x80" + bytes(3) + b"\x7f" + b"\xff" * 7) + END)
        archive.seek(0)
        with pytest.raises(UnreadableLayer, match="unexpected EOF"):
            list(TarReader(SeekableFile(archive), Budget()))


MANY = {
    "entries": file(b"x") * 200,
    "long names": special(b"L", b"a") * 200,
    "records": special(b"x", b"6 a=b\n" * 800),
    "parts of a sparse file": pax_sparse(P, "x", [b"0", b"0"] * 800, 0, b""),
}


@pytest.mark.parametrize("name", MANY)
def test_the_budget_ends_it(name: str) -> None:
    assert read(MANY[name] + END)[1] == ""
    with pytest.raises(BadArtifact, match="more than 100 entries"):
        read(MANY[name] + END, Budget(entries=100))


@pytest.mark.parametrize(
    ("field", "value"),
    [(b"0000644\0", 0o644), (b"  12 \0\0\0", 0o12), (b"\0\0\0\0", 0), (b"\x80\0\0\x10", 16),
     (b"\xff\xff\xff\xfe", -2), (b"\xbf\xff\xff\xff", (1 << 30) - 1)],
)  # fmt: skip
def test_numbers(field: bytes, value: int) -> None:
    assert number(field) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [(b"007", 7), (b"+7", 7), (b"-7", -7), (b"9223372036854775807", (1 << 63) - 1), (b"", None),
     (b"-9223372036854775808", -(1 << 63)), (b"9223372036854775808", None), (b"1_0", None),
     (b" 1", None), (b"0" * 99 + b"9", 9), (b"9" * 99, None)],
)  # fmt: skip
def test_decimals(text: bytes, value: int | None) -> None:
    assert decimal(text) == value
