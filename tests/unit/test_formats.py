"""Reports as SARIF, JUnit and GitHub's commands, about names that others chose."""

import json
from collections.abc import Callable
from xml.etree import ElementTree

import pytest

from wasmpack.findings import Rule, judge
from wasmpack.findings.github import github_lines, harmless
from wasmpack.findings.junit import junit_lines
from wasmpack.findings.places import FilePlace, Outcome, Unread, place_in_file, place_of
from wasmpack.findings.sarif import sarif_log

RULE = Rule(code="XYZ001", title="a bad thing", fix="undo it")
HOSTILE = {
    "a command": "::error file=x::pwned",
    "an old command": "##[set-env name=PATH]x",
    "lines": "a\n::set-output name=x::y\r\nb",
    "markup": "<a>&amp;]]><!--\"'",
    "controls": "\x1b[31m\x00\x07\ufffe\u2028",
    "not UTF-8": "caf\udce9",
    "percent": "100%0A%25,:",
}


def outcomes(text: str) -> list[Outcome]:
    """A hostile text in every place that can hold one."""
    problem = RULE.problem(f"{text}:3 spec.{text}", text, text)
    return [
        judge(text, kind, {"istio-1.29": [problem], "istio-1.30": []}, strict_targets=True)
        for kind in ("module", "image", "wasmplugin")
    ] + [Unread(subject=text, message=text, hint=text)]


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_every_line_for_github_is_one_command_or_none(text: str) -> None:
    for line in github_lines(outcomes(text)):
        assert "\n" not in line
        assert "\r" not in line
        assert line.isprintable()
        if line.startswith("::"):
            head, properties, data = line[2:].split("::", 2)[0], *line[2:].split("::", 1)
            assert head.split(" ")[0] in {"error", "warning", "notice"}
            assert all("=" in part for part in properties.partition(" ")[2].split(","))
            assert data
        else:
            assert line.startswith("wasmpack: ")
            assert "::" not in line
            assert "##[" not in line


@pytest.mark.parametrize(
    ("text", "written"), [("a::b", "a: :b"), ("x ##[debug]", "x ## [debug]"), ("a:b", "a:b")]
)
def test_a_line_of_the_log_is_no_command(text: str, written: str) -> None:
    assert harmless(text) == written


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_junit_is_xml_whatever_names_hold(text: str) -> None:
    root = ElementTree.fromstring("\n".join(junit_lines(outcomes(text))))
    assert len([*root.iter("testcase")]) == 7
    assert (root.attrib["failures"], root.attrib["errors"]) == ("3", "1")


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_uris_of_sarif_have_the_characters_of_uris(text: str) -> None:
    log = sarif_log(outcomes(text))
    (run,) = log["runs"]  # type: ignore[misc]
    assert json.dumps(log).isascii()
    assert run["invocations"][0]["executionSuccessful"] is False
    places = [result["locations"][0] for result in run["results"]]
    assert ["physicalLocation" in place for place in places] == [True, False, True]
    for place in places:
        uri = place.get("physicalLocation", {}).get("artifactLocation", {}).get("uri", "x")
        assert uri.isascii()
        assert not set(uri) & set(' <>"{}|\\^`\n')


@pytest.mark.parametrize(
    ("file", "uri"),
    [
        ("a b/c.yaml", "a%20b/c.yaml"),
        ("/tmp/x.yaml", "file:///tmp/x.yaml"),
        ("50%.wasm", "50%25.wasm"),
    ],
)
def test_a_file_is_named_by_its_uri(file: str, uri: str) -> None:
    assert FilePlace(file).uri == uri


@pytest.mark.parametrize(
    ("where", "place"),
    [
        ("a.yaml:3 spec.url", FilePlace("a.yaml", 3)),
        ("a.yaml:3 spec.url: import env.x", FilePlace("a.yaml", 3)),
        ("a.yaml:12", FilePlace("a.yaml", 12)),
        ("c:\\a.yaml:3 x", FilePlace("c:\\a.yaml", 3)),
        ("import env.x", None),
        ("a.yaml:x", None),
    ],
)
def test_places_are_read_back(where: str, place: FilePlace | None) -> None:
    assert place_in_file(where) == place


def test_a_fingerprint_does_not_change_with_the_line() -> None:
    def fingerprint(where: str) -> object:
        report = judge(
            "a.yaml", "wasmplugin", {"t": [RULE.problem(where, "bad")]}, strict_targets=True
        )
        assert place_of(report.findings[0], report)
        (run,) = sarif_log([report])["runs"]  # type: ignore[misc]
        return run["results"][0]["partialFingerprints"]

    assert fingerprint("a.yaml:3 spec.url") == fingerprint("a.yaml:30 spec.url")
    assert fingerprint("a.yaml:3 spec.url") != fingerprint("a.yaml:3 spec.phase")


@pytest.mark.parametrize("write", [github_lines, junit_lines, sarif_log])
def test_no_subjects_are_no_error(write: Callable[[list[Outcome]], object]) -> None:
    assert write([]) is not None
