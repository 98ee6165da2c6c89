"""The differential fuzzer, run shortly; longer runs are made by hand (see its docstring)."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.envoy, pytest.mark.slow]

FUZZ = Path(__file__).with_name("fuzz.py")


def test_no_disagreement_and_enough_that_loads(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, FUZZ, "--count", "240", "--seed", "3", "--keep", tmp_path / "kept"],
        capture_output=True,
        text=True,
        timeout=400,
    )
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    shares = {name: float(share) for share, name in re.findall(r"([\d.]+) %  (.+)", done.stdout)}
    assert shares["loads"] >= 30
    assert shares["loads"] + shares["imports and later"] >= 50
    assert not (tmp_path / "kept").exists()
