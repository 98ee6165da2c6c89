"""What a user gives: files, annotations, variables."""

import pytest

from wasmpack.actions.inputs import different, parse_variable, read_module_file
from wasmpack.cli.render_fields import variable, variables
from wasmpack.errors import NotFound, WrongUsage


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("MODE", "--env MODE=VALUE"),
        ("MODE:a", "--env MODE=a"),
        ("MODE: a", "--env MODE=a"),
        ("MODE a:b", "--env MODE=a:b"),
        ("MODE:", "--env MODE:=VALUE"),
        ("=a", "--env NAME=VALUE"),
    ],
)
def test_a_variable_that_is_written_in_another_way(text: str, hint: str) -> None:
    with pytest.raises(WrongUsage) as caught:
        parse_variable(text)
    assert caught.value.hint == hint


def test_a_variable_of_a_resource_that_is_written_in_another_way() -> None:
    with pytest.raises(WrongUsage) as caught:
        variable("MODE:a")
    assert caught.value.hint == "--env MODE=a"
    assert variable("A=b:c") == {"name": "A", "value": "b:c"}


def test_two_values_of_a_variable_are_refused() -> None:
    assert different([("A", "x"), ("B", "y"), ("A", "x")]) == {"A": "x", "B": "y"}
    with pytest.raises(WrongUsage) as caught:
        different([("A", "secret"), ("A", "other")])
    assert (caught.value.exit_code, "secret" in str(caught.value)) == (2, False)


def test_two_values_of_a_variable_of_a_resource_are_refused() -> None:
    assert variables(["A=x", "A=x", "B"]) == [
        {"name": "A", "value": "x"},
        {"name": "B", "valueFrom": "HOST"},
    ]
    with pytest.raises(WrongUsage):
        variables(["A=x", "A"])


@pytest.mark.parametrize("name", ["http://r.example/x.wasm", "http:/r.example/x.wasm"])
def test_a_url_is_not_a_file_that_is_missing(name: str) -> None:
    with pytest.raises(WrongUsage) as caught:
        read_module_file(name)
    assert caught.value.message == "http://r.example/x.wasm: a URL, expected a file"
    with pytest.raises(NotFound, match="no such file"):
        read_module_file("none.wasm")
