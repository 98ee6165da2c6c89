"""Pages of ``wasmpack help`` that are not about one command."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import click

from wasmpack.cli.command import Section, sections_of, write_section

Rows = Iterable[tuple[str, str]]
_PLACES = (
    ("quay.io/me/plugin:v1", "A name: the local store first, then the registry."),
    ("docker://quay.io/me/plugin:v1", "A name, in its registry only; --remote does the same."),
    ("quay.io/me/plugin@sha256:…", "A name by its digest."),
    ("oci:DIR[:TAG]", "An OCI image layout; an existing directory works too."),
    ("oci-archive:FILE[:TAG]", "The same as one tar; an existing .tar file works too."),
    ("docker-daemon:NAME[:TAG]", "The local Docker engine (variants compat and docker)."),
)
_VARIABLES = (
    ("WASMPACK_OPTION", "Any long option: WASMPACK_TARGET='istio-1.29 istio-1.30'."),
    ("WASMPACK_COMMAND_OPTION", "The same for one command, which wins: WASMPACK_BUILD_TARGET."),
    ("WASMPACK_PASSWORD", "The password of --username."),
    ("WASMPACK_STORE", "The local store. [default: ~/.local/share/wasmpack/store]"),
    ("DOCKER_CONFIG", "The directory of Docker's config.json, with credentials."),
    ("REGISTRY_AUTH_FILE", "Podman's auth.json."),
    ("SOURCE_DATE_EPOCH", "The date of images that are built, in seconds."),
    ("HTTPS_PROXY, NO_PROXY", "Proxies, as Go programs read them."),
    ("NO_COLOR, FORCE_COLOR", "Colour never, or in pipes too."),
    ("COLUMNS", "The width of text, if the terminal's is not meant."),
)
_PROJECT = (
    ("targets", 'Releases to validate for: ["istio-1.29", "ossm-3.0"].'),
    ("annotations", "A table of annotations for images that are built."),
    ("plugin-config", "The plugin's configuration, a file of the repository."),
    ("vm-config", "The same for its VM."),
    ("registry", 'For image names without one: "quay.io/me".'),
    ("tag", 'For image names without one: "v1".'),
)
_EXIT_CODES = (
    ("0", "Done."),
    ("1", "Anything else."),
    ("2", "Wrong usage."),
    ("3", "Bad artifact, or validation found errors."),
    ("4", "Not found: file, tag, manifest, repository."),
    ("5", "The registry refused the credentials."),
    ("6", "Registry unreachable, TLS, timeout, protocol, 5xx."),
    ("7", "Digest or size mismatch."),
    ("8", "Would overwrite; --force does it."),
    ("130, 141, 143", "Interrupted, nobody reads any more, terminated."),
)


class Topic(NamedTuple):
    """A page of help."""

    summary: str
    text: str = ""
    rows: Rows = ()
    """Its table, unless it is made from options."""


TOPICS = {
    "places": Topic(
        "How to say where an image is.",
        "Every command names images in the same way. A place that is written to may be any of "
        "them but a digest; a name is the registry there, or the local store for build and pull.",
        _PLACES,
    ),
    "registry": Topic(
        "Registry options: TLS, credentials, timeouts.",
        "Every command that can reach a registry takes these. Without them, credentials are those "
        "of wasmpack login, docker login and podman login, and loopback addresses use plain HTTP. "
        "copy and mirror take each for one side too: --from-ca-file, --to-username, and so on.",
    ),
    "options": Topic(
        "Options of all commands: -v, -q, --color, …",
        "They may be anywhere on the command line.",
    ),
    "environment": Topic(
        "Variables that are read.",
        "Options on the command line win over variables.",
        _VARIABLES,
    ),
    "project": Topic(
        "The project file, wasmpack.toml.",
        "wasmpack.toml, or [tool.wasmpack] in pyproject.toml, in the working directory or above it "
        "in the same repository. Options and variables win over it; wasmpack config shows what "
        "holds. It cannot loosen a check, nor set TLS, credentials, budgets or output files.",
        _PROJECT,
    ),
    "exit-codes": Topic("Exit codes.", "With several subjects, the worst one.", _EXIT_CODES),
}


def topic_text(name: str, ctx: click.Context) -> str:
    """The page as text, in the terminal's width.

    :param ctx: of the command that shows it
    """
    topic, formatter = TOPICS[name], ctx.make_formatter()
    formatter.write_text(topic.summary)
    formatter.write_paragraph()
    with formatter.indentation():
        formatter.write_text(topic.text)
    title = Section.REGISTRY if name == "registry" else Section.OPTIONS
    of_options = {"registry": _registry_rows, "options": _global_rows}
    rows = of_options[name](ctx) if name in of_options else topic.rows
    write_section(formatter, title if name in of_options else name.capitalize(), [*rows])
    return formatter.getvalue().rstrip("\n")


def _registry_rows(ctx: click.Context) -> Rows:
    from wasmpack.cli.options import registry_options

    @click.command()
    @registry_options
    def reaching(session: object) -> None:
        """Reach a registry."""

    return sections_of(reaching, ctx)[Section.REGISTRY]


def _global_rows(ctx: click.Context) -> Rows:
    root = ctx.find_root().command
    records = (param.get_help_record(ctx) for param in root.get_params(ctx))
    return [row for row in records if row is not None]
