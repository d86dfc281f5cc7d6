"""An interpreter of the opcodes of pickle that records of plain data need; Python's own is not used.

A pickle is a program for a small stack machine. Here its opcodes build new plain values, and may call or fill
only what a table of stand-ins allows. What a program builds is bounded by its own length.
"""

import pickletools
from collections.abc import Callable, Mapping
from typing import Any, BinaryIO, NamedTuple

WIDEST = 64
"""Bits of a whole number."""
MOST_SLOTS = 2**32
"""Numbers of memo slots stay below this; slots are made when they are filled."""


class RefusedError(Exception):
    """A record is damaged, or wants something that is no plain data."""


class Name(NamedTuple):
    """A name of a module, which is never looked up there; no tuple to what asks for the type of one."""

    module: str
    name: str

    def __str__(self) -> str:
        """As in Python."""
        return f"{self.module}.{self.name}"


class StandIn:
    """What stands for an object while it is being decoded; made anew for each record."""

    def build(self, state: Any) -> None:
        """Take the state that the record gives the object, once."""
        raise RefusedError(f"it gives a state to a {type(self).__name__}")


class Budget:
    """Bytes that a record may still make of itself, beyond what its opcodes hold."""

    def __init__(self, left: int) -> None:
        self.left = left

    def spend(self, size: int) -> None:
        """Take some of it.

        Raises
        ------
        RefusedError
            There is not so much left.
        """
        self.left -= size
        if self.left < 0:
            raise RefusedError("it makes many times its own size of itself")


Call = Callable[..., Any]


class Machine:
    """Runs programs.

    Parameters
    ----------
    calls
        What may be called, with the budget and the arguments that the program gives.
    objects
        What may be made by NEWOBJ, without arguments.
    names
        What else may be named.
    storage
        Gives what an identifier of a persistent object stands for.
    budget
        Shared by programs inside programs.
    """

    def __init__(
        self,
        calls: Mapping[Name, Call],
        objects: Mapping[Name, type[StandIn]],
        names: frozenset[Name],
        storage: Callable[[Any], StandIn],
        budget: Budget,
    ) -> None:
        self._calls, self._objects, self._storage, self.budget = calls, objects, storage, budget
        self._known = names | calls.keys() | objects.keys()

    def run(self, file: BinaryIO) -> Any:
        """Run the program at the position of a file, to its end.

        Raises
        ------
        RefusedError
            An opcode, a name or a call is not allowed, or has operands of another type.
        Exception
            Of many kinds, if the program is damaged.
        """
        stack: list[Any] = []
        marked: list[list[Any]] = []
        memo: dict[int, Any] = {}
        argument: Any
        while True:
            name, read = OPCODES[file.read(1)]  # none at the end of the file
            argument = None if read is None else read(file)
            if name in VALUES:
                stack.append(_plain(argument))
            elif name in CONSTANTS:
                stack.append(CONSTANTS[name]())
            elif name in ("BINPUT", "MEMOIZE", "LONG_BINPUT", "PUT"):
                memo[_slot(len(memo) if name == "MEMOIZE" else argument)] = stack[-1]
            elif name in ("BINGET", "LONG_BINGET", "GET"):
                stack.append(memo[_slot(argument)])
            elif name == "MARK":
                marked.append(stack)
                stack = []
            elif name in FROM_MARK:
                items, stack = stack, marked.pop()
                FROM_MARK[name](stack, items)
            elif name in TUPLES:
                size = TUPLES[name]
                if len(stack) < size:
                    raise RefusedError("its stack is too short")
                stack[-size:] = [tuple(stack[-size:])]
            elif name == "APPEND":
                item = stack.pop()
                _appends(stack, [item])
            elif name == "SETITEM":
                pair = stack[-2:]
                del stack[-2:]
                _set_items(stack, pair)
            elif name == "GLOBAL":
                module, _, attribute = argument.partition(" ")
                stack.append(self._name(module, attribute))
            elif name == "STACK_GLOBAL":
                attribute, module = stack.pop(), stack.pop()
                stack.append(self._name(module, attribute))
            elif name in ("REDUCE", "NEWOBJ"):
                arguments, called = stack.pop(), stack.pop()
                stack.append(self._called(called, arguments, self._calls if name == "REDUCE" else None))
            elif name == "BUILD":
                state = stack.pop()
                if not isinstance(stack[-1], StandIn):
                    raise RefusedError(f"it gives a state to a {type(stack[-1]).__name__}")
                stack[-1].build(state)
            elif name == "BINPERSID":
                stack.append(self._storage(stack.pop()))
            elif name == "POP":
                stack.pop()
            elif name == "STOP":
                break
            elif name not in ("PROTO", "FRAME"):
                raise RefusedError(f"it uses the opcode {name}, which plain data do without")
        return stack.pop()

    def _name(self, module: Any, attribute: Any) -> Name:
        if type(module) is not str or type(attribute) is not str:
            raise RefusedError("it has a name that is no text")
        name = Name(module, attribute)
        if name not in self._known:
            raise RefusedError(f"it wants {name}, which is neither array nor tensor")
        return name

    def _called(self, called: Any, arguments: Any, calls: Mapping[Name, Call] | None) -> Any:
        if type(called) is not Name or type(arguments) is not tuple:
            raise RefusedError("it calls something that is no name, or with something that are no arguments")
        if calls is None:
            if called not in self._objects or arguments:
                raise RefusedError(f"it makes an object of {called}, or with arguments")
            return self._objects[called]()
        if called not in calls:
            raise RefusedError(f"it calls {called}")
        return calls[called](self.budget, *arguments)


def _plain(value: Any) -> Any:
    if isinstance(value, int) and value.bit_length() >= WIDEST:
        raise RefusedError(f"it has a whole number of {value.bit_length()} bits")
    return bytes(value) if isinstance(value, bytearray) else value


def _slot(index: int) -> int:
    if not 0 <= index < MOST_SLOTS:
        raise RefusedError(f"it has a memo slot {index}")
    return index


def _appends(stack: list[Any], items: list[Any]) -> None:
    if type(stack[-1]) is not list:
        raise RefusedError(f"it appends to a {type(stack[-1]).__name__}")
    stack[-1].extend(items)


def _set_items(stack: list[Any], items: list[Any]) -> None:
    if type(stack[-1]) is not dict or len(items) % 2:
        raise RefusedError(f"it sets items of a {type(stack[-1]).__name__}")
    if not all(type(key) is str for key in items[::2]):
        raise RefusedError("it has a dictionary whose keys are no text")
    stack[-1].update(zip(items[::2], items[1::2], strict=True))


def _dictionary(stack: list[Any], items: list[Any]) -> None:
    stack.append({})
    _set_items(stack, items)


OPCODES: dict[bytes, tuple[str, Callable[[BinaryIO], Any] | None]] = {
    opcode.code.encode("latin1"): (opcode.name, opcode.arg.reader if opcode.arg else None)
    for opcode in pickletools.opcodes
}
"""Name of each opcode, and what reads its argument."""
VALUES = {
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT", "STRING",
    "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES",
    "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
}  # fmt: skip
"""Opcodes whose argument is the value."""
CONSTANTS: dict[str, Callable[[], Any]] = {
    "NONE": lambda: None,
    "NEWTRUE": lambda: True,
    "NEWFALSE": lambda: False,
    "EMPTY_LIST": list,
    "EMPTY_TUPLE": tuple,
    "EMPTY_DICT": dict,
}
TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
FROM_MARK: dict[str, Callable[[list[Any], list[Any]], None]] = {
    "TUPLE": lambda stack, items: stack.append(tuple(items)),
    "LIST": lambda stack, items: stack.append(items),
    "DICT": _dictionary,
    "APPENDS": _appends,
    "SETITEMS": _set_items,
    "POP_MARK": lambda stack, items: None,
}
"""Opcodes that take all values down to the last mark."""
