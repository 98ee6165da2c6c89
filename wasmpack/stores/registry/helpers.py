"""Credential helpers, by Docker's protocol: programs that the user's own configuration names.

They get the user's whole environment: a key ring needs its session, a cloud's helper its profile.
"""

import contextlib
import os
import re
import selectors
import shutil
import subprocess
import time

from wasmpack.errors import BadArtifact, WasmpackError
from wasmpack.oci.canonical import JsonValue, find, parse_json
from wasmpack.redaction import shown

_NAME = re.compile(r"[A-Za-z0-9._-]{1,128}")
_TIMEOUT = 30.0
"""Seconds a helper may take: some ask a key ring, none should hang a build."""
_MOST = 1 << 20
"""Bytes it may write."""
_LONGEST_QUESTION = 1 << 15
"""Bytes that fit in a pipe at once, so that nobody waits for the other to read."""
_PIECE = 1 << 16
_LONGEST_WORDS = 200
"""Characters of a helper's own error."""


def helper_named(name: JsonValue, where: str) -> str:
    """The program for a name in a configuration file; never a path.

    :param where: file and key, for errors
    :raises BadArtifact: no such name can be
    """
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise BadArtifact(
            f"{where}: {name!r:.80} is not the name of a credential helper",
            hint="letters, digits, '.', '_' and '-': the program is docker-credential-NAME",
        )
    return f"docker-credential-{name}"


def ask_helper(program: str, verb: str, text: str) -> str | None:
    """Run a helper; None if it says that it has nothing for this server.

    :raises WasmpackError: it is not there, fails, hangs, or writes without end
    """
    pipe, path = subprocess.PIPE, _found(program)
    try:
        process = subprocess.Popen([path, verb], stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL)
    except OSError as error:
        raise WasmpackError(f"the credential helper {program}: {error.strerror}") from error
    try:
        said = _conversation(process, program, text.encode())
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream:  # its children may keep the other end open: they are not waited for
                stream.close()
    if process.returncode == 0:
        return said
    if "credentials not found" in said:
        return None
    words = shown(said.strip(), _LONGEST_WORDS)
    raise WasmpackError(
        f"{program} {verb} failed with exit code {process.returncode}{words and f': {words}'}"
    )


def login_from(program: str, server: str) -> tuple[str, str] | None:
    """User and secret that a helper has for a server."""
    answer = ask_helper(program, "get", server)
    if answer is None:
        return None
    try:
        found = parse_json(answer.encode(), program)
    except BadArtifact:
        found = None
    username, secret = find(found, str, "Username"), find(found, str, "Secret")
    if username is None or secret is None:
        raise WasmpackError(f"{program} gave no usable answer")
    return username, secret


def _found(program: str) -> str:
    """Its path; as for Docker, relative entries of the PATH do not count (nor do empty ones)."""
    entries = os.environ.get("PATH", os.defpath).split(os.pathsep)
    path = shutil.which(program, path=os.pathsep.join(filter(os.path.isabs, entries)))
    if path is None:
        raise WasmpackError(
            f"the credential helper {program} is not on the PATH",
            hint="install it, or take it out of the Docker configuration",
        )
    return path


def _conversation(process: subprocess.Popen[bytes], program: str, text: bytes) -> str:
    """Hand the text over, and take what is written until it ends."""
    assert process.stdin
    assert process.stdout
    if len(text) > _LONGEST_QUESTION:
        raise WasmpackError(f"{program}: more than {_LONGEST_QUESTION} bytes to hand over")
    with contextlib.suppress(BrokenPipeError):
        process.stdin.write(text)
        process.stdin.close()
    until, said = time.monotonic() + _TIMEOUT, b""
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while len(said) <= _MOST:
            if not selector.select(max(0.0, until - time.monotonic())):
                raise _hangs(program)
            data = os.read(process.stdout.fileno(), _PIECE)
            if not data:
                return _ended(process, program, said, until)
            said += data
    raise WasmpackError(f"{program} wrote more than {_MOST} bytes")


def _ended(process: subprocess.Popen[bytes], program: str, said: bytes, until: float) -> str:
    try:
        process.wait(max(0.0, until - time.monotonic()))
        return said.decode()
    except subprocess.TimeoutExpired:
        raise _hangs(program) from None
    except UnicodeDecodeError:
        raise WasmpackError(f"{program} answered with text that is not UTF-8") from None


def _hangs(program: str) -> WasmpackError:
    return WasmpackError(
        f"{program} did not answer within {_TIMEOUT:g} s",
        hint=f"{program} get, by hand, may say what it waits for",
    )
