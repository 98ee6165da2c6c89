"""Our reading of layers beside Go's archive/tar and compress/gzip, which open them in istio-agent.

Every input goes to a small program in Go (``go_layers``) that reads it as a tar, and as the fetcher
reads a layer; what both make of it must be the same, in the same words. Where both refuse damaged
gzip, either may be the first to see the damage.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import random
import re
import shutil
import struct
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.mutants import mutant
from support.tar_cases import READ, REFUSED
from support.tars import good_tars, odd_tar

from wasmpack.fetchers.istio import Refused, extract
from wasmpack.oci import media_types as mt
from wasmpack.oci.budget import Budget
from wasmpack.oci.canonical import canonical_json
from wasmpack.oci.descriptor import Descriptor
from wasmpack.oci.gunzip import UnreadableLayer
from wasmpack.oci.layers import Layers
from wasmpack.oci.manifest import Manifest, parse_manifest
from wasmpack.oci.stream import Stream
from wasmpack.oci.tar import TarReader
from wasmpack.targets import Fetcher, ImageRules

pytestmark = pytest.mark.slow

PROGRAM = Path(__file__).with_name("go_layers")
LIMIT = 1 << 20
MOST = 1 << 20
"""Bytes of a content that is compared."""
RULES = ImageRules(reader=Fetcher.ISTIO, one_layer=False, tar_limit=LIMIT, content_limit=None)
COUNT = 4000


@dataclass
class Answer:
    """What a reader makes of an input."""

    rows: list[list[object]]
    end: str
    plugin: str
    fault: str


def go_command() -> str:
    found = shutil.which("go", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert found, "go is not here: the group `test` of pyproject.toml has it"
    return found


@pytest.fixture(scope="module")
def go(tmp_path_factory: pytest.TempPathFactory) -> Callable[[Sequence[bytes]], list[Answer]]:
    """Ask Go."""
    folder = tmp_path_factory.mktemp("go")
    settings = {"GOPROXY": "off", "GOTOOLCHAIN": "local", "GOENV": "off", "GOWORK": "off",
                "GOFLAGS": "-mod=mod", "HOME": str(folder), "GOCACHE": str(folder)}  # fmt: skip
    command = [go_command(), "build", "-o", str(folder / "layers"), "."]
    subprocess.run(command, cwd=PROGRAM, env={**os.environ, **settings}, check=True, timeout=900)

    def ask(inputs: Sequence[bytes]) -> list[Answer]:
        frames = b"".join(struct.pack("<I", len(data)) + data for data in inputs)
        command = [str(folder / "layers"), str(LIMIT)]
        done = subprocess.run(command, input=frames, capture_output=True, timeout=600)
        assert done.returncode == 0, done.stderr[-2000:]
        return [theirs(json.loads(line)) for line in done.stdout.splitlines()]

    return ask


def theirs(answer: dict) -> Answer:
    keys = ("Name", "Kind", "Size", "Content", "Fault")
    fault = re.sub(r" before offset \d+", "", answer["Fault"])
    rows = [[row[key] for key in keys] for row in answer["Entries"] or []]
    return Answer(rows, answer["End"], answer["Plugin"], fault)


def ours(data: bytes, size: int) -> Answer:
    """:param size: of the pieces in which the layer comes."""
    rows, end = listed(data)
    plugin, fault = fetched(data, size)
    return Answer(rows, end, plugin, fault)


def listed(data: bytes) -> tuple[list[list[object]], str]:
    """As the program does it: contents of even entries are read, those of odd ones passed over."""
    rows: list[list[object]] = []
    reader = TarReader(Stream(iter([data])), Budget())
    try:
        for number, entry in enumerate(reader):
            row = [entry.name.hex(), entry.kind[0], entry.size, "", ""]
            rows.append(row)
            if number % 2 or not 0 <= entry.size <= MOST:
                continue
            content = bytearray()
            try:
                for piece in reader.content():
                    content += piece
                row[4] = "EOF" if len(content) < entry.size else ""
            except UnreadableLayer as error:
                row[4] = error.reason
                raise
            finally:
                row[3] = hashlib.sha256(content).hexdigest()
            if entry.size > 0 and entry.read_to < entry.end:  # Go stops there, if it is asked again
                return rows, "archive/tar: sparse file contains unreferenced data"
    except UnreadableLayer as error:
        return rows, error.reason
    return rows, ""


def fetched(data: bytes, size: int) -> tuple[str, str]:
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    try:
        module = extract(docker_image(data), Layers(lambda _: iter(pieces)), RULES)
    except Refused as refused:
        return "", refused.text.rpartition("could not extract wasm binary: ")[2]
    return hashlib.sha256(module).hexdigest(), ""


def docker_image(layer: bytes) -> Manifest:
    """The only kind of image of which the fetcher reports one reason."""
    body = {
        "mediaType": mt.DOCKER_MANIFEST,
        "config": Descriptor.of(b"{}", mt.DOCKER_CONFIG).as_json(),
        "layers": [Descriptor.of(layer, mt.DOCKER_LAYER_TAR_GZIP).as_json()],
    }
    return parse_manifest(canonical_json(body), mt.DOCKER_MANIFEST)


def test_tars_by_hand(go: Callable[[Sequence[bytes]], list[Answer]]) -> None:
    cases = [data for data, _ in (*READ.values(), *REFUSED.values())]
    for name, data, answer in zip((*READ, *REFUSED), cases, go(cases), strict=True):
        assert listed(data) == (answer.rows, answer.end), name


def test_the_files_of_gos_own_tests(go: Callable[[Sequence[bytes]], list[Answer]]) -> None:
    root = subprocess.run([go_command(), "env", "GOROOT"], capture_output=True, text=True).stdout
    files = sorted(Path(root.strip(), "src/archive/tar/testdata").glob("*.tar"))
    assert len(files) > 30
    for path, answer in zip(files, go([path.read_bytes() for path in files]), strict=True):
        assert listed(path.read_bytes()) == (answer.rows, answer.end), path.name


def inputs(rng: random.Random) -> list[bytes]:
    """Tars that are odd or damaged; most of them gzipped, and half of those damaged again."""
    good = [data for data, _ in good_tars(rng)]
    found = []
    for _ in range(COUNT):
        tar = odd_tar(rng) if rng.random() < 0.8 else mutant(rng, rng.choice(good), good)
        if rng.random() < 0.35:
            found.append(tar)
            continue
        cut = rng.randint(0, len(tar)) if rng.random() < 0.2 else len(tar)
        parts = [part for part in (tar[:cut], tar[cut:]) if part]
        packed = b"".join(gzip.compress(part, rng.choice((0, 1, 6, 9))) for part in parts)
        found.append(mutant(rng, packed, [packed]) if rng.random() < 0.5 else packed)
    return found


@pytest.mark.parametrize("seed", [2, 3])
def test_damaged_layers(go: Callable[[Sequence[bytes]], list[Answer]], seed: int) -> None:
    rng = random.Random(seed)
    tried = inputs(rng)
    loaded = 0
    for number, (data, answer) in enumerate(zip(tried, go(tried), strict=True)):
        found = ours(data, rng.choice((1, 7, 512, 1 << 20)))
        where = f"seed {seed}, input {number}"
        assert found.rows == answer.rows, where
        assert found.end == answer.end, where
        assert found.plugin == answer.plugin, where
        assert found.fault == answer.fault or _either_may_be_first(found, answer), where
        loaded += bool(answer.plugin)
    assert loaded > COUNT // 100


def _either_may_be_first(found: Answer, answer: Answer) -> bool:
    """Both refuse, for damage of gzip or for a size that is beyond what is read."""
    words = ("gzip: ", "flate: ", "unexpected EOF", "too large")
    return bool(found.fault) and any(word in answer.fault for word in words)
