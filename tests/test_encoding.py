"""Text files are UTF-8 whatever the locale: every place that opens one says so."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_text_file_is_opened_with_an_encoding() -> None:
    found = [
        f"{path.relative_to(ROOT)}, line {line}"
        for folder in ("hessbench", "reproduce", "tools", "examples")
        for path in (ROOT / folder).rglob("*.py")
        for line in unspecified(path.read_text(encoding="utf-8"))
    ]
    assert not found, 'add encoding="utf-8"'


def test_what_counts_as_unspecified() -> None:
    assert unspecified("path.read_text()\npath.write_text(x)\nopen(x)\nopen(x, 'w')\npath.open()") == [
        1,
        2,
        3,
        4,
        5,
    ]
    assert unspecified("path.open('r+')\nrun(command, text=True)\nopen(x, mode='a')") == [1, 2, 3]
    fine = "path.read_text(encoding='utf-8')", "open(x, 'rb')", "path.open('wb')", "lmdb.open(str(path))"
    assert unspecified("\n".join((*fine, "write_text(path, x)", "run(command, encoding='utf-8')"))) == []


def unspecified(source: str) -> list[int]:
    """Lines of calls that read or write text in the encoding of the locale."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and is_text(node)
        and not any(item.arg == "encoding" for item in node.keywords)
    ]


def is_text(call: ast.Call) -> bool:
    """Whether a call reads or writes text: `read_text`, `open` without b in its mode, or with text=True."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    keywords = {item.arg: item.value for item in call.keywords}
    if name in ("read_text", "write_text"):
        return isinstance(call.func, ast.Attribute)  # our own function write_text knows its encoding
    if name == "open":
        place = 0 if isinstance(call.func, ast.Attribute) else 1
        given = call.args[place] if len(call.args) > place else keywords.get("mode", ast.Constant("r"))
        mode = given.value if isinstance(given, ast.Constant) else None
        return isinstance(mode, str) and re.fullmatch(r"[rwxat+]+", mode) is not None
    return "text" in keywords and ast.unparse(keywords["text"]) == "True"
