"""What commands write is what the user named: links, pipes, devices, mounts, hostile layouts."""

import contextlib
import json
import os
import pty
import re
import select
import signal
import socket
import stat
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from conftest import Cli, Done
from support.devices import (
    FULL,
    NULL,
    SAFETY_NET,
    ZERO,
    device,
    in_private_dev,
    need_mounts,
    run_there,
)
from support.plugins import PLUGINS
from support.registries import RunningRegistry

C = PLUGINS / "header-append-c.wasm"
BUILD = ("build", C, "--no-git", "--no-validate")
DIGEST = re.compile(r"sha256:[0-9a-f]{64}\n")
OLD = "old\n"


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """``out`` is what a command is given, ``real`` another directory."""
    monkeypatch.chdir(tmp_path)
    for name in ("out", "real"):
        Path(name).mkdir()
        Path(name, "file").write_text(OLD)
    return tmp_path


@pytest.fixture
def cli(wasmpack_command: str) -> Cli:
    """As everywhere, but in a /dev of its own: what is tested here is that it stays as it is."""

    def run_command(
        *arguments: str | Path, stdin: bytes = b"", env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
    ) -> Done:  # fmt: skip
        done = run_there([wasmpack_command, *arguments], stdin=stdin, env=env, cwd=cwd)
        return Done(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run_command


def link(name: str, target: str) -> str:
    Path(name).symlink_to(target)
    return name


# ------------------------------------------------------------------ names that lead to a file

FILES: dict[str, tuple[Callable[[], str], str, bool]] = {
    "a new file": (lambda: "out/new", "out/new", False),
    "a file": (lambda: "out/file", "out/file", False),
    "a link": (lambda: link("out/l", "file"), "out/file", False),
    "a link to another directory": (lambda: link("out/l", "../real/file"), "real/file", True),
    "a link to nothing yet": (lambda: link("out/l", "../real/new"), "real/new", True),
    "a chain of links": (
        lambda: link("out/l", "m") and link("out/m", "../real/n") and link("real/n", "file")
        and "out/l", "real/file", True,
    ),
    "a directory that is a link": (lambda: link("d", "real") + "/file", "real/file", False),
    "a link into a directory that is one": (
        lambda: link("d", "real") and link("out/l", "../d/file"), "real/file", True,
    ),
}  # fmt: skip


@pytest.fixture
def extension() -> Path:
    path = Path("extension.yaml")
    path.write_text(
        "apiVersion: maistra.io/v1\nkind: ServiceMeshExtension\n"
        "metadata: {name: a, namespace: b}\nspec: {image: quay.io/a/b:1, phase: PreAuthZ}\n"
    )
    return path


WRITERS = ("build --digest-file", "build --metadata-file", "migrate --report", "archive")


def write_to(cli: Cli, writer: str, name: str) -> tuple[int, str, str]:
    """Let a command write to a name that the user gives."""
    if writer == "migrate --report":
        done = cli("migrate", "servicemeshextension", "extension.yaml", "--report", name)
    elif writer == "archive":
        done = cli(*BUILD, "-o", f"oci-archive:{name}:v1", "--force")
    else:
        done = cli(*BUILD, "-t", "x:v1", writer.split()[1], name)
    return done.code, done.out, done.err


def is_right(writer: str, path: Path) -> bool:
    if writer == "archive":
        return tarfile.is_tarfile(path)
    if writer == "build --digest-file":
        return bool(DIGEST.fullmatch(path.read_text()))
    return "schemaVersion" in json.loads(path.read_text())


@pytest.mark.parametrize("writer", WRITERS)
@pytest.mark.parametrize("form", FILES)
def test_the_file_that_a_name_leads_to(form: str, writer: str, cli: Cli, extension: Path) -> None:
    make, target, elsewhere = FILES[form]
    name = make()
    if writer == "migrate --report":  # its suffix decides
        if not Path(name).is_symlink() and not Path(name).parent.is_symlink():
            name, target = f"{name}.json", f"{target}.json"
        else:
            name = link("out/report.json", f"../{name}")
            elsewhere = target.startswith("real")
    code, _, err = write_to(cli, writer, name)
    assert code == 0, err
    assert is_right(writer, Path(target))
    assert not Path(target).is_symlink()
    where = [line for line in err.splitlines() if "is a link: written to" in line]
    assert len(where) == elsewhere, err
    if elsewhere:
        assert Path(target).name in where[0]
    assert not list(Path().rglob(".wasmpack-tmp-*"))
    others = {"out/file", "real/file"} - {target}
    assert all(Path(other).read_text() == OLD for other in others)


# ------------------------------------------------------------------ names that are refused


def socket_file() -> str:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("out/s")
    return "out/s"


def pipe() -> str:
    os.mkfifo("out/p")
    return "out/p"


REFUSED: dict[str, tuple[Callable[[], str], int, str]] = {
    "a directory": (lambda: "out", 2, "a directory"),
    "a link to a directory": (lambda: link("l", "out"), 2, "a directory"),
    "a device": (lambda: device("out/zero", ZERO), 2, "a device"),
    "a link to a device": (lambda: link("l", device("full", FULL)), 2, "a device"),
    "a socket": (socket_file, 2, "a socket"),
    "a pipe that nobody reads": (pipe, 1, "no process reads this pipe"),
    "a link through a root": (
        lambda: link("l", f"/proc/self/root{Path('real/file').resolve()}"), 2, "/root, a link",
    ),
    "a link through a working directory": (
        lambda: link("l", "/proc/self/cwd/real/file"), 2, "/cwd, a link",
    ),
    "a working directory": (lambda: "/proc/self/cwd/real/file", 2, "/cwd, a link"),
    "a directory that links to one": (
        lambda: link("d", "/proc/thread-self/cwd") + "/real/file", 2, "/cwd, a link",
    ),
    "another process's root": (
        lambda: f"/proc/{os.getpid()}/root{Path('real/file').resolve()}", 2, "/root, a link",
    ),
    "another process's file": (
        lambda: link("l", f"/proc/{os.getpid()}/fd/0"), 2, "/fd/0, a link",
    ),
    "our executable": (lambda: "/proc/self/exe", 2, "/exe, a link"),
    "a file that is not open": (lambda: "/dev/fd/77", 2, "77 is not open"),
    "a link to itself": (lambda: link("l", "l"), 2, "symbolic links"),
    "256 characters": (lambda: "a" * 256, 2, "File name too long"),
    "a path of 5000 characters": (lambda: "a/" * 2500 + "b", 2, ""),
    "a file as directory": (lambda: "out/file/x", 2, "directory"),
    "no directory": (lambda: "none/x", 2, "no such file"),
    "a link to no directory": (lambda: link("l", "none/x"), 2, "no such file"),
}  # fmt: skip


@pytest.mark.parametrize("form", REFUSED)
def test_digest_files_that_are_not_written(form: str, cli: Cli) -> None:
    make, code, words = REFUSED[form]
    name = make()
    done = cli(*BUILD, "-t", "x:v1", "--digest-file", name)
    check_refused(done, code, words)
    stored = "x:v1" in cli("list").out
    assert stored is (code == 1), "only a pipe is found out when it is written"


@pytest.mark.parametrize("form", sorted(set(REFUSED) - {"no directory"}))
def test_archives_that_are_not_written(form: str, cli: Cli) -> None:
    """The directory of an archive is made."""
    make, code, words = REFUSED[form]
    name = make()
    before = {path: path.lstat().st_mode for path in Path().rglob("*")}
    check_refused(cli(*BUILD, "-o", f"oci-archive:{name}:v1", "--force"), code, words)
    assert {path: path.lstat().st_mode for path in Path().rglob("*")} == before


def check_refused(done: Done, code: int, words: str) -> None:
    assert done.code == code, done.err
    assert words in done.err
    assert done.err.startswith("error: ")
    assert "internal error" not in done.err
    assert Path("real/file").read_text() == Path("out/file").read_text() == OLD


# ------------------------------------------------------------------ what is open already


@dataclass(frozen=True)
class Ran:
    code: int
    out: bytes
    err: str


def run(
    command: Sequence[str | Path], stdout: int = subprocess.PIPE, pass_fds: Sequence[int] = ()
) -> Ran:
    done = run_there(command, stdout=stdout, pass_fds=pass_fds)
    return Ran(done.returncode, done.stdout, done.stderr.decode())


@pytest.mark.parametrize("name", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "link"])
def test_a_digest_on_standard_output(name: str, wasmpack_command: str) -> None:
    if name == "link":
        link("link", "/dev/stdout")
    done = run([wasmpack_command, *BUILD, "-t", "x:v1", "--digest-file", name])
    digest, result = done.out.decode().splitlines()
    assert result == f"x:v1@{digest}"


def test_a_digest_on_standard_output_that_is_a_file(wasmpack_command: str) -> None:
    """Where it stands: nothing before is lost, nothing after writes over it."""
    with Path("log").open("wb") as log:
        log.write(b"first\n")
        log.flush()
        run([wasmpack_command, *BUILD, "-t", "x:v1", "--digest-file", "/dev/stdout"], log.fileno())
    first, digest, result = Path("log").read_text().splitlines()
    assert (first, result) == ("first", f"x:v1@{digest}")


def test_a_digest_on_standard_error(wasmpack_command: str) -> None:
    done = run([wasmpack_command, *BUILD, "-t", "x:v1", "--digest-file", "/dev/stderr"])
    assert DIGEST.fullmatch(done.err)


def test_a_digest_on_another_descriptor(wasmpack_command: str) -> None:
    read, write = os.pipe()
    run([wasmpack_command, *BUILD, "-t", "x:v1", "--digest-file", f"/dev/fd/{write}"],
        pass_fds=[write])  # fmt: skip
    os.close(write)
    with os.fdopen(read, "rb") as file:
        assert DIGEST.fullmatch(file.read().decode())


def test_a_digest_on_a_terminal(wasmpack_command: str) -> None:
    ours, theirs = pty.openpty()
    done = run([wasmpack_command, *BUILD, "-t", "x:v1", "--digest-file", "/dev/stdout"], theirs)
    assert done.code == 0, done.err
    shown = os.read(ours, 4096).decode().splitlines()
    assert shown[1] == f"x:v1@{shown[0]}"
    os.close(ours)
    os.close(theirs)


def test_dev_null_stays(cli: Cli) -> None:
    assert cli(*BUILD, "-t", "x:v1", "--digest-file", "/dev/null").code == 0
    assert cli(*BUILD, "-o", "oci-archive:/dev/null:v1").code == 0


@contextlib.contextmanager
def reading(path: str) -> Iterator[list[bytes]]:
    """``cat path`` in the background, and what it read."""
    found: list[bytes] = []
    keep = os.open(path, os.O_RDWR)  # so that there is a reader at once, and no end before
    with subprocess.Popen(["cat", path], stdout=subprocess.PIPE) as process:
        try:
            yield found
            os.close(keep)
            found.append(process.communicate(timeout=SAFETY_NET)[0])
        finally:
            process.kill()


@pytest.mark.parametrize("writer", WRITERS)
def test_a_pipe_that_is_read(writer: str, cli: Cli, extension: Path) -> None:
    name = "p.json"
    os.mkfifo(name)
    with reading(name) as found:
        code, _, err = write_to(cli, writer, name)
    assert code == 0, err
    assert Path(name).is_fifo()
    Path("copy").write_bytes(b"".join(found))
    assert is_right(writer, Path("copy"))


# ------------------------------------------------------------------ archives on standard output


@pytest.fixture
def layout(cli: Cli) -> str:
    assert cli(*BUILD, "-o", "oci:lay:v1").code == 0
    assert cli(*BUILD, "-o", "oci-archive:a.tar:v1").code == 0
    return "oci:lay:v1"


MAKERS = {
    "build": ("build", str(C), "--no-git", "--no-validate", "-o"),
    "copy": ("copy", "oci:lay:v1"),
    "repack": ("repack", "--no-validate", "oci:lay:v1"),
}


STDOUT = ("-", "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1")
PAIRS = [
    (verb, name, ("text", "json")[(row + column) % 2])
    for row, verb in enumerate(MAKERS)
    for column, name in enumerate(STDOUT)
]
"""Every two of them together: each verb and each name comes with both shapes."""


@pytest.mark.parametrize(("verb", "name", "shape"), PAIRS)
def test_an_archive_on_standard_output(
    verb: str, name: str, shape: str, wasmpack_command: str, layout: str
) -> None:
    """Nothing but the archive; the result line goes to standard error."""
    place = f"oci-archive:{name}:v1"
    done = run([wasmpack_command, *MAKERS[verb], place, "--format", shape])
    assert done.code == 0, done.err
    assert done.out == Path("a.tar").read_bytes()
    if shape == "json":
        assert json.loads(done.err[done.err.index("{"):])["reference"] == place  # fmt: skip
    else:
        assert done.err.splitlines()[-1].startswith(f"{place}@sha256:")
    assert not Path("-").exists()


def test_an_archive_into_tar(wasmpack_command: str, layout: str) -> None:
    shell = f"{wasmpack_command} copy {layout} oci-archive:/dev/stdout:v1 2>err | tar t"
    names = run(["bash", "-c", shell]).out.decode().split()
    assert {"index.json", "oci-layout"} < set(names)
    shell = f"{wasmpack_command} copy {layout} oci-archive:>(tar t >names):v1; wait $!"
    assert run(["bash", "-c", shell]).code == 0
    assert Path("names").read_text().split() == names


def test_an_archive_for_a_terminal(wasmpack_command: str, layout: str) -> None:
    ours, theirs = pty.openpty()
    done = run([wasmpack_command, "copy", layout, "oci-archive:-:v1"], theirs)
    os.close(ours)
    os.close(theirs)
    assert done.code == 2
    assert "not written to a terminal" in done.err


@pytest.mark.parametrize("form", ["standard output", "pipe"])
def test_a_reader_that_leaves_an_archive(form: str, wasmpack_command: str, cli: Cli) -> None:
    large = Path("large.wasm")
    large.write_bytes(C.read_bytes() + b"\0\xfc\xff\x07\x01x" + b"x" * ((1 << 17) - 6))
    os.mkfifo("p")
    keep = os.open("p", os.O_RDWR)
    place = "oci-archive:-:v1" if form == "standard output" else "oci-archive:p:v1"
    head = "| head -c 1 >head" if form == "standard output" else ">out.txt"
    shell = f"{wasmpack_command} build large.wasm --no-git --no-validate -o {place} {head}"
    command = [*in_private_dev(), "bash", "-o", "pipefail", "-c", shell]
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            if form == "pipe":
                ready = select.poll()
                ready.register(keep, select.POLLIN)
                assert ready.poll(SAFETY_NET * 1000), "it has begun"
            os.close(keep)
            assert process.wait(SAFETY_NET) == 141
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def test_another_image_behind_a_link(cli: Cli, layout: str) -> None:
    assert cli("build", C, "--no-git", "--no-validate", "--variant", "compat",
               "-o", "oci-archive:real/a.tar:v1").code == 0  # fmt: skip
    before = Path("real/a.tar").read_bytes()
    link("l.tar", "real/a.tar")
    assert cli("copy", layout, "oci-archive:l.tar:v1").code == 8
    assert Path("real/a.tar").read_bytes() == before
    done = cli("copy", layout, "oci-archive:l.tar:v1", "--force")
    assert done.code == 0
    assert "l.tar is a link: written to" in done.err
    assert Path("l.tar").is_symlink()
    assert Path("real/a.tar").read_bytes() == Path("a.tar").read_bytes()


def test_closed_standard_output(wasmpack_command: str) -> None:
    shell = f"{wasmpack_command} build {C} --no-git --no-validate -o oci-archive:-:v1 >&-"
    done = run(["bash", "-c", shell])
    assert done.code == 2
    assert "file descriptor 1 is not open" in done.err


# ------------------------------------------------------------------ mounts and permissions


def mounted(command: str, *mounts: str) -> Ran:
    """Run a shell command with mounts of its own."""
    need_mounts()
    script = " && ".join([*(f"mount {mount}" for mount in mounts), command])
    return run(["unshare", "-m", "sh", "-c", script])


MOUNTS = {
    "a file that is mounted": ("--bind real/file out/file",),
    "in a directory that is read-only": (
        "--bind real/file out/file", "--bind out out", "-o remount,ro,bind out",
        "--bind real/file out/file",
    ),
}  # fmt: skip


@pytest.mark.parametrize("mounts", MOUNTS)
@pytest.mark.parametrize("writer", ["build --digest-file", "archive"])
@pytest.mark.parametrize("name", ["out/file", "l"])
def test_a_file_that_cannot_be_replaced(
    name: str, writer: str, mounts: str, wasmpack_command: str
) -> None:
    link("l", "out/file")
    inode = Path("real/file").stat().st_ino
    what = f"-t x:v1 --digest-file {name}"
    if writer == "archive":
        what = f"-o oci-archive:{name}:v1 --force"
    done = mounted(f"{wasmpack_command} build {C} --no-git --no-validate {what}", *MOUNTS[mounts])
    assert done.code == 0, done.err
    assert is_right(writer, Path("real/file"))
    assert Path("real/file").stat().st_ino == inode
    assert Path("out/file").read_text() == OLD
    assert [path.name for path in Path("out").iterdir()] == ["file"]


def test_a_directory_that_is_read_only(wasmpack_command: str) -> None:
    done = mounted(
        f"{wasmpack_command} build {C} --no-git --no-validate -t x:v1 --digest-file out/new",
        "--bind out out", "-o remount,ro,bind out",
    )  # fmt: skip
    assert done.code == 2
    assert "out/new: cannot be written" in done.err


CONFIG = {"psFormat": "x", "auths": {"quay.io": {"auth": "dTpw"}, "ghcr.io": {"auth": "dTpw"}}}


@pytest.mark.parametrize("form", ["mounted", "link", "chain", "mode", "dangling directory"])
def test_the_configuration_of_docker(form: str, wasmpack_command: str, cli: Cli) -> None:
    """logout writes it without a registry."""
    config, real = Path("out/config.json"), Path("real/config.json")
    real.write_text(json.dumps(CONFIG))
    real.chmod(0o640)
    environment = {"DOCKER_CONFIG": "out"}
    if form == "mounted":
        config.write_text("{}")
        done = mounted(
            f"DOCKER_CONFIG=out {wasmpack_command} logout quay.io", f"--bind {real} {config}"
        )
        assert done.code == 0, done.err
        assert config.read_text() == "{}"
    else:
        if form == "mode":
            environment["DOCKER_CONFIG"] = "real"
        elif form == "dangling directory":
            link("linked", "real")
            environment["DOCKER_CONFIG"] = "linked"
        elif form == "chain":
            link("out/other.json", "../real/config.json")
            link("out/config.json", "other.json")
        else:
            link("out/config.json", "../real/config.json")
        done = cli("logout", "quay.io", env=environment)
        assert done.code == 0, done.err
        assert ("is a link: written to" in done.err) is (form in {"link", "chain"})
        assert config.is_symlink() is (form in {"link", "chain"})
    assert json.loads(real.read_text()) == {"psFormat": "x", "auths": {"ghcr.io": {"auth": "dTpw"}}}
    assert stat.S_IMODE(real.stat().st_mode) == 0o600, "what is secret is the owner's alone"


@pytest.mark.parametrize("form", ["new", "link", "dangling link"])
def test_login(form: str, cli: Cli, open_registry: RunningRegistry) -> None:
    home = Path("config")
    target = home / "config.json"
    if form != "new":
        home.mkdir()
        target = Path("real/config.json")
        link("config/config.json", "../real/config.json")
        if form == "link":
            target.write_text('{"psFormat": "x"}')
    done = cli("login", open_registry.host, "-u", "u", "--password-stdin", stdin=b"p\n",
               env={"DOCKER_CONFIG": "config"})  # fmt: skip
    assert done.code == 0, done.err
    assert open_registry.host in json.loads(target.read_text())["auths"]
    assert ("psFormat" in json.loads(target.read_text())) is (form == "link")
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert (home / "config.json").is_symlink() is (form != "new")
    assert list(home.iterdir()) == [home / "config.json"]


def test_logouts_at_once_lose_nothing(cli: Cli) -> None:
    hosts = [f"r{number}.example.com" for number in range(16)]
    auths = {host: {"auth": "dTpw"} for host in [*hosts, "kept.example.com"]}
    Path("real/config.json").write_text(json.dumps({"auths": auths}))
    with ThreadPoolExecutor(8) as pool:
        codes = pool.map(
            lambda host: cli("logout", host, env={"DOCKER_CONFIG": "real"}).code, hosts
        )
        assert set(codes) == {0}
    assert list(json.loads(Path("real/config.json").read_text())["auths"]) == ["kept.example.com"]


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to give files away")
@pytest.mark.parametrize(
    ("directory_mode", "file_mode", "code"),
    [(0o777, 0o444, 2), (0o755, 0o666, 0), (0o755, 0o444, 2), (0o777, 0o666, 0)],
)
def test_permissions_of_somebody_else(
    directory_mode: int, file_mode: int, code: int, wasmpack_command: str
) -> None:
    """What ``>`` may write is written, and nothing else, whatever the directory would allow."""
    os.chown("out", 12345, 12345)
    os.chown("out/file", 12345, 12345)
    Path("out").chmod(directory_mode)
    Path("out/file").chmod(file_mode)
    inode = Path("out/file").stat().st_ino
    without_power = ["setpriv", "--bounding-set=-all", "--inh-caps=-all"]
    done = run([*without_power, wasmpack_command, *BUILD, "-t", "x:v1", "--digest-file",
                "out/file"])  # fmt: skip
    assert done.code == code, done.err
    if code:
        assert Path("out/file").read_text() == OLD
        assert "cannot be written: Permission denied" in done.err
    else:
        assert DIGEST.fullmatch(Path("out/file").read_text())
        in_place = Path("out/file").stat().st_ino == inode
        assert in_place is (directory_mode == 0o755)
    assert [path.name for path in Path("out").iterdir()] == ["file"]


# ------------------------------------------------------------------ names that wasmpack chooses

PLANTED: dict[str, Callable[[Path], None]] = {
    "a link": lambda path: path.symlink_to("../real/file"),
    "a link to the same": lambda path: path.symlink_to(C),
    "a link to nothing": lambda path: path.symlink_to("../real/new"),
    "a link to a device": lambda path: path.symlink_to(Path(device("null", NULL)).resolve()),
    "a link through proc": lambda path: path.symlink_to("/proc/self/cwd/real/file"),
    "a pipe": os.mkfifo,
    "other content": lambda path: path.write_text(OLD) and None,
}  # fmt: skip


def unchanging(path: Path) -> tuple[int, ...]:
    """What of a file does not change when it is read."""
    found = path.lstat()
    return found.st_ino, found.st_mode, found.st_size, found.st_mtime_ns


@pytest.mark.parametrize("planted", PLANTED)
@pytest.mark.parametrize("name", ["plugin.wasm", "runtime-config.json"])
def test_extract(planted: str, name: str, cli: Cli, layout: str) -> None:
    Path("out/file").unlink()
    path = Path("out", name)
    PLANTED[planted](path)
    before = unchanging(path)
    refused = cli("extract", layout, "-o", "out")
    assert refused.code == 8
    assert f"out/{name}: exists with other content" in refused.err
    assert unchanging(path) == before
    assert [p.name for p in Path("out").iterdir()] == [name], "neither file is written"
    assert cli("extract", layout, "-o", "out", "--force").code == 0
    assert stat.S_ISREG(path.lstat().st_mode)
    assert Path("out/plugin.wasm").read_bytes() == C.read_bytes()
    assert [p.name for p in Path("real").iterdir()] == ["file"]
    assert Path("real/file").read_text() == OLD


def test_extract_into_a_linked_directory(cli: Cli, layout: str) -> None:
    """The directory is the user's name."""
    link("l", "real")
    assert cli("extract", layout, "-o", "l").code == 0
    assert Path("real/plugin.wasm").read_bytes() == C.read_bytes()
    assert cli("extract", layout, "-o", "l").code == 0, "the same again"


def test_extract_into_a_file(cli: Cli, layout: str) -> None:
    done = cli("extract", layout, "-o", "out/file")
    assert done.code == 2
    assert "out/file/plugin.wasm: a file or a broken link, expected a directory" in done.err
    assert Path("out/file").read_text() == OLD


@pytest.mark.parametrize("part", ["blobs", "blobs/sha256"])
@pytest.mark.parametrize("verb", ["build", "copy", "repack"])
def test_a_layout_with_linked_directories(part: str, verb: str, cli: Cli, layout: str) -> None:
    assert cli(*BUILD, "--variant", "compat", "-o", "oci:theirs:v0").code == 0
    Path("theirs", part).rename("moved")
    Path("real/sha256").mkdir()
    Path("theirs", part).symlink_to(Path("real").resolve())
    done = cli(*MAKERS[verb], "oci:theirs:v1", "--force")
    assert done.code == 3, done.err
    assert f"theirs/{part}: a link or a file, expected a directory" in done.err
    assert sorted(path.name for path in Path("real").rglob("*")) == ["file", "sha256"]


@pytest.mark.parametrize("verb", ["build", "copy", "repack"])
def test_a_layout_with_links_for_names(verb: str, cli: Cli, layout: str) -> None:
    """Foreign files for every name that will be written."""
    assert cli(*BUILD, "-o", "oci:theirs:v1").code == 0
    index = Path("theirs/index.json").read_bytes()
    Path("real/index").write_bytes(index)
    for path in Path("theirs/blobs/sha256").iterdir():
        path.unlink()
        path.symlink_to(Path("real/file").resolve())
    Path("theirs/index.json").unlink()
    link("theirs/index.json", "../real/index")
    done = cli(*MAKERS[verb], "oci:theirs:v2", "--force")
    assert done.code == 0, done.err
    assert Path("real/file").read_text() == OLD
    assert Path("real/index").read_bytes() == index
    assert not [path for path in Path("theirs").rglob("*") if path.is_symlink()]
    assert cli("extract", "oci:theirs:v2", "-o", "new").code == 0


def test_a_store_without_locks_says_so(cli: Cli, tmp_path: Path) -> None:
    source = tmp_path / "n.c"
    source.write_text("#include <errno.h>\nint flock(int a,int b){errno=ENOLCK;return -1;}\n")
    try:
        subprocess.run(["cc", "-shared", "-fPIC", "-o", "n.so", source], check=True, timeout=60)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no C compiler: {error}")
    environment = {"LD_PRELOAD": str(tmp_path / "n.so")}
    done = cli(*BUILD, "-t", "x:v1", env=environment)
    assert done.code == 0
    assert done.err.count("warning: ") == 1
    assert "this file system has no locks" in done.err
    archive = cli(*BUILD, "-o", "oci-archive:x.tar:v1", env=environment)
    assert (archive.code, archive.err) == (0, "")
