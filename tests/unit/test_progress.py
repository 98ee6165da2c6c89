"""What moves on a terminal while work takes long, and that nothing moves elsewhere."""

import io
import os
import pty
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import Cli
from support.plugins import PLUGINS

from wasmpack.cli.progress import CLEAR_LINE, Activity, Ticker, ticker_on
from wasmpack.oci.descriptor import Descriptor, Digest

MIB = 1 << 20
BLOB = Descriptor(
    media_type="application/x",
    digest=Digest.of(b""),
    size=10 * MIB,
    annotations={"org.opencontainers.image.title": "plugin.wasm"},
)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def activity(clock: Clock) -> Activity:
    return Activity(clock)


def test_nothing_is_shown_for_half_a_second(activity: Activity, clock: Clock) -> None:
    activity.note("reading")
    clock.now = 0.4
    assert activity.line(80) == ""
    clock.now = 0.6
    assert activity.line(80).endswith(" 1 s  reading")


def test_the_wheel_turns(activity: Activity, clock: Clock) -> None:
    seen = set()
    for tenth in range(10, 20):
        clock.now = tenth / 10 + 0.01
        seen.add(activity.line(80)[0])
    assert seen == set("|/-\\")


def test_a_transfer_has_bytes_speed_time_left_and_the_blob(
    activity: Activity, clock: Clock
) -> None:
    clock.now = 1.0
    activity.begin("pushing")
    activity.expect(10 * MIB)
    activity(BLOB, 4 * MIB)
    clock.now = 3.0
    assert activity.line(80) == "pushing plugin.wasm  4.0 of 10.0 MiB  2.0 MiB/s  3 s left"
    activity(BLOB, 6 * MIB)
    activity.note("GET x: 200 in 0.10 s")
    assert activity.line(80)[1:] == " 3 s  GET x: 200 in 0.10 s"


def test_before_the_first_byte_it_waits(activity: Activity, clock: Clock) -> None:
    activity.begin("pulling")
    activity.expect(MIB)
    clock.now = 2.0
    assert activity.line(80).endswith("0.0 MiB/s  waiting")


@pytest.mark.parametrize("width", [20, 40, 80])
def test_it_fits(width: int, activity: Activity, clock: Clock) -> None:
    activity.note("x" * 10_000)
    clock.now = 1.0
    assert len(activity.line(width)) == width - 1


def test_a_blob_cannot_steer_the_terminal(activity: Activity, clock: Clock) -> None:
    activity.begin("pulling")
    activity.expect(MIB)
    hostile = Descriptor(
        media_type="x",
        digest=Digest.of(b""),
        size=MIB,
        annotations={"org.opencontainers.image.title": "\x1b[2J\n"},
    )
    activity(hostile, 1)
    clock.now = 1.0
    assert activity.line(200).isprintable()


@pytest.fixture
def drawn(activity: Activity, clock: Clock) -> Iterator[tuple[Ticker, io.StringIO]]:
    """A ticker that has drawn its line."""
    stream = io.StringIO()
    ticker = Ticker(activity, stream)
    clock.now = 1.0
    ticker.draw()
    yield ticker, stream
    ticker.end()


def test_other_lines_get_room(drawn: tuple[Ticker, io.StringIO]) -> None:
    ticker, stream = drawn
    with ticker.away():
        assert stream.getvalue().startswith(CLEAR_LINE)
        assert " 1 s" in stream.getvalue()
        assert stream.getvalue().endswith(CLEAR_LINE)
    ticker.end()
    written = stream.getvalue()
    ticker.draw()
    assert stream.getvalue() == written, "nothing after the end"


def test_nothing_is_drawn_while_another_line_is_printed(
    drawn: tuple[Ticker, io.StringIO],
) -> None:
    ticker, stream = drawn
    with ticker.away():
        drawing = threading.Thread(target=ticker.draw)
        drawing.start()
        drawing.join(0.3)  # as long as it would take without a lock
        stream.write("another line\n")
    drawing.join()
    assert f"{CLEAR_LINE}another line\n{CLEAR_LINE}" in stream.getvalue()


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("variables", "moves"),
    [({"TERM": "xterm"}, True), ({"TERM": "dumb"}, False), ({"TERM": "xterm", "CI": "1"}, False)],
    ids=["a terminal", "a dumb one", "CI"],
)
def test_where_something_may_move(
    variables: dict[str, str], moves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    ticker = ticker_on(Terminal())
    assert (ticker is not None) is moves
    if ticker is not None:
        ticker.end()
    assert ticker_on(io.StringIO()) is None
    assert ticker_on(None) is None


SLOW = """
import sys, time
from wasmpack.cli import main
from wasmpack.actions import validate
real = validate.examine
def slow(*args, **more):
    time.sleep(1.5)
    return real(*args, **more)
validate.examine = slow
sys.exit(main.run(sys.argv[1:]))
"""
"""A command that takes long, whatever the machine."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "moves"), [((), True), (("--no-progress",), False), (("--quiet",), False)]
)
def test_on_a_terminal(
    options: tuple[str, ...], moves: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CI", raising=False)
    ours, theirs = pty.openpty()
    words = ["validate", "module", PLUGINS / "header-append-c.wasm", *options]
    done = subprocess.run(
        [sys.executable, "-c", SLOW, *map(str, words)],
        stderr=theirs,
        stdout=subprocess.PIPE,
        env={**os.environ, "TERM": "xterm"},
    )
    os.close(theirs)
    text = b""
    while True:
        try:
            piece = os.read(ours, 1 << 16)
        except OSError:  # Linux: the other end is closed
            break
        text += piece
    os.close(ours)
    assert done.returncode == 0
    assert done.stdout.startswith(bytes(PLUGINS))
    assert (b" 1 s " in text) is moves
    assert text.endswith(CLEAR_LINE.encode()) is moves


@pytest.mark.slow
def test_in_a_pipe_nothing_moves(cli: Cli, tmp_path: Path) -> None:
    done = cli("build", PLUGINS / "header-append-go.wasm", "-o", f"oci:{tmp_path}/x:v1")
    assert "\r" not in done.out + done.err
