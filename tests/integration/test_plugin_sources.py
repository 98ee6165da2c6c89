"""The compiled plugins in the repository are what their sources give."""

import os
import shutil
import subprocess
import sys

import pytest
from support.plugins import PLUGINS


@pytest.mark.parametrize("language", ["c", "assemblyscript"])
def test_compiled_plugins_are_fresh(language: str) -> None:
    if language == "assemblyscript" and shutil.which("npm") is None:
        if os.environ.get("WASMPACK_TESTS_NO_SKIP") == "1":
            pytest.fail("npm is not installed, and WASMPACK_TESTS_NO_SKIP=1", pytrace=False)
        pytest.skip("npm is not installed")
    done = subprocess.run(
        [sys.executable, PLUGINS / "build.py", "--check", language],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
