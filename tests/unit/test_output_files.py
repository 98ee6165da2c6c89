"""Files that the user names for a result, as a shell's ``>`` would write them."""

import contextlib
import errno
import os
import socket
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.devices import FULL, NULL, ZERO, device, missing

from wasmpack.errors import NotFound, WasmpackError, WrongUsage
from wasmpack.files.outputs import (
    check_named,
    is_stdout,
    named_output,
    update_named,
    write_named,
)

LARGE = [b"0123456789abcdef" * 4096] * 32
"""More than a pipe holds (pipe(7): 64 KiB)."""


def quiet(_text: str) -> None:
    """Nobody listens."""


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def umask() -> Iterator[None]:
    before = os.umask(0o027)
    yield
    os.umask(before)


def mode(path: Path | str) -> int:
    return stat.S_IMODE(Path(path).stat().st_mode)


def names() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


@pytest.mark.usefixtures("umask")
@pytest.mark.parametrize(
    ("private", "before", "after"),
    [
        (False, None, 0o640), (False, 0o604, 0o604), (False, 0o755, 0o755), (False, 0o4755, 0o755),
        (True, None, 0o600), (True, 0o644, 0o600), (True, 0o400, 0o400), (True, 0o600, 0o600),
    ],
)  # fmt: skip
def test_modes(private: bool, before: int | None, after: int) -> None:
    if before is not None:
        Path("f").touch()
        Path("f").chmod(before)
    with named_output(Path("f"), quiet, private=private) as file:
        file.write(b"x")
    assert oct(mode("f")) == oct(after)
    assert names() == ["f"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give a file away")
def test_the_owner_stays() -> None:
    Path("f").touch()
    os.chown("f", 12345, 23456)
    Path("f").chmod(0o640)
    write_named(Path("f"), [b"x"], quiet)
    found = Path("f").stat()
    assert (found.st_uid, found.st_gid, mode("f")) == (12345, 23456, 0o640)


@pytest.mark.parametrize("target", ["f", "d/f", "d/new"])
@pytest.mark.parametrize("links", [1, 2, 3])
def test_the_target_of_a_link_is_replaced_whole(target: str, links: int) -> None:
    Path("d").mkdir()
    for name in ("f", "d/f"):
        Path(name).write_text("old")
    last = target
    for number in range(links):
        Path(f"l{number}").symlink_to(last)
        last = f"l{number}"
    before = Path(target).stat().st_ino if Path(target).exists() else None
    told: list[str] = []
    write_named(Path(last), [b"new"], told.append)
    assert Path(target).read_bytes() == b"new"
    assert Path(target).stat().st_ino != before, "another file, renamed"
    assert all(Path(f"l{number}").is_symlink() for number in range(links))
    assert not list(Path().rglob(".wasmpack-tmp-*"))
    assert told == ([] if target == "f" else [f"{last} is a link: written to {target!r}"])


def test_a_failure_leaves_the_target_as_it_was() -> None:
    Path("f").write_text("old")
    Path("l").symlink_to("f")

    def pieces() -> Iterator[bytes]:
        yield b"new"
        raise WasmpackError("no more")

    with pytest.raises(WasmpackError, match="no more"):
        write_named(Path("l"), pieces(), quiet)
    assert Path("f").read_text() == "old"
    assert names() == ["f", "l"]


def refusing(monkeypatch: pytest.MonkeyPatch, call: str, number: int) -> None:
    """Let one system call fail, as a directory would that forbids it."""
    real = getattr(os, call)

    def fail(name: str, *arguments: object, **more: object) -> object:
        if ".wasmpack-tmp-" in str(name):
            raise OSError(number, os.strerror(number))
        return real(name, *arguments, **more)

    monkeypatch.setattr(os, call, fail)


REFUSALS = [
    ("replace", errno.EBUSY), ("replace", errno.EXDEV), ("replace", errno.EPERM),
    ("replace", errno.EACCES), ("open", errno.EACCES), ("open", errno.EPERM),
    ("open", errno.EROFS), ("open", errno.ENOENT),
]  # fmt: skip


@pytest.mark.parametrize(
    ("call", "number"), REFUSALS, ids=[f"{call}-{errno.errorcode[n]}" for call, n in REFUSALS]
)
@pytest.mark.parametrize("size", [3, 1 << 22])
def test_what_cannot_be_replaced_is_written_in_place(
    call: str, number: int, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("f").write_bytes(b"old" * size)
    Path("f").chmod(0o604)
    before = Path("f").stat().st_ino
    refusing(monkeypatch, call, number)
    write_named(Path("f"), [b"x" * size], quiet)
    assert Path("f").read_bytes() == b"x" * size
    assert (Path("f").stat().st_ino, mode("f")) == (before, 0o604)
    assert names() == ["f"]


@pytest.mark.parametrize(("call", "number"), [("open", errno.ENOSPC), ("replace", errno.EIO)])
def test_other_failures_leave_the_target_alone(
    call: str, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("f").write_text("old")
    refusing(monkeypatch, call, number)
    with pytest.raises(WasmpackError, match=f"^f: {os.strerror(number)}"):
        write_named(Path("f"), [b"x"], quiet)
    assert Path("f").read_text() == "old"
    assert names() == ["f"]


@pytest.mark.parametrize(("call", "number"), [("open", errno.EACCES), ("replace", errno.EBUSY)])
def test_in_place_takes_a_file(call: str, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, call, number)
    with pytest.raises(WasmpackError, match=os.strerror(number)):
        write_named(Path("new"), [b"x"], quiet)
    assert names() == []


def test_in_place_writes_the_file_that_was_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not one that somebody put there meanwhile."""
    Path("f").write_text("old")
    Path("other").write_text("other")
    refusing(monkeypatch, "replace", errno.EBUSY)

    def pieces() -> Iterator[bytes]:
        yield b"x"
        Path("other").rename("f")

    with pytest.raises(WasmpackError, match="replaced by another file"):
        write_named(Path("f"), pieces(), quiet)
    assert Path("f").read_text() == "other"


@contextlib.contextmanager
def reader(path: str) -> Iterator[list[bytes]]:
    """Read a pipe to its end in a thread."""
    os.mkfifo(path)
    handle = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    os.set_blocking(handle, True)
    found: list[bytes] = []

    def read() -> None:
        with os.fdopen(handle, "rb") as file:
            found.append(file.read())

    thread = threading.Thread(target=read)
    writer = os.open(path, os.O_WRONLY)  # so that it is not at its end at once
    thread.start()
    yield found
    os.close(writer)
    thread.join(60)


@pytest.mark.parametrize("pieces", [[b"small"], LARGE], ids=["small", "larger than a pipe"])
@pytest.mark.parametrize("name", ["p", "l"])
def test_a_pipe_is_written(name: str, pieces: list[bytes]) -> None:
    Path("l").symlink_to("p")
    with reader("p") as found:
        assert check_named(Path(name)) is None
        write_named(Path(name), pieces, quiet)
    assert b"".join(found) == b"".join(pieces)
    assert Path("p").is_fifo()


def test_a_pipe_that_nobody_reads() -> None:
    os.mkfifo("p")
    with pytest.raises(WasmpackError, match="p: no process reads this pipe"):
        write_named(Path("p"), [b"x"], quiet)
    assert Path("p").is_fifo()


def test_a_reader_that_leaves() -> None:
    os.mkfifo("p")
    handle = os.open("p", os.O_RDONLY | os.O_NONBLOCK)

    def pieces() -> Iterator[bytes]:
        yield b"x"
        os.close(handle)
        yield from LARGE

    with pytest.raises(BrokenPipeError):
        write_named(Path("p"), pieces(), quiet)


@contextlib.contextmanager
def inherited(handle: int) -> Iterator[Path]:
    """A file as whoever starts us leaves it open."""
    os.set_inheritable(handle, True)
    yield Path(f"/dev/fd/{handle}")
    os.close(handle)


def test_an_open_file_is_written_where_it_stands() -> None:
    with inherited(os.open("f", os.O_WRONLY | os.O_CREAT)) as path:
        write_named(path, [b"a"], quiet)
        write_named(path, [b"b"], quiet)
        assert check_named(path) is None
    assert Path("f").read_bytes() == b"ab"


def test_an_open_file_that_is_a_socket() -> None:
    ours, theirs = socket.socketpair()
    with theirs, inherited(ours.detach()) as path:
        write_named(path, [b"here"], quiet)
        assert theirs.recv(10) == b"here"


def test_an_open_pipe_that_does_not_block() -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    found: list[bytes] = []

    def drain() -> None:
        with os.fdopen(read, "rb") as file:
            found.append(file.read())

    thread = threading.Thread(target=drain)
    thread.start()
    with inherited(write) as path:
        write_named(path, LARGE, quiet)
    thread.join(60)
    assert b"".join(found) == b"".join(LARGE)


def test_an_open_file_for_reading() -> None:
    Path("f").touch()
    with (
        inherited(os.open("f", os.O_RDONLY)) as path,
        pytest.raises(WrongUsage, match="open for reading"),
    ):
        write_named(path, [b"x"], quiet)


def test_dev_null_stays_a_device() -> None:
    Path("l").symlink_to(device("null", NULL))
    for path in (Path("null"), Path("l")):
        write_named(path, [b"x"], quiet)
        assert check_named(path) is None
    assert Path("null").is_char_device()


def a_directory() -> str:
    Path("d").mkdir()
    return "d"


def a_link_to_a_directory() -> str:
    Path("l").symlink_to(a_directory())
    return "l"


def a_socket() -> str:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s")
    return "s"


def a_device() -> str:
    return device("zero", ZERO)


def a_link_to_a_device() -> str:
    Path("l").symlink_to(device("full", FULL))
    return "l"


def a_block_device() -> str:
    try:
        os.mknod("b", stat.S_IFBLK | 0o600, os.makedev(7, 250))
    except PermissionError as error:
        missing(f"no devices can be made: {error}")
    return "b"


def a_name_of_256_characters() -> str:
    return "a" * 256


def a_loop() -> str:
    Path("l").symlink_to("l")
    return "l"


def a_link_through_proc() -> str:
    Path("victim").write_text("old")
    Path("l").symlink_to("/proc/self/cwd/victim")
    return "l"


def a_file_as_directory() -> str:
    Path("f").touch()
    return "f/x"


def a_directory_that_is_not_there() -> str:
    return "no/x"


def a_name_with_nul() -> str:
    return "a\0b"


NO_FILES = [
    a_directory, a_link_to_a_directory, a_socket, a_device, a_link_to_a_device, a_block_device,
    a_name_of_256_characters, a_loop, a_link_through_proc, a_file_as_directory,
    a_directory_that_is_not_there, a_name_with_nul,
]  # fmt: skip


@pytest.mark.parametrize("make", NO_FILES, ids=lambda make: make.__name__)
def test_what_is_not_written(make: Callable[[], str]) -> None:
    name = make()
    before = names()
    with pytest.raises(WrongUsage, match=r"^(a.b|[^:]+): ") as checked:
        check_named(Path(name))
    with pytest.raises((WrongUsage, NotFound)) as refused:
        write_named(Path(name), [b"x"], quiet)
    assert refused.value.message.startswith(f"{name}: ")
    assert checked.value.message.startswith(f"{name}: ")
    assert names() == before
    if "victim" in before:
        assert Path("victim").read_text() == "old"


def test_standard_output_by_any_name(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("l").symlink_to("/dev/stdout")
    Path("1").touch()
    for name in ("/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "l"):
        assert is_stdout(Path(name)), name
    for name in ("/dev/stderr", "/dev/fd/2", "1", "no/such", "/dev/null"):
        assert not is_stdout(Path(name)), name


def test_changes_of_many_at_once_are_all_kept() -> None:
    def add(number: int) -> None:
        update_named(Path("d/f"), lambda held: held + b"%d\n" % number, quiet)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(24)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(map(int, Path("d/f").read_text().split())) == list(range(24))
    assert (mode("d"), mode("d/f")) == (0o700, 0o600)


def test_a_change_that_fails_changes_nothing() -> None:
    Path("f").write_text("old")

    def change(_held: bytes) -> bytes:
        raise WasmpackError("no")

    with pytest.raises(WasmpackError, match="no"):
        update_named(Path("f"), change, quiet)
    assert Path("f").read_text() == "old"
    assert names() == ["f"]
