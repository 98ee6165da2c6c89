"""Commands that find out what their subjects are: the noun may be left out."""

import difflib
from pathlib import Path

import click

from wasmpack.cli.command import Group
from wasmpack.oci.place import is_there

_LIKENESS = 0.75
"""From which on a word is a mistyped noun (``difflib``'s measure)."""


class NounGroup(Group):
    """A group whose noun may be left out.

    It runs :attr:`whole` where the first argument is not the name of a command.
    """

    whole: click.Command
    """The command without a noun; it takes the options of all of them."""

    def takes_any(self, command: click.Command) -> click.Command:
        """Decorate :attr:`whole`."""
        self.whole = command
        return command

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Put the noun first, or the empty name of the command that needs none."""
        if args and args[0] not in self.commands and not ctx.resilient_parsing:
            helps = set(ctx.help_option_names) & set(args)
            args = [helps.pop()] if helps else self._with_noun(ctx, args)
        return super().parse_args(ctx, args)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        return super().get_command(ctx, cmd_name) if cmd_name else self.whole

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        self.whole.format_usage(ctx, formatter)
        self.whole.format_help_text(ctx, formatter)
        self.format_commands(ctx, formatter)
        self.whole.format_options(ctx, formatter)
        self.whole.format_epilog(ctx, formatter)

    def _with_noun(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Options may stand before the noun."""
        with click.Context(self.whole, parent=ctx, info_name="") as inner:
            given, _, _ = self.whole.make_parser(inner).parse_args([*args])
        subjects = next(p.name for p in self.whole.params if isinstance(p, click.Argument))
        first = next(iter(given[subjects] or ()), "")
        if first in self.commands:
            at = args.index(first)
            return [first, *args[:at], *args[at + 1 :]]
        near = difflib.get_close_matches(first.lower(), self.commands, 1, _LIKENESS)
        if near and not is_there(Path(first).exists):
            raise click.NoSuchCommand(first, possibilities=near, ctx=ctx)
        return ["", *args]


def inner_commands(command: click.Command) -> dict[str, click.Command]:
    """Those of a group, by name; one that needs no noun has an empty name."""
    found = dict(command.commands) if isinstance(command, click.Group) else {}
    return found | ({"": command.whole} if isinstance(command, NounGroup) else {})
