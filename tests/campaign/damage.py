"""Damage to bytes, by a seeded random generator, as a list of edits that can be made fewer."""

from dataclasses import dataclass

import numpy as np

COUNTS = (0, 1, -1, 2**31 - 1, 2**32 - 1, 2**40, 2**63 - 1)
TOKENS = (
    b"999999999",
    b"-1",
    b"0",
    b"nan",
    b"1e309",
    b"",
    b"99999999999999999999",
    b"*" * 20,
    b"\xe9",
    b"4.5",
)
"""What stands in place of a number in text."""


@dataclass(frozen=True)
class Edit:
    """Replace `length` bytes at `place` by others."""

    place: int
    length: int
    content: bytes

    def __str__(self) -> str:
        return f"{self.length} bytes at {self.place} -> {self.content[:40]!r}"


def damage(content: bytes, random: np.random.Generator) -> list[Edit]:
    """Choose one to four edits, mostly one."""
    return [_edit(content, random) for _ in range(int(random.choice([1, 1, 1, 2, 4])))]


def apply(content: bytes, edits: list[Edit]) -> bytes:
    """Make edits, one after another."""
    for edit in edits:
        content = content[: edit.place] + edit.content + content[edit.place + edit.length :]
    return content


def shrink(content: bytes, edits: list[Edit], fails) -> list[Edit]:
    """Leave out edits as long as the rest still fails."""
    for edit in list(edits):
        fewer = [other for other in edits if other is not edit]
        if fewer and fails(apply(content, fewer)):
            edits = fewer
    return edits


def _edit(content: bytes, random: np.random.Generator) -> Edit:
    size = len(content)
    place = int(random.integers(size))
    length = int(min(size - place, random.integers(1, 40)))
    text = _is_text(content)
    kind = random.choice(["bit", "bit", "byte", "cut", "end", "insert", "repeat", "count", "token", "zeros"])
    if text and kind == "count":
        kind = "token"
    if kind == "bit":
        return Edit(place, 1, bytes([content[place] ^ 1 << int(random.integers(7 if text else 8))]))
    if kind == "byte":
        return Edit(place, 1, _any(1, random, text))
    if kind == "cut":
        return Edit(place, length, b"")
    if kind == "end":
        return Edit(place, size - place, b"")
    if kind == "insert":
        return Edit(place, 0, _any(length, random, text))
    if kind == "repeat":
        other = int(random.integers(size))
        return Edit(place, 0, content[other : other + length])
    if kind == "count":
        width = int(random.choice([1, 2, 4, 8]))
        number = COUNTS[int(random.integers(len(COUNTS)))]
        place -= place % width
        return Edit(place, width, (number % 2 ** (8 * width)).to_bytes(width, "little"))
    if kind == "token":
        digits = [at for at in range(place, min(size, place + 300)) if content[at : at + 1].isdigit()]
        start = digits[0] if digits else place
        end = start
        while end < size and content[end : end + 1] in b"0123456789.+-e":
            end += 1
        return Edit(start, max(1, end - start), TOKENS[int(random.integers(len(TOKENS)))])
    return Edit(place, length, b" " * length if text else bytes(length))


def _is_text(content: bytes) -> bool:
    """Whether damage should leave text, as most of what is no text is refused for that alone."""
    return b"\0" not in content and content.isascii()


def _any(length: int, random: np.random.Generator, text: bool) -> bytes:
    return bytes(random.integers(32, 127, length).tolist()) if text else random.bytes(length)
