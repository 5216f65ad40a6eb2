"""The parameters of a definition that a row fills in by its clauses and levels, and the one that it reads by itself."""

from __future__ import annotations

from collections.abc import Collection

from spinedsl.syntax import tree

FILLED_IN = ("channels", "stride")  # which a row gives by its clauses and levels
IN_CHANNELS = "in_channels"


def asked_of_inputs(definition: tree.Definition) -> tree.Parameter | None:
    """The parameter by which a block type says what its inputs are to arrive with; None where it leaves that to `->`.

    Its default is worked out. One without a default, or with a plain number or flag, is a parameter like any other.
    """
    if definition.kind != "block_type":
        return None
    found = next((one for one in definition.parameters[1:] if one.name.text == IN_CHANNELS), None)
    return None if found is None or isinstance(found.default, tree.Number | tree.Flag | None) else found


def maps_of(definition: tree.Definition, given: Collection[str] = ()) -> int:
    """How many maps a row feeds to its type, one by one: more than one is for block types alone.

    They are the first parameters without a default that no clause fills in, nor the row (`given`), up to the first that
    the body only uses as a number.
    """
    if definition.kind != "block_type":
        return 1
    count, read = 1, None
    for parameter in definition.parameters[1:]:
        name = parameter.name.text
        if parameter.default is not None or name in FILLED_IN or name == IN_CHANNELS or name in given:
            break
        read = read if read is not None else _read_as_maps(definition)
        if name not in read:
            break
        count += 1
    return count


def _read_as_maps(definition: tree.Definition) -> set[str]:
    from spinedsl.ir.read_maps import read_as_maps  # noqa: PLC0415  few types take their maps one by one

    return set(read_as_maps(definition.body))


def arguments_of(use: tree.Use) -> set[str]:
    """The arguments that a row gives its type by name."""
    return {argument.name.text for argument in use.arguments if argument.name is not None}
