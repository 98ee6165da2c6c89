"""How a reader gives up on an image."""


class Refused(Exception):
    """``text`` is the consumer's own where it is known; ``where`` and ``hint`` are ours."""

    def __init__(self, text: str, where: str, hint: str) -> None:
        super().__init__(text)
        self.text = text
        self.where = where
        self.hint = hint
