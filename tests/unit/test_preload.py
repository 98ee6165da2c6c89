"""The dry run's process that is started before it is certain to be needed."""

import subprocess
import sys

import pytest

from wasmpack.cli.preload import early_dry_run, preload
from wasmpack.dry_run import spawn

COMMANDS = {
    "build x.wasm": 1,
    "-v build x.wasm": 1,
    "build x.wasm --no-validate": 0,
    "validate x.wasm": 1,
    "validate module x.wasm": 1,
    "validate image quay.io/me/x:v1": 1,
    "validate config x.json": 0,
    "validate wasmplugin x.yaml": 0,
    "validate --help": 0,
    "inspect module x.wasm": 0,
    "": 0,
}


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list["subprocess.Popen[bytes]"]:
    """Processes in place of the real ones, which load wasmtime."""
    made: list[subprocess.Popen[bytes]] = []

    def sleeper() -> "subprocess.Popen[bytes]":
        made.append(subprocess.Popen(["sleep", "600"], stdout=subprocess.PIPE))
        return made[-1]

    monkeypatch.setattr(spawn, "spawn_worker", sleeper)
    return made


@pytest.mark.parametrize("line", COMMANDS)
def test_it_is_started_for_commands_that_judge(
    line: str, started: list["subprocess.Popen[bytes]"]
) -> None:
    with early_dry_run(line.split()):
        assert len(started) == COMMANDS[line]
    assert all(process.poll() is not None for process in started), "nobody asked for it"


def test_the_first_who_asks_gets_it(started: list["subprocess.Popen[bytes]"]) -> None:
    with early_dry_run(["build", "x.wasm"]):
        assert spawn.any_worker() is started[0]
        assert spawn.any_worker() is started[1]
    assert [process.poll() for process in started] == [None, None], "its owner ends it"
    for process in started:
        process.kill()
        process.communicate()


def test_whoever_needs_a_module_that_cannot_be_loaded_gets_the_error(
    capsys: pytest.CaptureFixture[str],
) -> None:
    preload("wasmpack.nothing").join()
    assert capsys.readouterr() == ("", "")
    with pytest.raises(ModuleNotFoundError):
        __import__("wasmpack.nothing")


def test_the_registry_client_is_loaded_when_it_was_waited_for() -> None:
    program = (
        "import sys; from wasmpack.cli.preload import REGISTRY, load_registry; load_registry();"
        " assert {REGISTRY, 'oras'} <= sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
