"""The contract of the command line, and ways to get it wrong."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest
from conftest import Cli
from support.plugins import PLUGINS, wat
from support.running import AS_FROM_A_TERMINAL

C = PLUGINS / "header-append-c.wasm"
WAT = PLUGINS / "x-wat.wat"


def one_error(err: str) -> str:
    """The sentence of a failure: exactly one, no traceback."""
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert len(lines) == 1, err
    assert "Traceback" not in err
    return lines[0]


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["build", "good.wasm"], 2, "nothing to write to"),
        (["build", "cut.wasm", "-t", "x"], 3, "rejected"),
        (["build", "none.wasm", "-t", "x"], 4, "no such file"),
        (["build", "good.wasm", "-o", "oci:full"], 8, "other files"),
        (["frobnicate"], 2, "no such command"),
    ],
)
def test_getting_it_wrong(
    arguments: list[str], code: int, words: str, cli: Cli, tmp_path: Path
) -> None:
    """As a process; tests/golden/errors has all the sentences."""
    (tmp_path / "good.wasm").write_bytes(wat())
    (tmp_path / "cut.wasm").write_bytes(wat()[:-7])
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "something").touch()
    done = cli(*arguments)
    assert done.code == code, done.err
    assert words in one_error(done.err)
    assert done.out == ""
    assert not (tmp_path / "store").exists() or cli("list").out == "", "nothing is written"


def test_empty_stdin_and_wat_on_stdin(cli: Cli) -> None:
    assert cli("build", "-", "-t", "x", stdin=b"").code == 3
    assert cli("build", "-", "-t", "x", stdin=WAT.read_bytes()).code == 0
    assert cli("build", "-", "-t", "x", stdin=C.read_bytes()).code == 0


def test_build_json_is_the_contract(cli: Cli, tmp_path: Path) -> None:
    done = cli("build", C, "-t", "x:v1", "--format", "json", "--metadata-file", "m.json",
               "--digest-file", "d.txt")  # fmt: skip
    value = json.loads(done.out)
    assert list(value) == ["schemaVersion", "reference", "digest", "size", "variant", "layers",
                           "pushed", "findings", "references"]  # fmt: skip
    assert json.loads((tmp_path / "m.json").read_text()) == value
    assert (tmp_path / "d.txt").read_text().strip() == value["digest"]


def test_inspect_json_is_the_contract(cli: Cli) -> None:
    cli("build", C, "-t", "x:v1")
    value = json.loads(cli("inspect", "image", "x:v1", "--format", "json").out)
    wanted = ["schemaVersion", "reference", "source", "digest", "mediaType", "variant", "created",
              "annotations", "layers", "module", "runtimeConfig", "targets"]  # fmt: skip
    assert list(value)[: len(wanted)] == wanted
    assert value["source"] == "local"
    module = json.loads(cli("inspect", "module", C, "--format", "json").out)
    assert list(module)[:2] == ["schemaVersion", "subject"]
    assert {k: v for k, v in module.items() if k not in {"schemaVersion", "subject"}} == value[
        "module"
    ]


def test_raw_gives_the_bytes(cli: Cli) -> None:
    import hashlib

    digest = cli("build", C, "-t", "x:v1").out.strip().partition("@sha256:")[2]
    raw = cli("inspect", "image", "x:v1", "--raw", "manifest").out
    assert hashlib.sha256(raw.encode()).hexdigest() == digest
    assert json.loads(cli("inspect", "image", "x:v1", "--raw", "config").out)["type"]
    assert cli("inspect", "image", "x:v1", "--raw", "layer:0").out.startswith("{")
    assert cli("inspect", "image", "x:v1", "--raw", "layer:7").code == 4
    assert cli("inspect", "image", "x:v1", "--raw", "soup").code == 2


def test_annotations_and_dates(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text('{"$manifest": {"from.file": "1", "both": "file"}}')
    done = cli("build", C, "-t", "x:v1", "--no-git", "-a", "both=flag", "-a", "k=a=b",
               "--annotation-file", "a.json", env={"SOURCE_DATE_EPOCH": "86400"})  # fmt: skip
    assert done.code == 0, done.err
    value = json.loads(cli("inspect", "image", "x:v1", "--format", "json").out)
    assert value["annotations"] == {
        "from.file": "1", "both": "flag", "k": "a=b",
        "org.opencontainers.image.created": "1970-01-02T00:00:00Z",
    }  # fmt: skip
    assert value["created"] == "1970-01-02T00:00:00Z"
    assert cli("build", C, "-t", "x", env={"SOURCE_DATE_EPOCH": "soon"}).code == 2


def test_docker_labels_are_shown_as_annotations(cli: Cli) -> None:
    cli("build", C, "-t", "x:v1", "--no-git", "-a", "k=v", "--variant", "docker",
        "--created", "2020-01-02T03:04:05+02:00")  # fmt: skip
    value = json.loads(cli("inspect", "image", "x:v1", "--format", "json").out)
    assert value["annotations"]["k"] == "v"
    assert value["created"] == "2020-01-02T01:04:05Z"


def test_layouts_are_not_overwritten(cli: Cli) -> None:
    assert cli("build", C, "-o", "oci:out:v1").code == 0
    assert cli("build", C, "-o", "oci:out:v1").code == 0, "the same image is no other image"
    refused = cli("build", WAT, "-o", "oci:out:v1")
    assert refused.code == 8
    assert "--force" in refused.err
    assert cli("build", WAT, "-o", "oci:out:v2").code == 0
    assert cli("build", WAT, "-o", "oci:out:v1", "--force").code == 0


def test_what_build_prints_can_be_read_again(cli: Cli) -> None:
    for output in ("oci:out:v1", "oci-archive:out.tar:v1", "oci:plain"):
        printed = cli("build", C, "-o", output).out.strip()
        assert cli("digest", printed).out.strip() == printed.rpartition("@")[2]
    printed = cli("build", C, "-t", "me/x").out.strip()
    assert printed.startswith("me/x:latest@sha256:")
    assert cli("extract", printed, "-o", "d").code == 0


def test_extract_does_not_overwrite(cli: Cli, tmp_path: Path) -> None:
    cli("build", C, "-t", "x:v1")
    (tmp_path / "plugin.wasm").write_bytes(b"mine")
    assert cli("extract", "x:v1").code == 8
    assert (tmp_path / "plugin.wasm").read_bytes() == b"mine"
    assert cli("extract", "x:v1", "--force").code == 0
    assert (tmp_path / "plugin.wasm").read_bytes() == C.read_bytes()


def test_list_tag_remove(cli: Cli) -> None:
    cli("build", C, "-t", "x:v1")
    assert cli("tag", "x:v1", "quay.io/me/x:v2").code == 0
    value = json.loads(cli("list", "--format", "json").out)
    assert [row["reference"] for row in value["images"]] == ["quay.io/me/x:v2", "x:v1"]
    assert cli("remove", "x:v1").code == 0
    assert cli("digest", "quay.io/me/x:v2").code == 0
    assert cli("digest", "x:v1").code == 4


def test_validate_image_and_config(cli: Cli, tmp_path: Path) -> None:
    cli("build", C, "-t", "xy:v1")
    done = cli("validate", "image", "xy:v1", "--target", "all", "--format", "json")
    verdicts = {row["target"]: row["verdict"] for row in json.loads(done.out)["targets"]}
    assert done.code == 3, "gcp asks for a file alone"
    assert {name for name, verdict in verdicts.items() if verdict == "reject"} == {"gcp"}
    (tmp_path / "c.json").write_text('{"type": "envoy_proxy", "abiVersions": [1]}')
    refused = cli("validate", "config", "c.json")
    assert refused.code == 3
    assert "$.abiVersions[0]" in refused.out
    missing = cli("validate", "config", "none.json")
    assert missing.code == 4


def test_a_damaged_store(cli: Cli, tmp_path: Path) -> None:
    digest = cli("build", C, "-t", "x:v1").out.strip().rpartition(":")[2]
    layer = json.loads(cli("inspect", "image", "x:v1", "--format", "json").out)["layers"][1]
    blob = tmp_path / "store" / "blobs" / "sha256" / layer["digest"].partition(":")[2]
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    done = cli("extract", "x:v1")
    assert done.code == 7
    assert layer["digest"] in done.err
    assert not (tmp_path / "plugin.wasm").exists()
    assert cli("build", C, "-t", "x:v1").out.strip().rpartition(":")[2] == digest
    assert cli("extract", "x:v1").code == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to mount a small file system")
def test_a_full_disk(cli: Cli, tmp_path: Path) -> None:
    small = tmp_path / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=40k", "tmpfs", small], check=True)
    try:
        store = {"WASMPACK_STORE": str(small / "store")}
        assert cli("build", WAT, "-t", "x:v1", env=store).code == 0
        as_plugin = PLUGINS / "header-append-as.wasm"
        full = cli("build", as_plugin, "-t", "x:v1", env=store)
        assert full.code == 1
        assert "No space left on device" in one_error(full.err)
        assert cli("extract", "x:v1", "-o", tmp_path / "out", env=store).code == 0, "as before"
        assert not [p for p in (small / "store").rglob("*") if p.name.startswith(".wasmpack-tmp")]
    finally:
        subprocess.run(["umount", small], check=True)


def test_colour_only_where_it_is_wanted(cli: Cli) -> None:
    assert "\x1b[" not in cli("inspect", "module", C).out
    assert "\x1b[" in cli("--color", "always", "inspect", "module", C).out
    assert "\x1b[" in cli("inspect", "module", C, env={"FORCE_COLOR": "1"}).out
    assert "\x1b[" not in cli("inspect", "module", C, env={"NO_COLOR": "1", "FORCE_COLOR": "1"}).out


def test_names_of_files_steer_no_terminal(cli: Cli, tmp_path: Path) -> None:
    odd = tmp_path / "e\x1b[31mvil.wasm"
    odd.write_bytes(C.read_bytes())
    assert cli("build", odd, "-t", "a:v1").code == 0
    for done in (cli("inspect", "module", odd), cli("extract", "a:v1", "-o", "out\x1b[31m")):
        assert done.code == 0, done.err
        assert "\x1b" not in done.out
        assert "\\x1b[31m" in done.out


def test_output_fits_eighty_columns(cli: Cli) -> None:
    cli("build", C, "-t", "xy:v1")
    for arguments in (["inspect", "image", "xy:v1"], ["validate", "image", "xy:v1"], ["targets"],
                      ["--help"], ["version"], ["list"]):  # fmt: skip
        done = cli(*arguments)
        assert done.code == 0
        assert max(map(len, done.out.splitlines())) <= 80, arguments


def test_debug_shows_the_traceback(cli: Cli) -> None:
    assert "Traceback" in cli("--debug", "push", "never:built").err


def test_version(cli: Cli) -> None:
    import wasmpack

    assert wasmpack.__version__ in cli("--version").out
    assert json.loads(cli("version", "--format", "json").out)["version"] == wasmpack.__version__


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion(shell: str, cli: Cli) -> None:
    done = cli("completion", shell)
    assert done.code == 0
    assert "__complete" in done.out, "see test_completion.py"


def test_broken_pipe_is_quiet(wasmpack_command: str) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [wasmpack_command, "targets"], stdout=writer, stderr=subprocess.PIPE, text=True
    )
    os.close(writer)
    assert done.stderr == ""
    assert done.returncode == 141


def test_ctrl_c_in_the_middle_of_a_push(cli: Cli, wasmpack_command: str) -> None:
    """A registry that takes the connection and never answers; the store is as before."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as server:
        name = f"127.0.0.1:{server.getsockname()[1]}/slow/x:v1"
        assert cli("build", C, "-t", name).code == 0
        process = subprocess.Popen(
            [*AS_FROM_A_TERMINAL, wasmpack_command, "push", name],
            stderr=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        connection, _ = server.accept()
        connection.recv(100)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        connection.close()
    assert process.returncode == 130
    assert one_error(err.decode()) == "error: interrupted"
    assert out == b""
    assert cli("digest", name).code == 0


def test_a_rejected_artifact_gives_its_report_as_json(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "bad.wat").write_text("(module)")
    done = cli("build", "bad.wat", "-t", "x", "--format", "json")
    assert done.code == 3
    value = json.loads(done.out)
    assert (value["verdict"], value["findings"][0]["code"]) == ("reject", "ABI001")


def test_text_of_others_does_not_steer_the_terminal(cli: Cli) -> None:
    annotation = "k\x1b[2J=\x1b]0;owned\x07\u202e"
    assert cli("build", C, "-t", "x:v1", "--no-git", "-a", annotation).code == 0
    shown = cli("inspect", "image", "x:v1").out
    assert "\x1b" not in shown
    assert "\\x1b[2J" in shown
    value = json.loads(cli("inspect", "image", "x:v1", "--format", "json").out)
    assert value["annotations"] == {"k\x1b[2J": "\x1b]0;owned\x07\u202e"}


@pytest.mark.parametrize("config", ['{"type": "\\ud800"}', '{"type": "x", "n": 1e400}'])
def test_values_that_cannot_be_written_again(config: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text(config)
    done = cli("build", C, "-t", "x", "-c", "c.json")
    assert done.code == 3
    assert "internal" not in one_error(done.err)


@pytest.mark.parametrize(
    ("manifest", "code"),
    [
        (b"{", "IMG004"),
        (b'{"schemaVersion":1,"fsLayers":[]}', "IMG004"),
        (b'{"config":null,"layers":[]}', "IMG001"),
        (b"[]", "IMG004"),
    ],
)
def test_validate_prints_its_report_for_faulty_manifests(
    manifest: bytes, code: str, cli: Cli, tmp_path: Path
) -> None:
    import hashlib

    digest = hashlib.sha256(manifest).hexdigest()
    blobs = tmp_path / "lay" / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    (blobs / digest).write_bytes(manifest)
    (tmp_path / "lay" / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    kind = "application/vnd.oci.image.manifest.v1+json"
    entry = {"mediaType": kind, "digest": f"sha256:{digest}", "size": len(manifest)}
    (tmp_path / "lay" / "index.json").write_text(json.dumps({"manifests": [entry]}))
    done = cli("validate", "image", "oci:lay", "--format", "json")
    assert done.code == 3
    assert [finding["code"] for finding in json.loads(done.out)["findings"]] == [code]
    assert cli("extract", "oci:lay").code == 3


def test_inspect_shows_an_image_with_a_damaged_blob(cli: Cli, tmp_path: Path) -> None:
    cli("build", C, "-t", "x:v1")
    layer = json.loads(cli("inspect", "image", "x:v1", "--format", "json").out)["layers"][1]
    blob = tmp_path / "store" / "blobs" / "sha256" / layer["digest"].partition(":")[2]
    blob.write_bytes(blob.read_bytes()[:-1] + b"!")
    done = cli("inspect", "image", "x:v1", "--format", "json")
    assert done.code == 0
    value = json.loads(done.out)
    assert value["module"] is None
    assert {row["verdict"] for row in value["targets"]} == {"reject"}


def test_remove_by_digest_removes_that_image_only(cli: Cli) -> None:
    first = cli("build", C, "-t", "z").out.strip()
    second = cli("build", WAT, "-t", "z:v1", "-t", "z:v2").out.strip().partition("@")[2]
    done = cli("remove", f"z@{second}")
    assert done.code == 0, done.err
    assert sorted(done.out.split()) == [f"z:v1@{second}", f"z:v2@{second}"]
    assert cli("digest", "z").out.strip() == first.partition("@")[2]
    assert cli("remove", "z", "z:latest").code == 0


def test_verdict_of_some_targets_is_said_in_the_first_line(cli: Cli, go_plugin: Path) -> None:
    done = cli("validate", "module", go_plugin)
    assert done.code == 0
    assert done.out.splitlines()[0].endswith(": accept, but not by ossm-2.6, ossm-3.0, higress-2")


def test_a_pinned_image_with_other_bytes_is_not_extracted(cli: Cli, tmp_path: Path) -> None:
    """A layer that ends right for tar, and wrong for its digest, behind the plugin."""
    cli("build", C, "-o", "oci:lay:v1", "--variant", "compat")
    layer = json.loads(cli("inspect", "image", "oci:lay:v1", "--format", "json").out)["layers"][0]
    blob = tmp_path / "lay" / "blobs" / "sha256" / layer["digest"].partition(":")[2]
    data = blob.read_bytes()
    blob.write_bytes(data[:-8] + bytes(8))
    assert cli("extract", "oci:lay:v1").code == 7
    assert not (tmp_path / "plugin.wasm").exists()
    judged = cli("validate", "image", "oci:lay:v1", "--format", "json")
    assert judged.code == 3
    assert {finding["code"] for finding in json.loads(judged.out)["findings"]} == {"IMG004"}


@pytest.mark.parametrize(
    ("variable", "arguments", "shown"),
    [
        ({"WASMPACK_FORMAT": "json"}, ["list"], '"images"'),
        ({"WASMPACK_LIST_FORMAT": "json"}, ["list"], '"images"'),
        ({"WASMPACK_FORMAT": "json", "WASMPACK_LIST_FORMAT": "text"}, ["list"], "IMAGE"),
        ({"WASMPACK_TARGET": "istio-1.24 ossm-2.2"}, ["validate", "module", C], ", ossm-2.2:"),
        ({"WASMPACK_COLOR": "always"}, ["list"], "\x1b["),
        ({"WASMPACK_VALIDATE_MODULE_TARGET": "ossm-2.2"}, ["validate", "module", C], "  ossm-2.2"),
    ],
)
def test_every_option_has_its_variable(
    variable: dict[str, str], arguments: list[str], shown: str, cli: Cli
) -> None:
    cli("build", C, "-t", "x:v1")
    done = cli(*arguments, env=variable)
    assert done.code == 0, done.err
    assert shown in done.out


def test_a_directory_is_taken_for_a_name_and_that_is_said(cli: Cli) -> None:
    assert cli("build", C, "-o", "oci:plugin:v1").code == 0
    done = cli("inspect", "image", "plugin")
    assert done.code == 0
    assert "plugin: the directory here, not an image of that name (docker://plugin)" in done.err
    for plain in ("./plugin", "oci:plugin"):
        assert "not an image of that name" not in cli("inspect", "image", plain).err


def test_bytes_that_would_steer_a_terminal_are_not_written_to_one(
    wasmpack_command: str, cli: Cli, tmp_path: Path
) -> None:
    import pty

    cli("build", C, "-t", "x:v1")

    def on_a_terminal(part: str) -> tuple[int, bytes]:
        controller, terminal = pty.openpty()
        process = subprocess.Popen(
            [wasmpack_command, "inspect", "image", "x:v1", "--raw", part],
            stdout=terminal, stderr=subprocess.PIPE,
        )  # fmt: skip
        os.close(terminal)
        _, complaint = process.communicate(timeout=120)
        os.close(controller)
        return process.returncode, complaint

    code, complaint = on_a_terminal("layer:1")
    assert code == 2
    assert b"not written to a terminal" in complaint
    assert on_a_terminal("manifest")[0] == 0
    assert cli("inspect", "image", "x:v1", "--raw", "config").code == 0


@pytest.mark.parametrize("name", ["", " "])
def test_an_empty_name(name: str, cli: Cli) -> None:
    done = cli("build", C, "-t", name)
    assert done.code == 2
    assert "an empty image name" in done.err
    assert "is a variable not set?" in done.err


def test_a_runtime_configuration_has_no_targets(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "c.json").write_text('{"typ": "envoy_proxy", "config": {"rootId": []}, "mine": 1}')
    done = cli("validate", "config", "c.json", "--format", "json")
    report = json.loads(done.out)
    assert (done.code, report["targets"]) == (3, [])
    assert [(f["code"], f["where"], f["hint"]) for f in report["findings"][1:]] == [
        ("CFG005", "$.typ", "did you mean type?"),
        ("CFG005", "$.config.rootId", "did you mean rootIds?"),
    ]
    assert "istio" not in cli("validate", "config", "c.json").out
    for option in ("--plugin-config", "--root-id"):
        assert option not in cli("validate", "config", "--help").out


def test_a_name_that_would_steer_a_terminal_is_written_out(
    cli: Cli, go_plugin: Path, tmp_path: Path
) -> None:
    done = cli(
        "build", go_plugin, "--no-git", "--no-validate", "-o", f"oci:{tmp_path}/\x1b]0;evil\x07:v1"
    )
    assert done.code == 0, done.err
    assert "\x1b" not in done.out
    assert "\\x1b]0;evil\\x07:v1@sha256:" in done.out


def test_several_subjects_are_validated_side_by_side_and_shown_in_order(
    cli: Cli, tmp_path: Path
) -> None:
    names = [f"{number}.wasm" for number in range(5)]
    for name in names:
        (tmp_path / name).write_bytes(wat())
    done = cli("validate", *names, "none.wasm", "-j", "2", "--format", "json")
    value = json.loads(done.out)
    assert [result["subject"] for result in value["results"]] == [*names, "none.wasm"]
    assert (value["verdict"], value["results"][-1]["exitCode"], done.code) == ("reject", 4, 4)
    assert "none.wasm: no such file" in one_error(done.err)
    assert cli("validate", *names, "-j", "2").out.endswith("5 subjects: 5 accepted, 0 rejected\n")


@pytest.mark.parametrize(
    ("data", "kind"),
    [(C.read_bytes(), "module"), (WAT.read_bytes(), "module"), (b"{}", "config")],
    ids=["module", "text", "configuration"],
)
def test_standard_input_is_recognized(data: bytes, kind: str, cli: Cli) -> None:
    value = json.loads(cli("validate", "-", "--format", "json", stdin=data).out)
    assert (value["subject"], value["kind"]) == ("<stdin>", kind)


@pytest.mark.parametrize("arguments", [["-V"], ["--version"], ["version"]], ids=" ".join)
def test_every_spelling_of_version(arguments: list[str], cli: Cli) -> None:
    assert cli(*arguments).out.startswith("wasmpack")
