"""What the types say about themselves: their fields, the structs inside them, and the words below their fields."""

import ast
import inspect
import typing
from functools import cache
from types import UnionType

import msgspec

Struct = type[msgspec.Struct]


def hints_of(struct: Struct) -> dict[str, object]:
    """Field name to its annotation, limits included."""
    return typing.get_type_hints(struct, include_extras=True)


def structs_in(hint: object) -> list[Struct]:
    """The struct types inside `X | None`, `tuple[X, ...]` and annotations of them."""
    if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
        return [hint]
    if isinstance(hint, UnionType) or typing.get_origin(hint) is not None:
        return [struct for part in typing.get_args(hint) for struct in structs_in(part)]
    return []


def with_inner(struct: Struct) -> dict[str, Struct]:
    """A struct and all that are inside it, by name."""
    found = {struct.__name__: struct}
    for hint in hints_of(struct).values():
        for inner in structs_in(hint):
            found |= with_inner(inner)
    return found


def field_docs(struct: Struct) -> dict[str, str]:
    """Field name to the string that stands below it in the source."""
    docs: dict[str, str] = {}
    for cls in reversed(struct.__mro__):
        if cls.__module__.startswith("schemas."):
            docs |= _own_field_docs(cls)
    return docs


@cache
def _own_field_docs(cls: type) -> dict[str, str]:
    body = ast.parse(inspect.getsource(cls)).body[0]
    assert isinstance(body, ast.ClassDef)  # noqa: S101 -- narrows what getsource of a class always is
    docs = {}
    for field, below in zip(body.body, body.body[1:], strict=False):
        match field, below:
            case ast.AnnAssign(target=ast.Name(id=name)), ast.Expr(value=ast.Constant(value=str(text))):
                docs[name] = inspect.cleandoc(text)
            case _:
                pass
    return docs
