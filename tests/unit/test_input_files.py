"""Files that the user names to be read: bounded, and no pipe is waited for without end."""

import contextlib
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from wasmpack.errors import BadArtifact, NotFound, WasmpackError, WrongUsage
from wasmpack.files import inputs as input_files
from wasmpack.files.inputs import is_pipe, read_named, read_standard_input

LIMIT = 1 << 24
LARGE = b"0123456789abcdef" * (1 << 16)
"""A megabyte: more than a pipe holds."""


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_files, "WRITER_SECONDS", 0.1)


@pytest.mark.parametrize("data", [b"", b"x", LARGE], ids=["empty", "one byte", "large"])
def test_a_file(data: bytes) -> None:
    Path("f").write_bytes(data)
    Path("l").symlink_to("f")
    assert read_named(Path("f"), LIMIT) == data
    assert read_named(Path("l"), LIMIT) == data
    assert not is_pipe(Path("l"))


@pytest.mark.parametrize(("size", "fits"), [(9, True), (10, True), (11, False), (1 << 21, False)])
def test_the_limit(size: int, fits: bool) -> None:
    Path("f").write_bytes(b"x" * size)
    if fits:
        assert len(read_named(Path("f"), 10)) == size
        return
    with pytest.raises(BadArtifact, match="f: more than 10 bytes"):
        read_named(Path("f"), 10)


@pytest.mark.parametrize("more", [5, 1 << 21], ids=["within the limit", "beyond it"])
def test_a_file_that_grows_while_it_is_read(more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("f").write_bytes(b"x")
    real, grown = os.read, []

    def read(handle: int, size: int) -> bytes:
        data = real(handle, size)
        if not grown:
            grown.append(True)
            with Path("f").open("ab") as file:
                file.write(b"y" * more)
        return data

    monkeypatch.setattr(os, "read", read)
    if more == 5:
        assert read_named(Path("f"), 1 << 20) == b"xyyyyy"
        return
    with pytest.raises(BadArtifact, match="more than"):
        read_named(Path("f"), 1 << 20)


def test_a_file_that_shrinks_while_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("f").write_bytes(LARGE)
    real = os.fstat

    def fstat(handle: int) -> os.stat_result:
        found = real(handle)
        os.truncate("f", 3)
        return found

    monkeypatch.setattr(os, "fstat", fstat)
    assert read_named(Path("f"), LIMIT) == LARGE[:3]


@pytest.mark.parametrize("path", ["/proc/self/status", "/proc/kmsg"])
def test_a_file_of_the_kernel_is_refused(path: str) -> None:
    """They say 0 bytes, and some of them wait, or have no end."""
    with pytest.raises(BadArtifact, match="a kernel file"):
        read_named(Path(path), LIMIT)


@contextlib.contextmanager
def writing(path: str, *steps: bytes | float) -> Iterator[None]:
    """Open a pipe for writing, then write it in a thread: bytes, and pauses in seconds."""
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # or opening would wait for one
    handle = os.open(path, os.O_WRONLY)

    def write() -> None:
        with os.fdopen(handle, "wb", buffering=0) as file:
            for step in steps:
                if isinstance(step, bytes):
                    file.write(step)
                else:
                    time.sleep(step)

    thread = threading.Thread(target=write)
    thread.start()
    yield
    thread.join(60)
    os.close(reader)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "steps",
    [(b"x",), (LARGE,), (b"a", 0.4, b"b"), (0.4, b"late"), (0.4,)],
    ids=["small", "large", "with a pause", "silent at first", "silent to the end"],
)
def test_a_pipe_with_a_writer(steps: tuple[bytes | float, ...]) -> None:
    """However long it is silent: the bound is for the time without a writer."""
    os.mkfifo("p")
    assert is_pipe(Path("p"))
    with writing("p", *steps):
        assert read_named(Path("p"), LIMIT) == b"".join(s for s in steps if isinstance(s, bytes))


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("name", ["p", "l"])
def test_a_pipe_without_a_writer(name: str) -> None:
    os.mkfifo("p")
    Path("l").symlink_to("p")
    with pytest.raises(WasmpackError, match=f"^{name}: no process writes this pipe"):
        read_named(Path(name), LIMIT)


def test_a_pipe_whose_writer_comes_later() -> None:
    os.mkfifo("p")
    later = threading.Timer(0.3, lambda: Path("p").write_bytes(b"here"))
    later.start()
    assert read_named(Path("p"), LIMIT) == b"here"
    later.join(60)


def test_a_pipe_without_end() -> None:
    os.mkfifo("p")
    process = subprocess.Popen(["sh", "-c", "exec cat /dev/zero > p"], stderr=subprocess.DEVNULL)
    with pytest.raises(BadArtifact, match="p: more than"):
        read_named(Path("p"), 1 << 20)
    assert process.wait(60) != 0


def open_pipe(data: bytes) -> int:
    read, write = os.pipe()
    threading.Thread(target=lambda: (os.write(write, data), os.close(write))).start()
    return read


def open_socket(data: bytes) -> int:
    ours, theirs = socket.socketpair()
    theirs.sendall(data)
    theirs.close()
    return ours.detach()


def open_file(data: bytes) -> int:
    Path("f").write_bytes(data)
    return os.open("f", os.O_RDONLY)


def open_pipe_that_does_not_block(data: bytes) -> int:
    read, write = os.pipe()
    os.set_blocking(read, False)
    threading.Timer(0.2, lambda: (os.write(write, data), os.close(write))).start()
    return read


def open_pipe_that_ended(data: bytes) -> int:
    read, write = os.pipe()
    os.write(write, data)
    os.close(write)
    return read


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("data", [b"here", b""], ids=["bytes", "empty"])
@pytest.mark.parametrize(
    "make",
    [open_pipe, open_socket, open_file, open_pipe_that_does_not_block, open_pipe_that_ended],
    ids=lambda make: make.__name__,
)
def test_an_open_file(make: Callable[[bytes], int], data: bytes) -> None:
    """As ``<(command)`` and ``/dev/stdin`` are."""
    handle = make(data)
    os.set_inheritable(handle, True)
    assert read_named(Path(f"/dev/fd/{handle}"), LIMIT) == data
    os.close(handle)


def a_directory() -> str:
    Path("d").mkdir()
    return "d"


def a_device() -> str:
    return "/dev/zero"


def a_link_to_a_device() -> str:
    Path("l").symlink_to("/dev/urandom")
    return "l"


def an_open_device() -> str:
    handle = os.open("/dev/zero", os.O_RDONLY)
    os.set_inheritable(handle, True)
    return f"/dev/fd/{handle}"


def an_open_directory() -> str:
    handle = os.open(".", os.O_RDONLY)
    os.set_inheritable(handle, True)
    return f"/dev/fd/{handle}"


def a_name_of_256_characters() -> str:
    return "a" * 256


def a_loop() -> str:
    Path("l").symlink_to("l")
    return "l"


def a_file_as_directory() -> str:
    Path("f").touch()
    return "f/x"


def a_name_with_nul() -> str:
    return "a\0b"


@pytest.mark.parametrize(
    "make",
    [
        a_directory, a_device, a_link_to_a_device, an_open_device, an_open_directory,
        a_name_of_256_characters, a_loop, a_file_as_directory, a_name_with_nul,
    ],
    ids=lambda make: make.__name__,
)  # fmt: skip
def test_what_is_not_read(make: Callable[[], str]) -> None:
    name = make()
    with pytest.raises(WrongUsage) as refused:
        read_named(Path(name), LIMIT)
    assert refused.value.message.startswith(f"{name}: ")


@pytest.mark.parametrize("name", ["none", "no/file", "dangling"])
def test_what_is_not_there(name: str) -> None:
    Path("dangling").symlink_to("none")
    with pytest.raises(NotFound, match=f"^{name}: no such file$"):
        read_named(Path(name), LIMIT)


def test_a_socket_with_a_name() -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
        with pytest.raises(WasmpackError, match="s: No such device"):
            read_named(Path("s"), LIMIT)


def test_dev_null_is_empty() -> None:
    assert read_named(Path("/dev/null"), LIMIT) == b""


@pytest.fixture
def stdin(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    handles: list[int] = []

    def replace(handle: int) -> None:
        handles.append(handle)
        monkeypatch.setattr(sys, "stdin", os.fdopen(handle, closefd=False))

    yield replace
    for handle in handles:
        os.close(handle)


@pytest.mark.parametrize("make", [open_pipe, open_file, open_pipe_that_does_not_block])
def test_standard_input(make: Callable[[bytes], int], stdin: Callable[[int], None]) -> None:
    stdin(make(b"here"))
    assert read_standard_input(LIMIT) == b"here"


def test_standard_input_is_bounded(stdin: Callable[[int], None]) -> None:
    stdin(open_file(b"x" * 11))
    with pytest.raises(BadArtifact, match="standard input: more than 10 bytes"):
        read_standard_input(10)


def test_standard_input_that_is_a_device(stdin: Callable[[int], None]) -> None:
    stdin(os.open("/dev/zero", os.O_RDONLY))
    with pytest.raises(WrongUsage, match="standard input: a device"):
        read_standard_input(LIMIT)


def test_standard_input_that_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(NotFound, match="standard input is closed"):
        read_standard_input(LIMIT)
