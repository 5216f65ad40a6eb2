"""The parameters of a definition that a row fills in by its clauses and levels, and the one that it reads by itself."""

from __future__ import annotations

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
