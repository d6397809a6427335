"""What a person who labels chooses from: the classes of a label space, with their keys and definitions."""

from dataclasses import dataclass

from ff_helpers.terms import GLOSSARY, SPACES, Space, classes


@dataclass(frozen=True)
class Choice:
    """One class of a label space.

    Attributes:
        label: the class.
        key: the digit that chooses it, from 1.
        letter: a second key, its first letter in lower case; unique within each space.
        meaning: the definition that the labeller reads; of a class that joins several verdicts, each of them
            with its own, one per line.
    """

    label: str
    key: str
    letter: str
    meaning: str


def choices(space: Space) -> tuple[Choice, ...]:
    """Return the classes of a label space in the order of their keys."""
    return tuple(
        Choice(label, str(place), label[0].lower(), _meaning(space, label))
        for place, label in enumerate(classes(space), start=1)
    )


def _meaning(space: Space, label: str) -> str:
    joined = [verdict for verdict, its_class in SPACES[space].items() if its_class == label]
    if joined == [label]:
        return GLOSSARY[label]
    return "\n".join(["any of", *(f"{verdict}: {GLOSSARY[verdict]}" for verdict in joined)])
