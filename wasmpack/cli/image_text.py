"""An image as text: one block a subject, aligned, for a terminal of 80 columns."""

import json
from collections.abc import Iterator

from wasmpack.actions.inspect import ImageView
from wasmpack.cli.console import Style, plain_text
from wasmpack.cli.module_text import module_lines, size_text
from wasmpack.cli.report import finding_lines, matrix_lines
from wasmpack.oci.manifest import Index


def image_lines(view: ImageView, style: Style) -> Iterator[str]:
    """Everything ``inspect image`` shows."""
    yield f"{style(plain_text(view.reference), 'bold')} ({view.source})"
    for name, text in (
        ("digest", str(view.top.digest)),
        ("type", view.top.media_type),
        ("variant", view.variant.value),
        ("created", view.created or "no date"),
    ):
        yield f"{style(f'{name:<7}', 'cyan')} {plain_text(text)}"
    yield from _index(view, style)
    yield from _annotations(view, style)
    yield from _layers(view, style)
    yield from _runtime_config(view, style)
    yield style("module", "bold") + (
        f": {plain_text(view.module_fault)}" if view.module is None else ""
    )
    if view.module is not None:
        yield from module_lines(view.module, style)
    yield style("targets", "bold")
    yield from matrix_lines(view.report.targets, style)
    for finding in view.report.findings:
        yield from finding_lines(finding, style, asked=len(view.report.targets))


def _index(view: ImageView, style: Style) -> Iterator[str]:
    if not isinstance(view.top, Index):
        return
    yield style("images of this index", "bold")
    for child in view.top.manifests:
        mark = " (taken by the mesh)" if view.image and child.digest == view.image.digest else ""
        yield f"  {plain_text(str(child.platform or 'no platform'))}{mark}"
        yield f"    {child.digest}"


def _annotations(view: ImageView, style: Style) -> Iterator[str]:
    if view.annotations:
        yield style("annotations", "bold")
    for key, text in sorted(view.annotations.items()):
        yield f"  {style(plain_text(key), 'cyan')}"
        yield f"    {plain_text(text)}"


def _layers(view: ImageView, style: Style) -> Iterator[str]:
    yield style(f"layers ({len(view.layers)})", "bold")
    for number, layer in enumerate(view.layers):
        title = plain_text(layer.title or "no title")
        yield f"  {number}  {title}  {size_text(layer.size)}"
        yield f"     {style(plain_text(layer.media_type), 'dim')}"
        yield f"     {style(str(layer.digest), 'dim')}"


def _runtime_config(view: ImageView, style: Style) -> Iterator[str]:
    if view.runtime_config is None:
        yield style("runtime configuration", "bold") + ": none"
        return
    yield style("runtime configuration", "bold")
    for line in json.dumps(view.runtime_config, indent=2).split("\n"):
        yield f"  {line}"
