"""Words of messages."""


def counted(number: int, noun: str) -> str:
    """Return a number with its noun, in the plural where it is not one: ``1 run``, ``1,204 runs``."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
