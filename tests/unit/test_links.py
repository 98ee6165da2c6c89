"""Where paths lead: link by link, and through no link that the kernel makes up."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.devices import need_mounts

from wasmpack.errors import WrongUsage
from wasmpack.files.links import Found, followed


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``here`` is the working directory, ``there`` another one."""
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    (there / "file").write_text("old")
    (here / "file").write_text("old")
    monkeypatch.chdir(here)
    return tmp_path


def link(name: str, target: str) -> None:
    Path(name).symlink_to(target)


def plain() -> str:
    return "file"


def missing() -> str:
    return "new"


def link_beside() -> str:
    link("l", "file")
    return "l"


def link_elsewhere() -> str:
    link("l", "../there/file")
    return "l"


def dangling() -> str:
    link("l", "../there/new")
    return "l"


def chain() -> str:
    link("a", "b")
    link("b", "../here/c")
    link("c", "../there/file")
    return "a"


def forty() -> str:
    link("l0", "file")
    for number in range(1, 40):
        link(f"l{number}", f"l{number - 1}")
    return "l39"


def directory_link() -> str:
    link("d", "../there")
    return "d/file"


def dots() -> str:
    return "./../here/.././there/./file"


def link_with_dots() -> str:
    link("../there/up", "..")
    return "../there/up/there/file"


def links_to_its_own_directory() -> str:
    link("me", ".")
    return "me/me/me/file"


@pytest.mark.parametrize(
    ("make", "end", "elsewhere"),
    [
        (plain, "here/file", False),
        (missing, "here/new", False),
        (link_beside, "here/file", False),
        (link_elsewhere, "there/file", True),
        (dangling, "there/new", True),
        (chain, "there/file", True),
        (forty, "here/file", False),
        (directory_link, "there/file", False),
        (dots, "there/file", False),
        (link_with_dots, "there/file", False),
        (links_to_its_own_directory, "here/file", False),
    ],
    ids=lambda value: getattr(value, "__name__", None),
)
@pytest.mark.parametrize("absolute", [False, True], ids=["relative", "absolute"])
def test_links_are_followed(
    make: Callable[[], str], end: str, elsewhere: bool, absolute: bool, tree: Path
) -> None:
    path = Path(make())
    with followed(tree / "here" / path if absolute else path) as found:
        assert (tree / "here" / found.path).resolve() == tree / end
        assert found.name == Path(end).name
        assert found.elsewhere is elsewhere
        assert (found.status is None) is (not (tree / end).exists())
        if found.status is not None:
            again = os.stat(found.name, dir_fd=found.directory)
            assert os.path.samestat(again, (tree / end).stat())


@pytest.mark.parametrize("path", [".", "..", "/", "/..", "../there", "file/../../there", "./."])
def test_a_directory_is_found_as_one(path: str, tree: Path) -> None:
    if path.startswith("file"):
        with pytest.raises(NotADirectoryError), followed(Path(path)):
            pass
        return
    with followed(Path(path)) as found:
        assert found.status is not None
        assert os.path.samestat(found.status, Path(path).stat())


def magic_root() -> str:
    return "/proc/self/root/tmp/x"


def magic_cwd() -> str:
    return "/proc/self/cwd/file"


def magic_thread() -> str:
    return f"/proc/self/task/{os.getpid()}/cwd/file"


def magic_exe() -> str:
    return "/proc/self/exe"


def magic_of_another_process() -> str:
    return "/proc/1/root/tmp/x"


def magic_behind_a_link() -> str:
    link("l", "/proc/self/cwd/file")
    return "l"


def magic_behind_a_directory() -> str:
    link("d", "/proc/self/root")
    return "d/tmp/x"


def magic_behind_a_chain() -> str:
    link("a", "b")
    link("b", "c/file")
    link("c", "/proc/thread-self/cwd")
    return "a"


def through_an_open_directory() -> str:
    handle = os.open(".", os.O_RDONLY)
    os.set_inheritable(handle, True)
    return f"/dev/fd/{handle}/file"


def file_of_another_process() -> str:
    return f"/proc/{os.getppid()}/fd/1"


@pytest.mark.parametrize(
    "make",
    [
        magic_root, magic_cwd, magic_thread, magic_exe, magic_of_another_process,
        magic_behind_a_link, magic_behind_a_directory, magic_behind_a_chain,
        through_an_open_directory, file_of_another_process,
    ],
    ids=lambda make: make.__name__,
)  # fmt: skip
def test_links_that_the_kernel_makes_up_are_refused(make: Callable[[], str], tree: Path) -> None:
    path = make()
    with (
        pytest.raises(WrongUsage, match=f"{re.escape(path)}: leads through /proc/"),
        followed(Path(path)),
    ):
        pass


def test_a_second_procfs_is_recognized(tree: Path) -> None:
    """Mounted anywhere, as root of a mount namespace of its own."""
    script = (
        "import sys; from pathlib import Path; from wasmpack.files.links import followed\n"
        "try:\n  followed(Path('p/self/cwd/file')).__enter__()\n"
        "except Exception as e: print(type(e).__name__)"
    )
    need_mounts()
    Path("p").mkdir()
    shell = 'mount -t proc proc p && exec "$0" -c "$1"'
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", shell, sys.executable, script],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout.strip() == "WrongUsage"


@pytest.mark.parametrize(
    ("make", "error"),
    [
        (lambda: link("l", "l") or "l", OSError),
        (lambda: link("l", "m") or link("m", "l") or "l/x", OSError),
        (lambda: link("l", "a" * 300) or "l", OSError),
        (lambda: "b" * 300, OSError),
        (lambda: "no/file", FileNotFoundError),
        (lambda: link("l", "no/file") or "l", FileNotFoundError),
        (lambda: link("l", "new/") or "l", FileNotFoundError),
        (lambda: link("l", "file/") or "l", NotADirectoryError),
        (lambda: "file/x", NotADirectoryError),
    ],
    ids=[
        "loop", "loop of two", "long target", "long", "no directory", "link to no directory",
        "link with a slash to nothing", "link with a slash to a file", "file as directory",
    ],
)  # fmt: skip
def test_paths_that_lead_nowhere(make: Callable[[], str], error: type[OSError], tree: Path) -> None:
    with pytest.raises(error), followed(Path(make())):
        pass


def test_more_than_forty_links_are_too_many(tree: Path) -> None:
    link("l40", forty())
    with pytest.raises(OSError, match="levels of symbolic links"), followed(Path("l40")):
        pass


def as_dev_fd(number: int) -> str:
    return f"/dev/fd/{number}"


def as_proc_self(number: int) -> str:
    return f"/proc/self/fd/{number}"


def as_thread_self(number: int) -> str:
    return f"/proc/thread-self/fd/{number}"


def as_pid(number: int) -> str:
    return f"/proc/{os.getpid()}/fd/{number}"


def as_link(number: int) -> str:
    link("l", f"/dev/fd/{number}")
    return "l"


def as_directory_link(number: int) -> str:
    link("d", "/dev/fd")
    return f"d/{number}"


@pytest.mark.parametrize(
    "name",
    [as_dev_fd, as_proc_self, as_thread_self, as_pid, as_link, as_directory_link],
    ids=lambda name: name.__name__,
)
def test_an_open_file_is_found_by_its_number(name: Callable[[int], str], tree: Path) -> None:
    with Path("out").open("wb") as file:
        os.set_inheritable(file.fileno(), True)
        with followed(Path(name(file.fileno()))) as found:
            assert found.descriptor == file.fileno()
            assert not found.elsewhere


@pytest.mark.parametrize("number", ["9999", "1" * 30, "0123456789"])
def test_what_is_not_open(number: str, tree: Path) -> None:
    with pytest.raises(WrongUsage, match="is not open"), followed(Path(f"/dev/fd/{number}")):
        pass


def test_files_that_we_opened_ourselves_are_not_the_users(tree: Path) -> None:
    with Path("out").open("wb") as file:  # closed on exec, as all that Python opens
        path = Path(f"/dev/fd/{file.fileno()}")
        with pytest.raises(WrongUsage, match="is not open"), followed(path):
            pass


def test_a_number_elsewhere_is_a_file(tree: Path) -> None:
    with followed(Path("1")) as found:
        assert found.descriptor is None
        assert found.name == "1"


def test_links_that_the_kernel_forbids_to_follow(tree: Path) -> None:
    """In a sticky directory, those of somebody else (fs.protected_symlinks, proc(5))."""
    if Path("/proc/sys/fs/protected_symlinks").read_text().strip() != "1":
        pytest.skip("fs.protected_symlinks is off")
    if os.geteuid() != 0:
        pytest.skip("needs root to make a link of somebody else")
    sticky = tree / "sticky"
    sticky.mkdir()
    sticky.chmod(0o1777)
    planted = sticky / "l"
    planted.symlink_to(tree / "there" / "file")
    os.lchown(planted, 12345, 12345)
    with pytest.raises(PermissionError), followed(planted):
        pass


def test_the_kernel_is_asked_before_a_last_link_is_followed(
    tree: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As above, on machines where the setting is off."""
    link("l", "../there/file")
    link("d", "../there")
    ask = os.stat

    def forbidding(
        path: str, *, dir_fd: int | None = None, follow_symlinks: bool = True
    ) -> os.stat_result:
        if path in {"l", "d"} and follow_symlinks:
            raise PermissionError
        return ask(path, dir_fd=dir_fd, follow_symlinks=follow_symlinks)

    monkeypatch.setattr(os, "stat", forbidding)
    with pytest.raises(PermissionError), followed(Path("l")):
        pass
    with followed(Path("d/file")) as found:  # the setting is about last links only
        assert found.name == "file"


def test_nothing_stays_open(tree: Path) -> None:
    def count() -> int:
        return len(list(Path("/proc/self/fd").iterdir()))

    before = count()
    for make in (plain, missing, dangling, chain):
        with followed(Path(make())) as found:
            assert isinstance(found, Found)
        Path("l").unlink(missing_ok=True)
    for path in ("no/file", "/proc/self/cwd/x", "/dev/fd/9999"):
        with pytest.raises((OSError, WrongUsage)), followed(Path(path)):
            pass
    assert count() == before
