"""Words that may come next on a command line."""

from pathlib import Path

import pytest

from wasmpack.cli.completion import answer, complete, cut_off, split_line


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("wasmpack ", ["wasmpack", ""]),
        ("wasmpack va", ["wasmpack", "va"]),
        ("wasmpack build 'my pl", ["wasmpack", "build", "my pl"]),
        ('wasmpack build "my pl', ["wasmpack", "build", "my pl"]),
        ("wasmpack build my\\ pl", ["wasmpack", "build", "my pl"]),
        ("wasmpack build it's \"", ["wasmpack", "build", 'its "']),
    ],
)
def test_a_line_is_split_as_the_shell_does(line: str, words: list[str]) -> None:
    assert split_line(line) == words


@pytest.mark.parametrize(
    ("word", "cut"),
    [("a", ""), ("quay.io/a:v", "quay.io/a:"), ("--format=sa", "--format="), ("a:b@sha", "a:b@")],
)
def test_bash_replaces_what_follows_a_break(word: str, cut: str) -> None:
    assert cut_off(word, " :=@") == cut
    assert cut_off(word, " ") == ""


@pytest.fixture
def desk(tmp_path: Path) -> None:
    for name in ("a.wasm", "b.wat", "c.yaml", "d.json", "e.tar", "f.txt", ".hidden.wasm"):
        (tmp_path / name).touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "tab\tname.wasm").touch()


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("build ", ["a.wasm", "b.wat", "folder/", "tab\tname.wasm"]),
        ("build .", [".hidden.wasm"]),
        ("validate config ", ["d.json", "folder/"]),
        ("validate wasmplugin ", ["c.yaml", "d.json", "folder/"]),
        ("validate --no-image c", ["c.yaml"]),
        ("validate c.yaml --no-im", ["--no-image"]),
        ("validate module a.wasm --no-im", []),
        ("copy oci", ["oci:", "oci-archive:"]),
        ("copy oci-archive:", ["oci-archive:e.tar", "oci-archive:folder/"]),
        ("copy oci:", ["oci:folder/"]),
        ("completion Z", ["ZSH"]),
        ("render w", ["wasmplugin"]),
        ("render wasmplugin x --phase a", ["authn", "authz"]),
        ("validate --format=j", ["--format=json", "--format=junit"]),
        ("help env", ["environment"]),
        ("login ", []),
        ("nonsense ", []),
        ("validate --nonsense x ", None),
        ("--col", ["--color"]),
        ("-v val", ["validate"]),
    ],
)
@pytest.mark.usefixtures("desk")
def test_what_may_come_next(words: str, found: list[str] | None) -> None:
    *before, incomplete = words.split(" ")
    values = [word.value for word in complete(before, incomplete)]
    assert found is None or values == found


@pytest.mark.usefixtures("desk")
def test_a_name_that_would_garble_the_answer_is_left_out() -> None:
    lines = [*answer(["zsh", "build", ""])]
    assert all(line.count("\t") == 2 for line in lines)
    assert [line for line in lines if "name" in line] == []
    assert [*answer(["fish", "build", "b"])] == ["b.wat\t"]
