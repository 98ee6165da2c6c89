"""A fetcher's refusal of an image, and the advice that most of them call for."""

from wasmpack.findings import Blank, Command, Hint

REPACK = Command("repack", (Blank.IMAGE, Blank.DESTINATION))


class Refused(Exception):
    """``text`` is the consumer's own where it is known; the rest is ours."""

    def __init__(self, text: str, where: str, hint: str | Hint, *, why: str = "") -> None:
        super().__init__(text)
        self.text = text
        self.why = why
        self.where = where
        self.hint = Hint.of(hint)

    @property
    def said(self) -> str:
        """The words of the fetcher, in quotes, and the reason in ours."""
        return f"the fetcher refuses it: '{self.text}'" + (f": {self.why}" if self.why else "")


class NotWasm(Refused):
    """The image is fine, but the file in it is not a module."""
