"""Rules as values: each is declared once, next to the check that raises it.

>>> rule = Rule(code="XYZ001", title="a bad thing", fix="undo it")
>>> rule.problem("line 1", "this is bad", "undo it").code
'XYZ001'

Codes are stable. ``docs/findings.md`` and ``wasmpack explain`` are made of the rules. In a hint, a
command of ours stays a value until it is printed.

>>> hint = Hint(command=Command("repack", (Blank.IMAGE, Blank.DESTINATION)), after=" finds it")
>>> str(hint.about("quay.io/me/x:v1"))
'wasmpack repack quay.io/me/x:v1 DESTINATION finds it'
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from itertools import islice
from typing import TypeVar

from wasmpack.redaction import bounded
from wasmpack.version import SITE


class Blank(StrEnum):
    """An argument that the user fills in, unless the code that shows the hint knows it."""

    IMAGE = "IMAGE"
    DESTINATION = "DESTINATION"


@dataclass(frozen=True, slots=True)
class Command:
    """A command of ours to type."""

    name: str
    """As the table of commands has it: ``repack``."""
    arguments: tuple[str | Blank, ...] = ()
    """Words, and blanks for what is unknown here."""

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
    """Text in front of the command, or all of it."""
    command: Command | None = None
    """The command to type."""
    after: str = ""
    """Text behind the command."""

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


T = TypeVar("T")
_ALIKE = 20
"""Findings of one kind that are listed."""
_COUNTED = 1000
"""Further ones that are counted."""


class Severity(StrEnum):
    """How bad: an error makes its target reject, a warning does so under ``--strict``."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rule:
    """A kind of finding; compared by identity. Its texts are Markdown, without a final period."""

    code: str
    """Three letters and three digits: ``ABI005``."""
    title: str
    """The fault, in a few words."""
    severity: Severity = Severity.ERROR
    """How bad it is by default."""
    otherwise: str = ""
    """Further severities that it can have, and when."""
    cause: str = ""
    """The exact condition, and why it matters."""
    consumer: str = ""
    """Consumers that refuse it, and their messages."""
    example: str = ""
    """Up to four lines that raise it (WebAssembly text, YAML, a command), or its message."""
    fix: str
    """The next step."""

    @property
    def url(self) -> str:
        """The address of the page that explains it."""
        return f"{SITE}/docs/findings#{self.code}"

    def as_json(self) -> dict[str, object]:
        """The contract's shape of it; what is not known is empty."""
        return {
            "code": self.code,
            "title": self.title,
            "severity": self.severity.value,
            "otherwise": self.otherwise,
            "cause": self.cause,
            "consumer": self.consumer,
            "example": self.example,
            "fix": self.fix,
            "url": self.url,
        }

    def problem(
        self, where: str, message: str, hint: str | Hint = "", *, severity: Severity | None = None
    ) -> "Problem":
        """One observation of this kind.

        :param severity: only if it is not the rule's own
        """
        return Problem(
            rule=self,
            severity=severity or self.severity,
            where=where,
            message=message,
            hint=Hint.of(hint),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """One observation, before it is known which targets have it."""

    rule: Rule
    """The kind of finding."""
    severity: Severity
    """The rule's, unless overridden for this problem."""
    where: str
    """The place: ``import env.proxy_foo``, ``section 7 at offset 0x2f``."""
    message: str
    """The reason, with the consumer's own words where they are known."""
    hint: Hint
    """The next step; empty if there is none."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "where", bounded(self.where))
        object.__setattr__(self, "message", bounded(self.message))
        object.__setattr__(self, "hint", self.hint.bounded())

    @property
    def code(self) -> str:
        """The rule's."""
        return self.rule.code

    def about(self, image: str) -> "Problem":
        """The same with the image's name in the command of its hint."""
        return replace(self, hint=self.hint.about(image))


def few(items: Iterable[T], make: Callable[[T], Problem]) -> Iterator[Problem]:
    """The problems of the first items, and one that says how many more there are.

    A module may have a million bad imports; the verdict is the same for one.

    :param make: problems of one rule and severity, so that none that is left out could decide
    """
    left = iter(items)
    problem = None
    for item in islice(left, _ALIKE):
        problem = make(item)
        yield problem
    others = sum(1 for _ in islice(left, _COUNTED))
    if problem is not None and others:
        yield _others(problem, str(others) if others < _COUNTED else f"at least {_COUNTED}")


def few_of_each(problems: Iterable[Problem]) -> Iterator[Problem]:
    """As :func:`few`, of problems that are made already, by rule and severity."""
    numbers: Counter[tuple[Rule, Severity]] = Counter()
    first: dict[tuple[Rule, Severity], Problem] = {}
    for problem in problems:
        kind = problem.rule, problem.severity
        first.setdefault(kind, problem)
        numbers[kind] += 1
        if numbers[kind] <= _ALIKE:
            yield problem
    for kind, number in numbers.items():
        if number > _ALIKE:
            yield _others(first[kind], str(number - _ALIKE))


def _others(alike: Problem, number: str) -> Problem:
    message = f"{number} more findings like the {_ALIKE} that are listed"
    return replace(alike, where="others", message=message)


def unmarked(text: str) -> str:
    """A rule's Markdown without its emphasis, for terminals and other programs."""
    return text.replace("**", "")
