"""An image as text: one block a subject, aligned, for a terminal of 80 columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from wasmpack.actions.inspect_module import SHOWN, ModuleView
from wasmpack.images.indexes import linux_amd64
from wasmpack.oci.canonical import indented_json
from wasmpack.redaction import plain_text
from wasmpack.text import Style, size_text, table

if TYPE_CHECKING:
    from wasmpack.actions.inspect import ImageView
    from wasmpack.wasm.types import Memory


def image_lines(view: ImageView, style: Style) -> Iterator[str]:
    """Everything ``inspect image`` shows."""
    from wasmpack.findings.report import findings_text, matrix_lines, verdict_text

    verdict = verdict_text(view.report.verdict, style)
    yield f"{style(plain_text(view.reference), 'bold')} ({view.source}): {verdict}"
    yield from matrix_lines(view.report.targets, style)
    yield from findings_text(view.report, style)
    facts = [
        ("digest", str(view.top.digest)),
        ("type", plain_text(view.top.media_type)),
        ("variant", view.variant.value),
        ("created", plain_text(view.created or "-")),
    ]
    yield from table(facts, style, colours=["cyan"], gap=" ")
    if view.indexes:
        yield style("images of this index", "bold")
        yield from _index(view, 0)
    yield from _annotations(view, style)
    yield from _layers(view, style)
    yield from _runtime_config(view, style)
    yield style("module", "bold") + (
        f": {plain_text(view.module_fault)}" if view.module is None else ""
    )
    if view.module is not None:
        yield from module_lines(view.module, style)


def _index(view: ImageView, depth: int) -> Iterator[str]:
    """The rows of one of the indexes, with those of the next one below its row."""
    index, inner = view.indexes[depth], view.indexes[depth + 1 : depth + 2]
    taken = linux_amd64(index)
    for child in index.manifests:
        mark = ""
        if child is taken:
            mark = " (an index, followed by the mesh)" if inner else " (pulled by the mesh)"
        yield f"  {'  ' * depth}{plain_text(str(child.platform or '-'))}{mark}"
        yield f"  {'  ' * depth}  {child.digest}"
        if child is taken and inner:
            yield from _index(view, depth + 1)


def _annotations(view: ImageView, style: Style) -> Iterator[str]:
    if view.annotations:
        yield style("annotations", "bold")
    for key, text in sorted(view.annotations.items()):
        yield f"  {style(plain_text(key), 'cyan')}"
        yield f"    {plain_text(text)}"


def _layers(view: ImageView, style: Style) -> Iterator[str]:
    yield style(f"layers ({len(view.layers)})", "bold")
    for number, layer in enumerate(view.layers):
        title = plain_text(layer.title or "-")
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
_LISTED = 10
"""Imports, exports and sections that are shown of many, so that the verdict stays in sight."""


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
    most = SHOWN if style.everything else _LISTED
    imports = [(f"{i.module}.{i.name}", i.kind, i.type) for i in module.imports[:most]]
    exports = [(e.name, e.kind, e.type) for e in module.exports[:most]]
    yield _title("imports", len(module.imports), style, indent)
    yield from _names(imports, style, indent)
    yield _title("exports", len(module.exports), style, indent)
    yield from _names(exports, style, indent)
    yield _title("sections", len(module.sections), style, indent)
    yield from _sections(view, style, indent)


def _memories(view: ModuleView) -> str:
    memories = view.module.memories
    more = f", {len(memories) - _FEW} more" if len(memories) > _FEW else ""
    return ", ".join(map(_memory, memories[:_FEW])) + more or "-"


def _memory(memory: Memory) -> str:
    most = ", may grow" if memory.maximum is None else f" to {_pages(memory.maximum)}"
    flags = (", shared" if memory.shared else "") + (", 64-bit" if memory.is_64 else "")
    return f"{_pages(memory.minimum)}{most}{flags}"


def _pages(count: int) -> str:
    """Pages of 64 KiB (WebAssembly 2.0, 2.5.4) as MiB."""
    return f"{count / 16:.4g} MiB" if count < 16 * 1024 else f"{count / 16384:.4g} GiB"


def _title(name: str, count: int, style: Style, indent: str) -> str:
    most = SHOWN if style.everything else _LISTED
    more = f", the first {most} are shown" if count > most else ""
    shown = f"{more}: --all" if more and not style.everything else more
    return f"{indent}{style(f'{name} ({count}{shown})', 'cyan')}"


def _names(rows: Sequence[tuple[str, str, str]], style: Style, indent: str) -> Iterator[str]:
    cells = [
        (plain_text(name), text if kind == "func" else f"{kind} {text}")
        for name, kind, text in rows
    ]
    return table(cells, style, colours=["", "dim"], indent=f"{indent}  ", widest=_SHORT)


def _sections(view: ModuleView, style: Style, indent: str) -> Iterator[str]:
    sections = view.module.sections[: SHOWN if style.everything else _LISTED]
    largest = max((section.size for section in sections), default=0) or 1
    cells = []
    for section in sections:
        share = f"{size_text(section.size):>10} {100 * section.size / view.module.size:5.1f} %"
        bar = "█" * max(1, round(_BAR * section.size / largest)) if section.size else ""
        cells.append((plain_text(section.label)[:_SHORT], share, bar))
    return table(cells, style, colours=["", "", "blue"], indent=f"{indent}  ")
