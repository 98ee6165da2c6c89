"""An image as text: what an index contains."""

from support.indexes import AMD, ARM, IMAGE, Shelf, on_shelf

from wasmpack.actions.inspect import inspect_image
from wasmpack.cli.image_text import image_lines
from wasmpack.text import Style


def test_an_index_in_an_index_shows_the_image_that_is_pulled() -> None:
    shelf = Shelf()
    inner = shelf.index((IMAGE.manifest.descriptor, None), (IMAGE.manifest.descriptor, ARM))
    top = shelf.index((IMAGE.manifest.descriptor, ARM), (inner.descriptor, AMD))
    view = inspect_image(on_shelf(top, shelf))
    lines = list(image_lines(view, Style()))
    at = lines.index("images of this index")
    assert lines[at + 1 : lines.index("layers (2)")] == [
        "  linux/arm64",
        f"    {IMAGE.manifest.digest}",
        "  linux/amd64 (an index, followed by the mesh)",
        f"    {inner.digest}",
        "    - (pulled by the mesh)",
        f"      {IMAGE.manifest.digest}",
        "    linux/arm64",
        f"      {IMAGE.manifest.digest}",
    ]
    assert view.as_json()["meshDigest"] == str(IMAGE.manifest.digest)


def test_an_index_without_linux_amd64_has_no_image_to_pull() -> None:
    shelf = Shelf()
    top = shelf.index((IMAGE.manifest.descriptor, ARM))
    view = inspect_image(on_shelf(top, shelf))
    assert view.as_json()["meshDigest"] is None
    assert not [line for line in image_lines(view, Style()) if "by the mesh)" in line]
