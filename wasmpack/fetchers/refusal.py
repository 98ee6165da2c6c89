"""A fetcher's refusal of an image, and the advice that most of them call for."""

from wasmpack.findings import Blank, Command, Hint

REPACK = Command("repack", (Blank.IMAGE, Blank.DESTINATION))


class Refused(Exception):
    """``text`` is the consumer's own where it is known; ``where`` and ``hint`` are ours."""

    def __init__(self, text: str, where: str, hint: str | Hint) -> None:
        super().__init__(text)
        self.text = text
        self.where = where
        self.hint = Hint.of(hint)


class NotWasm(Refused):
    """The image is fine, but the file in it is not a module."""
