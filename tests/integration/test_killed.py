"""Killed at any moment: the store opens, and doing it again succeeds."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import time
from pathlib import Path

import pytest
from support.images import image_of, keep, layout_is_whole, put_by_hand, stands_whole
from support.registries import RunningRegistry

from wasmpack.cli.main import run
from wasmpack.stores.layout import Layout

MOMENTS = 200
SEED = 20261128


def seconds(command: list[str]) -> float:
    start = time.monotonic()
    subprocess.run(command, check=True, capture_output=True)
    return time.monotonic() - start


def killed(command: list[str], after: float) -> bool:
    """Start it, kill it; whether it was still running."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    time.sleep(after)
    process.send_signal(signal.SIGKILL)
    return process.wait() == -signal.SIGKILL


def test_at_any_moment(
    open_registry: RunningRegistry,
    wasmpack_command: str,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    store = Path(os.environ["WASMPACK_STORE"])
    rng = random.Random(SEED)
    module = tmp_path / "plugin.wasm"
    hits = {"build": 0, "push": 0, "pull": 0}
    put_by_hand(open_registry, "killed/pull", image_of(0))
    warm = seconds([wasmpack_command, "pull", f"{open_registry.host}/killed/pull:v1"])
    for number in range(MOMENTS):
        verb = rng.choice(list(hits))
        name = f"{open_registry.host}/killed/{verb}{number if verb != 'pull' else ''}:v1"
        image = image_of(0 if verb == "pull" else number + 1)
        if verb == "build":
            module.write_bytes(image.blobs[image.manifest.layers[1].digest])
        elif verb == "push":
            keep(image, store, name)
        else:
            run(["remove", name])
        command = {
            "build": ["build", str(module), "-t", name, "--no-validate"],
            "push": ["push", name, "--no-validate"],
            "pull": ["pull", name],
        }[verb]
        hits[verb] += killed([wasmpack_command, *command], rng.uniform(0.3, 1.1) * warm)
        Layout.open(store).entries()
        assert run(command) == 0, capfd.readouterr().err
        if verb == "build":
            assert run(["push", name, "--no-validate"]) == 0, capfd.readouterr().err
            assert run(["pull", name]) == 0, "what was built can be read again"
        elif verb == "push":
            assert stands_whole(open_registry, f"killed/push{number}", "v1", image)
    assert run(["prune"]) == 0
    layout_is_whole(store, f"{open_registry.host}/killed/pull:v1", image_of(0))
    assert sum(hits.values()) > MOMENTS // 3, f"killed while it ran: {hits}"
    assert min(hits.values()) > 0, hits


def test_many_at_once(
    open_registry: RunningRegistry, wasmpack_command: str, tmp_path: Path
) -> None:
    """Pulls, builds and prunes in one store, side by side: nothing that is named is missing."""
    store = Path(os.environ["WASMPACK_STORE"])
    images = {number: image_of(500 + number, 50_000) for number in range(6)}
    running = []
    for number, image in images.items():
        put_by_hand(open_registry, f"at-once/{number}", image)
        name = f"{open_registry.host}/at-once/{number}:v1"
        running += [[wasmpack_command, "pull", name], [wasmpack_command, "prune"]]
    started = [
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        for command in running
    ]
    for process in started:
        _, error = process.communicate(timeout=60)
        assert process.returncode == 0, error.decode()
    for number, image in images.items():
        assert layout_is_whole(store, f"{open_registry.host}/at-once/{number}:v1", image)


def test_a_disk_that_is_full(
    open_registry: RunningRegistry, wasmpack_command: str, tmp_path: Path
) -> None:
    image = image_of(600)
    put_by_hand(open_registry, "full/disk", image)
    name = f"{open_registry.host}/full/disk:v1"

    def small_files() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))

    done = subprocess.run(
        [wasmpack_command, "pull", name], capture_output=True, text=True, preexec_fn=small_files
    )
    assert done.returncode == 1
    assert "error: " in done.stderr
    assert "File too large" in done.stderr
    store = Path(os.environ["WASMPACK_STORE"])
    assert not layout_is_whole(store, name, image), "nothing half written, and no name"
    assert run(["pull", name]) == 0
    assert layout_is_whole(store, name, image)


def test_a_damaged_blob_is_named_and_pulled_again(
    open_registry: RunningRegistry, capfd: pytest.CaptureFixture[str]
) -> None:
    image = image_of(601)
    put_by_hand(open_registry, "damaged/blob", image)
    name = f"{open_registry.host}/damaged/blob:v1"
    store = Path(os.environ["WASMPACK_STORE"])
    assert run(["pull", name]) == 0
    blob = store / "blobs" / "sha256" / image.manifest.layers[1].digest.hex
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    assert run(["copy", name, f"oci:{store.parent}/elsewhere:v1"]) == 0
    assert f"{blob} was damaged, and is pulled again" in capfd.readouterr().err
    assert layout_is_whole(store, name, image)
    keep(image, store, "registry.invalid/damaged/blob:v1")
    blob.write_bytes(blob.read_bytes()[:-1] + b"?")
    other = "registry.invalid/damaged/blob:v1"
    assert run(["copy", other, f"oci:{store.parent}/another:v1", "--retries", "0"]) == 7
    error = capfd.readouterr().err
    assert f"{blob} is damaged" in error
    assert "build the image again, or pull it" in error
    assert run(["pull", name]) == 0
    assert layout_is_whole(store, name, image)
