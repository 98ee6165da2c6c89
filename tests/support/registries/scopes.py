"""What a token is asked for and what it grants.

"it will take the intersection of the set of requested actions on each resource and the set of
actions that the client has in fact been granted. If the client only has a subset of the requested
access it must not be considered an error" (Distribution, token authentication).
"""

from collections.abc import Iterable
from dataclasses import dataclass

PUBLIC = "public/"
"""Repositories below this name may be pulled by anyone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Someone who may do `actions` in every repository."""

    name: str
    password: str
    actions: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """One resource and actions on it: `repository:team/plugin:pull,push`."""

    type: str
    name: str
    actions: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Scope":
        """Read one scope; the name may hold colons, as in `localhost:5000/plugin`."""
        kind, _, rest = text.partition(":")
        name, colon, actions = rest.rpartition(":")
        if not (kind and name and colon):
            raise ValueError(f"{text!r} is not TYPE:NAME:ACTION[,ACTION]")
        return cls(type=kind, name=name, actions=tuple(filter(None, actions.split(","))))

    def __str__(self) -> str:
        return f"{self.type}:{self.name}:{','.join(self.actions)}"

    def granted_to(self, user: User | None, *, strict: bool) -> "Scope":
        """This scope with the actions `user` gets; nobody in particular is None.

        Strict: none but those asked for. Otherwise all the user may do, as some servers do.
        """
        actions = tuple(
            action for action in self._allowed(user) if action in self.actions or not strict
        )
        return Scope(type=self.type, name=self.name, actions=actions)

    def _allowed(self, user: User | None) -> tuple[str, ...]:
        if self.type != "repository":
            return ()
        if user is not None:
            return user.actions
        return ("pull",) if self.name.startswith(PUBLIC) else ()


def parse_scopes(values: Iterable[str]) -> tuple[Scope, ...]:
    """Read several `scope` parameters, each of which may be a list separated by spaces."""
    return tuple(Scope.parse(text) for value in values for text in value.split())
