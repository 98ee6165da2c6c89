"""Files whose names wasmpack chooses: whole, locked, and never through a link."""

import errno
import fcntl
import os
import stat
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.devices import NULL, device

from wasmpack.errors import (
    BadArtifact,
    NotFound,
    WasmpackError,
    WasmpackWarning,
    WrongUsage,
)
from wasmpack.files import directories
from wasmpack.files.directories import explained, inside, locked, open_regular, write_inside


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``d`` is to be written, ``victim`` is not."""
    monkeypatch.chdir(tmp_path)
    Path("d").mkdir()
    Path("victim").mkdir()
    Path("victim/f").write_text("old")
    return tmp_path


def untouched() -> bool:
    return [p.name for p in Path("victim").iterdir()] == ["f"] and (
        Path("victim/f").read_text() == "old"
    )


def nothing(_path: Path) -> None:
    """A new name."""


def file(path: Path) -> None:
    path.write_text("old")


def link(path: Path) -> None:
    path.symlink_to(Path("victim/f").resolve())


def dangling(path: Path) -> None:
    path.symlink_to(Path("victim/new").resolve())


def link_to_device(path: Path) -> None:
    path.symlink_to(Path(device("victim-device", NULL)).resolve())


def pipe(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("durable", [False, True])
@pytest.mark.parametrize("name", ["f", "a/f", "a/b/f"])
@pytest.mark.parametrize(
    "make", [nothing, file, link, dangling, link_to_device, pipe], ids=lambda make: make.__name__
)
def test_the_name_itself_is_written(make: Callable[[Path], None], name: str, durable: bool) -> None:
    path = Path("d", name)
    path.parent.mkdir(parents=True, exist_ok=True)
    make(path)
    write_inside(Path("d"), name, [b"n", b"ew"], durable=durable)
    assert stat.S_ISREG(path.lstat().st_mode)
    assert path.read_bytes() == b"new"
    assert [p.name for p in path.parent.iterdir()] == ["f"]
    assert untouched()


def test_missing_directories_are_made() -> None:
    write_inside(Path("new/root"), "a/b/f", [b"x"])
    assert Path("new/root/a/b/f").read_bytes() == b"x"


def test_the_root_may_be_a_link() -> None:
    """It is the user's name, not ours."""
    Path("l").symlink_to("d")
    write_inside(Path("l"), "a/f", [b"x"])
    assert Path("d/a/f").read_bytes() == b"x"


def link_to_directory(path: Path) -> None:
    path.symlink_to(Path("victim").resolve())


def link_through_proc(path: Path) -> None:
    path.symlink_to("/proc/self/cwd/victim")


@pytest.mark.parametrize("bad", ["a", "a/b"])
@pytest.mark.parametrize(
    "make", [link_to_directory, dangling, link_through_proc, file, pipe],
    ids=lambda make: make.__name__,
)  # fmt: skip
def test_directories_that_are_none(make: Callable[[Path], None], bad: str) -> None:
    Path("d", bad).parent.mkdir(exist_ok=True)
    make(Path("d", bad))
    with pytest.raises(BadArtifact, match=f"d/{bad}: a link or a file, expected a directory"):
        write_inside(Path("d"), "a/b/f", [b"x"])
    assert untouched()
    with pytest.raises(BadArtifact), inside(Path("d"), bad):
        pass


def test_a_directory_of_the_name_is_an_error() -> None:
    Path("d/f").mkdir()
    with pytest.raises(WrongUsage, match="d/f: Is a directory"):
        write_inside(Path("d"), "f", [b"x"])
    assert [p.name for p in Path("d").iterdir()] == ["f"]


@pytest.mark.parametrize("error", [OSError(errno.EIO, "io"), KeyboardInterrupt(), ValueError()])
def test_a_failure_leaves_nothing(error: BaseException) -> None:
    Path("d/f").write_text("old")

    def pieces() -> Iterator[bytes]:
        yield b"new"
        raise error

    with pytest.raises((WasmpackError, KeyboardInterrupt, ValueError)):
        write_inside(Path("d"), "f", pieces())
    assert Path("d/f").read_text() == "old"
    assert [p.name for p in Path("d").iterdir()] == ["f"]


UMASK = """
import os, sys
os.umask(int(sys.argv[1], 8))
from pathlib import Path
from wasmpack.files.directories import write_inside
write_inside(Path("d"), "before", [b""])
os.umask(0o022)
write_inside(Path("d"), "after", [b""])
print(oct(os.umask(0)))
"""


@pytest.mark.parametrize(("umask", "mode"), [("022", 0o644), ("077", 0o600), ("002", 0o664)])
def test_the_umask_of_the_moment_counts(umask: str, mode: int) -> None:
    """And is never changed, not even for a moment."""
    done = subprocess.run(
        [sys.executable, "-c", UMASK, umask], check=True, capture_output=True, text=True
    )
    assert stat.S_IMODE(Path("d/before").stat().st_mode) == mode
    assert stat.S_IMODE(Path("d/after").stat().st_mode) == 0o644
    assert done.stdout.strip() == oct(0o022)


def test_nothing_asks_for_the_umask() -> None:
    """It can only be read by setting it, which another thread may notice."""
    import wasmpack

    root = Path(wasmpack.__file__).parent
    assert not [path for path in root.rglob("*.py") if "os.umask" in path.read_text()]


def test_open_regular(monkeypatch: pytest.MonkeyPatch) -> None:
    Path("l").symlink_to("victim/f")
    for name in ("victim/f", "l"):
        with open_regular(Path(name)) as opened:
            assert opened.read() == b"old"
    os.mkfifo("p")
    for name in ("p", "d", "/dev/zero"):
        with pytest.raises(BadArtifact, match=f"{name}: expected a regular file"):
            open_regular(Path(name))
    with pytest.raises(FileNotFoundError):
        open_regular(Path("none"))


def test_a_device_is_not_even_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Opening some starts something: a watchdog, a tape."""
    monkeypatch.setattr(os, "open", lambda *_: pytest.fail("opened"))
    with pytest.raises(BadArtifact):
        open_regular(Path("/dev/zero"))


@pytest.mark.parametrize("name", ["", "a"])
def test_a_lock_keeps_others_out(name: str) -> None:
    Path("d/a").mkdir()
    entered = threading.Event()

    def enter() -> None:
        with locked(Path("d"), name):
            entered.set()

    with locked(Path("d"), name):
        thread = threading.Thread(target=enter)
        thread.start()
        assert not entered.wait(0.2)
    assert entered.wait(60)
    thread.join(60)


def test_shared_locks_let_each_other_in() -> None:
    with locked(Path("d"), shared=True), locked(Path("d"), shared=True):
        pass


@pytest.mark.parametrize("make", [link_to_directory, dangling, file, pipe])
def test_a_lock_is_not_taken_through_a_link(make: Callable[[Path], None]) -> None:
    make(Path("d/a"))
    with pytest.raises(BadArtifact, match="d/a: a link or a file"), locked(Path("d"), "a"):
        pass


@pytest.mark.parametrize(
    "number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS, errno.EBADF],
    ids=lambda number: errno.errorcode[number],
)  # fmt: skip
def test_a_file_system_without_locks(number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(_handle: int, _how: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.warns(WasmpackWarning, match="d: this file system has no locks"), locked(Path("d")):
        pass


def test_other_failures_of_a_lock_are_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    def flock(_handle: int, _how: int) -> None:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr(fcntl, "flock", flock)
    with pytest.raises(WasmpackError, match="d: Input/output error"), locked(Path("d")):
        pass


def test_what_fails_under_a_lock_is_no_failure_of_it() -> None:
    with pytest.raises(FileNotFoundError), locked(Path("d")):
        raise FileNotFoundError("something else")


@pytest.mark.parametrize(
    ("number", "kind", "hint"),
    [
        (errno.ENOENT, NotFound, ""),
        (errno.ENOTDIR, WrongUsage, ""),
        (errno.ELOOP, WrongUsage, ""),
        (errno.ENAMETOOLONG, WrongUsage, ""),
        (errno.EISDIR, WrongUsage, ""),
        (errno.EEXIST, WrongUsage, ""),
        (errno.ENOSPC, WasmpackError, "free some space"),
        (errno.EDQUOT, WasmpackError, "free some space"),
        (errno.EACCES, WasmpackError, "you may write to"),
        (errno.EROFS, WasmpackError, "you may write to"),
        (errno.EIO, WasmpackError, ""),
    ],
    ids=lambda value: errno.errorcode.get(value) if isinstance(value, int) else None,
)
def test_errors_name_the_path(number: int, kind: type[WasmpackError], hint: str) -> None:
    with pytest.raises(kind, match="the/path: ") as told, explained("the/path"):
        raise OSError(number, os.strerror(number), "another/path")
    assert type(told.value) is kind
    assert hint in told.value.hint


def test_a_name_with_nul_is_no_internal_error() -> None:
    with pytest.raises(WrongUsage, match="invalid file name"):
        write_inside(Path("d"), "a\0b", [b"x"])


@pytest.mark.parametrize("there", [True, False], ids=["a directory", "nothing yet"])
@pytest.mark.parametrize("linked", [True, False], ids=["a link to it", "named"])
def test_a_directory_through_a_link_of_the_kernel(*, linked: bool, there: bool) -> None:
    root = Path("/proc/self/cwd", "victim" if there else "new")
    if linked:
        Path("out").symlink_to(root)
        root = Path("out")
    with pytest.raises(WrongUsage, match="leads through"):
        write_inside(root / "below" if there else root, "f", [b"new"])
    assert untouched()
    assert not Path("new").exists()


def test_a_directory_that_is_open() -> None:
    handle = os.open("d", os.O_RDONLY)
    os.set_inheritable(handle, True)  # as what a shell opens is
    write_inside(Path(f"/dev/fd/{handle}"), "f", [b"new"])
    os.close(handle)
    assert Path("d/f").read_bytes() == b"new"


@pytest.mark.parametrize("shared", [False, True], ids=["alone", "with others"])
def test_a_lock_that_another_keeps_is_not_waited_for_without_end(
    shared: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever may read a directory can lock it, another user included."""
    monkeypatch.setattr(directories, "LOCK_SECONDS", 0.05)
    other = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(other, fcntl.LOCK_EX)
        refused = pytest.raises(WasmpackError, match="locked by another process")
        with refused, locked(tmp_path, shared=shared):
            raise AssertionError("two have the lock")
    finally:
        os.close(other)
    with locked(tmp_path, shared=shared):
        pass
