"""An image as text: one block a subject, aligned, for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from wasmpack.actions.inspect import SHOWN, ModuleView
from wasmpack.findings.report import findings_text, matrix_lines
from wasmpack.findings.text import Style, table
from wasmpack.images.indexes import linux_amd64
from wasmpack.oci.canonical import indented_json
from wasmpack.oci.manifest import Index
from wasmpack.redaction import plain_text

if TYPE_CHECKING:
    from wasmpack.actions.inspect import ImageView


def image_lines(view: ImageView, style: Style) -> Iterator[str]:
    """Everything ``inspect image`` shows."""
    yield f"{style(plain_text(view.reference), 'bold')} ({view.source})"
    facts = [
        ("digest", str(view.top.digest)),
        ("type", plain_text(view.top.media_type)),
        ("variant", view.variant.value),
        ("created", plain_text(view.created or "no date")),
    ]
    yield from table(facts, style, colours=["cyan"], gap=" ")
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
    yield from findings_text(view.report, style)


def _index(view: ImageView, style: Style) -> Iterator[str]:
    if not isinstance(view.top, Index):
        return
    yield style("images of this index", "bold")
    taken = linux_amd64(view.top) if view.image else None
    for child in view.top.manifests:
        mark = " (pulled by the mesh)" if child is taken else ""
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
    for line in indented_json(view.runtime_config).split("\n"):
        yield f"  {line}"


_BAR = 24
_SHORT = 40
"""Longest name that keeps its column."""
_FEW = 10
"""Memories that are shown."""


def named_module_lines(name: str, view: ModuleView, style: Style) -> Iterator[str]:
    """Everything ``inspect module`` shows."""
    yield style(plain_text(name), "bold")
    yield from module_lines(view, style)


def module_lines(view: ModuleView, style: Style, indent: str = "  ") -> Iterator[str]:
    """One line per fact, in aligned columns."""
    module = view.module
    others = [version for version in view.abi_versions if version != view.abi_version]
    also = f" (also marked: {', '.join(others)})" if others else ""
    facts = [
        ("ABI", f"{view.abi_version or 'none: no proxy loads it'}{also}"),
        ("SDK", view.sdk),
        ("size", size_text(module.size)),
        ("digest", str(view.digest)),
        ("memory", _memories(view)),
    ]
    yield from table(facts, style, colours=["cyan"], gap=" ", indent=indent)
    imports = [(f"{i.module}.{i.name}", i.kind, i.type) for i in module.imports[:SHOWN]]
    exports = [(e.name, e.kind, e.type) for e in module.exports[:SHOWN]]
    yield _title("imports", len(module.imports), style, indent)
    yield from _names(imports, style, indent)
    yield _title("exports", len(module.exports), style, indent)
    yield from _names(exports, style, indent)
    yield _title("sections", len(module.sections), style, indent)
    yield from _sections(view, style, indent)


def size_text(size: int) -> str:
    """Bytes in the unit that reads best (binary prefixes)."""
    if size < 1024:
        return f"{size} B"
    value = float(size)
    for unit in ("KiB", "MiB", "GiB"):
        value /= 1024
        if value < 1024 or unit == "GiB":
            return f"{value:.1f} {unit}"
    raise AssertionError("unreachable: GiB takes the rest")


def _memories(view: ModuleView) -> str:
    memories = view.module.memories
    more = f", {len(memories) - _FEW} more" if len(memories) > _FEW else ""
    return ", ".join(str(memory) for memory in memories[:_FEW]) + more or "none"


def _title(name: str, count: int, style: Style, indent: str) -> str:
    shown = f", of which the first {SHOWN} are shown" if count > SHOWN else ""
    return f"{indent}{style(f'{name} ({count}{shown})', 'cyan')}"


def _names(rows: Sequence[tuple[str, str, str]], style: Style, indent: str) -> Iterator[str]:
    cells = [
        (plain_text(name), text if kind == "func" else f"{kind} {text}")
        for name, kind, text in rows
    ]
    return table(cells, style, colours=["", "dim"], indent=f"{indent}  ", widest=_SHORT)


def _sections(view: ModuleView, style: Style, indent: str) -> Iterator[str]:
    sections = view.module.sections[:SHOWN]
    largest = max((section.size for section in sections), default=0) or 1
    cells = []
    for section in sections:
        share = f"{size_text(section.size):>10} {100 * section.size / view.module.size:5.1f} %"
        bar = "█" * max(1, round(_BAR * section.size / largest)) if section.size else ""
        cells.append((plain_text(section.label)[:_SHORT], share, bar))
    return table(cells, style, colours=["", "", "blue"], indent=f"{indent}  ")
