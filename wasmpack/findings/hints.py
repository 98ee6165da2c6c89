"""Hints: the next step, in which a command of ours stays a value until it is printed.

>>> hint = Hint(command=Command("repack", (Blank.IMAGE, Blank.DESTINATION)), after=" finds it")
>>> str(hint.about("quay.io/me/x:v1"))
'wasmpack repack quay.io/me/x:v1 DESTINATION finds it'
"""

from dataclasses import dataclass, replace
from enum import StrEnum

from wasmpack.redaction import bounded


class Blank(StrEnum):
    """An argument that the user fills in, unless whoever shows the hint knows it."""

    IMAGE = "IMAGE"
    DESTINATION = "DESTINATION"


@dataclass(frozen=True, slots=True)
class Command:
    """A command of ours to type."""

    name: str
    """As the table of commands has it: ``repack``."""
    arguments: tuple[str | Blank, ...] = ()

    def __str__(self) -> str:
        return " ".join(["wasmpack", self.name, *self.arguments])

    def about(self, image: str) -> "Command":
        """The same command with the image filled in."""
        known = (image if word is Blank.IMAGE else word for word in self.arguments)
        return replace(self, arguments=tuple(known))


@dataclass(frozen=True, slots=True)
class Hint:
    """A text, with at most one command in it."""

    before: str = ""
    command: Command | None = None
    after: str = ""

    def bounded(self) -> "Hint":
        """The same with its texts cut."""
        return replace(self, before=bounded(self.before), after=bounded(self.after))

    @classmethod
    def of(cls, given: "str | Hint") -> "Hint":
        """The hint itself, or one that is text alone."""
        return given if isinstance(given, Hint) else cls(given)

    def __str__(self) -> str:
        return f"{self.before}{self.command or ''}{self.after}"

    def __bool__(self) -> bool:
        return bool(str(self))

    def about(self, image: str) -> "Hint":
        """The same hint with the image's name in its command."""
        return replace(self, command=self.command and self.command.about(image))
