"""What commands read is what the user named: pipes are read, and not waited for without end."""

import contextlib
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.devices import run_there
from support.plugins import PLUGINS

from wasmpack.cli.main import run
from wasmpack.files import inputs as input_files

C = PLUGINS / "header-append-c.wasm"
WASMPLUGIN = """\
apiVersion: extensions.istio.io/v1alpha1
kind: WasmPlugin
metadata: {name: a, namespace: b}
spec: {url: 'oci://quay.io/a/b:1'}
"""
EXTENSION = """\
apiVersion: maistra.io/v1
kind: ServiceMeshExtension
metadata: {name: a, namespace: b}
spec: {image: quay.io/a/b:1, phase: PreAuthZ}
"""
CONFIG = '{"type": "envoy_proxy", "abiVersions": ["v0.2.1"]}'
CREDENTIALS = '{"auths": {"quay.io": {"auth": "dTpw"}}}'
RENDER = ("render", "wasmplugin", "quay.io/a/b:1", "--no-image")
BUILD = ("build", str(C), "--no-git", "--no-validate", "-o", "oci:lay:v1", "--force")

READERS: dict[str, tuple[tuple[str, ...], bytes]] = {
    "build": (("build", "FILE", "--no-git", "--no-validate", "-o", "oci:lay:v1"), C.read_bytes()),
    "build -c": ((*BUILD, "-c", "FILE"), CONFIG.encode()),
    "build --annotation-file": ((*BUILD, "--annotation-file", "FILE"), b'{"a": "b"}'),
    "build --plugin-config": (
        ("build", str(C), "--no-git", "-o", "oci:lay:v1", "--plugin-config", "FILE"), b'{"a":"b"}',
    ),
    "inspect module": (("inspect", "module", "FILE"), C.read_bytes()),
    "validate module": (("validate", "module", "FILE", "--no-dry-run"), C.read_bytes()),
    "validate config": (("validate", "config", "FILE"), CONFIG.encode()),
    "validate wasmplugin": (("validate", "wasmplugin", "FILE", "--no-image"), WASMPLUGIN.encode()),
    "migrate": (("migrate", "servicemeshextension", "FILE"), EXTENSION.encode()),
    "migrate -f": (("migrate", "servicemeshextension", "-f", "FILE"), EXTENSION.encode()),
    "render --values": ((*RENDER, "--values", "FILE"), b"phase: AUTHN"),
    "render --template": ((*RENDER, "--template", "FILE"), WASMPLUGIN.encode()),
    "render --plugin-config": ((*RENDER, "--plugin-config", "FILE"), b"a: b"),
    "render secret --registry-config": (
        ("render", "secret", "quay.io", "--registry-config", "FILE"), CREDENTIALS.encode(),
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(input_files, "WRITER_SECONDS", 0.1)


def filled(arguments: tuple[str, ...], name: str) -> list[str]:
    return [name if argument == "FILE" else argument for argument in arguments]


@contextlib.contextmanager
def pipe_with(data: bytes) -> Iterator[str]:
    """A named pipe that somebody has begun to write."""
    os.mkfifo("p")
    reader = os.open("p", os.O_RDONLY | os.O_NONBLOCK)
    writer = os.open("p", os.O_WRONLY)

    def write() -> None:
        with os.fdopen(writer, "wb") as file:
            file.write(data)

    thread = threading.Thread(target=write)
    thread.start()
    yield "p"
    thread.join(60)
    os.close(reader)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_is_read(reader: str, capfd: pytest.CaptureFixture[str]) -> None:
    arguments, data = READERS[reader]
    with pipe_with(data) as name:
        code = run(filled(arguments, name))
    assert code == 0, capfd.readouterr()


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("reader", READERS)
def test_a_pipe_that_nobody_writes(reader: str, capfd: pytest.CaptureFixture[str]) -> None:
    os.mkfifo("p")
    assert run(filled(READERS[reader][0], "p")) == 1
    assert "error: p: no process writes this pipe" in capfd.readouterr().err
    assert not Path("lay").exists()


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("name", ["/dev/zero", "/dev/urandom", "link"])
def test_a_device_is_not_read(name: str, reader: str, capfd: pytest.CaptureFixture[str]) -> None:
    Path("link").symlink_to("/dev/zero")
    assert run(filled(READERS[reader][0], name)) == 2
    assert f"error: {name}: a device, expected a file" in capfd.readouterr().err


NOWHERE: dict[str, Callable[[], str]] = {
    "256 characters": lambda: "a" * 256,
    "a loop": lambda: Path("l").symlink_to("l") or "l",
    "a file as directory": lambda: Path("f").touch() or "f/x",
    "a path of 5000 characters": lambda: "a/" * 2500 + "b",
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("form", NOWHERE)
def test_names_that_lead_nowhere(form: str, reader: str, capfd: pytest.CaptureFixture[str]) -> None:
    name = NOWHERE[form]()
    code = run(filled(READERS[reader][0], name))
    shown = capfd.readouterr().err
    assert code in {2, 4}, shown
    assert name[:60] in shown
    assert "internal error" not in shown


def shell(command: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return run_there(["bash", "-c", command], stdin=stdin)


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("form", ["<(cat data)", "/dev/stdin", "/dev/fd/0", "/proc/self/fd/0"])
def test_what_is_open_already(form: str, reader: str, wasmpack_command: str) -> None:
    """Process substitution, and standard input by its other names."""
    arguments, data = READERS[reader]
    Path("data").write_bytes(data)
    words = [form if word == "FILE" else f"'{word}'" for word in arguments]
    done = shell(" ".join([wasmpack_command, *words]), data if form[0] == "/" else b"")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "data"),
    [
        ("build - --no-git --no-validate -o oci:lay:v1", C.read_bytes()),
        ("inspect module -", C.read_bytes()),
        ("validate wasmplugin - --no-image", WASMPLUGIN.encode()),
        ("migrate servicemeshextension -", EXTENSION.encode()),
    ],
)
@pytest.mark.parametrize("source", ["< data", "< <(cat data)", "< p"])
def test_standard_input(arguments: str, data: bytes, source: str, wasmpack_command: str) -> None:
    Path("data").write_bytes(data)
    os.mkfifo("p")
    before = "cat data > p & " if source == "< p" else ""
    done = shell(f"{before}{wasmpack_command} {arguments} {source}")
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        "build - -o oci:lay:v1", "inspect module -", "validate wasmplugin - --no-image",
        "migrate servicemeshextension -", "login 127.0.0.1:1 -u u --password-stdin",
    ],
)  # fmt: skip
@pytest.mark.parametrize(
    ("source", "words"),
    [
        ("<&-", "standard input is closed"),
        ("< /dev/zero", "standard input: a device, expected a file"),
    ],
)
def test_standard_input_that_is_none(
    arguments: str, source: str, words: str, wasmpack_command: str
) -> None:
    done = shell(f"{wasmpack_command} {arguments} {source}")
    assert done.returncode in {2, 4}
    assert words in done.stderr.decode()


def test_a_password_that_is_not_text(wasmpack_command: str) -> None:
    done = shell(f"{wasmpack_command} login 127.0.0.1:1 -u u --password-stdin", b"caf\xe9\n")
    assert done.returncode == 2
    assert b"not UTF-8" in done.stderr
    assert b"caf" not in done.stderr


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("option", ["--ca-file", "--cert-file", "--key-file"])
def test_certificates(option: str, capfd: pytest.CaptureFixture[str]) -> None:
    """Libraries open them by name: a pipe must not let them wait, and is read once."""
    arguments = ["tags", "127.0.0.1:1/a/b", option, "p", "--retries", "0"]
    with pipe_with(b"no certificate"):
        assert run(arguments) in {3, 4, 6}
        shown = capfd.readouterr().err
        assert "nobody writes" not in shown
        assert "internal error" not in shown
    assert run(arguments) == 1
    assert "error: p: no process writes this pipe" in capfd.readouterr().err


@pytest.mark.usefixtures("impatient")
def test_a_credentials_file_that_is_a_pipe_is_no_such_file(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Of those that are looked for: nothing was asked of the user, and nothing waits."""
    os.mkfifo("p")
    monkeypatch.setenv("REGISTRY_AUTH_FILE", "p")
    assert run(["render", "secret", "quay.io"]) == 4
    assert "no credentials for quay.io" in capfd.readouterr().err


def test_a_layout_of_pipes(capfd: pytest.CaptureFixture[str]) -> None:
    assert run([*BUILD]) == 0
    for path in Path("lay/blobs/sha256").iterdir():
        path.unlink()
        os.mkfifo(path)
    assert run(["copy", "oci:lay:v1", "oci:other:v1"]) == 3
    assert "expected a regular file" in capfd.readouterr().err
    Path("lay/index.json").unlink()
    os.mkfifo("lay/index.json")
    assert run(["copy", "oci:lay:v1", "oci:other:v1"]) == 4
    os.mkfifo("a.tar")
    assert run(["copy", "oci-archive:a.tar:v1", "oci:other:v1"]) == 1
    assert not Path("other").exists()


@pytest.mark.skipif(not Path("/proc/kmsg").exists(), reason="no /proc/kmsg")
def test_files_of_the_kernel_are_not_read(capfd: pytest.CaptureFixture[str]) -> None:
    """They call themselves regular, and wait for ever or end at once."""
    Path("k.wasm").symlink_to("/proc/kmsg")
    assert run(["validate", "module", "k.wasm"]) == 3
    assert "a kernel file" in capfd.readouterr().err
    assert run([*BUILD]) == 0
    Path("lay/index.json").unlink()
    Path("lay/index.json").symlink_to("/proc/kmsg")
    assert run(["inspect", "image", "oci:lay"]) == 3
    assert "internal error" not in capfd.readouterr().err


def test_settings_of_the_kernel_are_not_written(capfd: pytest.CaptureFixture[str]) -> None:
    path = Path("/proc/sys/kernel/hostname")
    before = path.read_text()
    Path("digest.txt").symlink_to(path)
    for name in ("digest.txt", str(path)):
        assert run([*BUILD, "--force", "--digest-file", name]) == 2
        assert "a kernel setting" in capfd.readouterr().err
    assert path.read_text() == before
