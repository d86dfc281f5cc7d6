"""Say of a file that no reader takes what it is, where that can be told."""

from pathlib import Path

from hessbench.formats.unpack import compressed

HEAD = 4096
"""Bytes by which a file is judged."""
MAGIC = {
    b"\x89HDF\r\n\x1a\n": "HDF5, but neither in the layout of OpenREACT-CHON-EFH nor of Transition1x.",
    b"PAR1": "a parquet table; save it as a dataset of Arrow streams, or as extended XYZ.",
    b"ARROW1": "a file of Arrow; write it as a stream of Arrow, as the library `datasets` does.",
    b"SQLite format 3": "a database of SQLite, as of ASE; write its structures and labels as extended XYZ.",
    b"\x93NUMPY": "an array of numpy without names; write structures and labels as extended XYZ.",
}
"""First bytes of what is known but not read, and what to do."""


def why_unknown(path: Path) -> str | None:
    """One sentence on a file or directory of no known format; None if there is nothing to say of it."""
    if path.is_dir():
        inside = sorted(item.name for item in path.iterdir() if not item.name.startswith("."))
        if not inside:
            return "the directory is empty."
        if packed := next((name for name in inside if compressed(path / name)), None):
            return f"a directory with compressed files, such as {packed}; decompress them, or name one file."
        return (
            f"a directory of no known format; name a file in it, such as {inside[0]}, or see that all files "
            "in it are of one program."
        )
    if not path.is_file():
        return "neither a file nor a directory."
    with path.open("rb") as file:
        head = file.read(HEAD)
    if not head:
        return "the file is empty."
    for magic, what in MAGIC.items():
        if head.startswith(magic):
            return what
    return _why_no_text(head)


def _why_no_text(head: bytes) -> str | None:
    """What keeps a text from being extended XYZ, or what else it is."""
    if b"* O   R   C   A *" in head:
        return "an output of ORCA; name the .hess file, with the .engrad file of the same name beside it."
    if head.count(b"\0") * 3 >= len(head) and head.replace(b"\0", b"").isascii():
        return "it looks like text in UTF-16 or UTF-32 without a mark that says so; save it as UTF-8."
    if b"\r" in head and b"\n" not in head:
        return "its lines end by carriage returns alone, as of old Macintoshes; save it with usual line ends."
    first, _, rest = head.lstrip().partition(b"\n")
    if not first.strip().isdigit():
        return None
    if b"Properties=" not in rest.partition(b"\n")[0]:
        return (
            "it looks like XYZ, but its second line has no Properties=, so no forces beside the coordinates; "
            "save it as extended XYZ with energy and forces."
        )
    return "it begins with an empty line; remove that." if head[:1].isspace() else None
