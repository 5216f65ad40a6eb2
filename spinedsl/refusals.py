"""What is raised where somebody asks for what there is not: a network, or an output of one.

Mistakes in a file are never raised, but returned as diagnostics; what is asked of the file stands outside of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from spinedsl.brief import LINE, cut
from spinedsl.diagnostics import nearest, one_of


class Refusal(Exception):
    """What these have in common: a line as its `repr`, and it may be sent to another process."""

    def __repr__(self) -> str:
        return cut(f"<{type(self).__name__}: {str(self).partition(chr(10))[0]}", LINE - 1) + ">"


class NetworkChoice(Refusal, ValueError):
    """A file has several networks and none was chosen, or one that it does not have."""

    @classmethod
    def among(cls, file: str, asked: str | None, known: Sequence[str]) -> NetworkChoice:
        """The refusal of a file whose networks are `known`."""
        if not known:
            return cls(f"{file} has no network that can be compiled as it stands")
        if asked is None:
            return cls(f"{file} has {len(known)} networks, choose one: {one_of(known, limit=40)}")
        near = nearest(asked, known)
        hint = f"; did you mean `{near}`?" if near else f": it has {one_of(known, conjunction='and', limit=40)}"
        return cls(f"{file} has no network `{asked}`{hint}")

    @classmethod
    def unfit(cls, file: str, name: str, parameters: Sequence[str]) -> NetworkChoice:
        """The refusal of a network that is no whole one: a part of others, or one with `parameters` without a value."""
        if not parameters:
            return cls(f"`{name}` of {file} takes maps: it is a part, and runs in a network with an image")
        given = ", ".join(f"{one} = …" for one in parameters)
        return cls(
            f"`{name}` of {file} waits for values: name one that has them, as in `network Own = {name}({given})`"
        )


class OutputChoice(Refusal, ValueError):
    """Outputs are asked for that a network does not have, or none at all."""

    @classmethod
    def of(cls, network: str, asked: Sequence[str], known: Sequence[str]) -> OutputChoice | None:
        """Why a network whose outputs are `known` cannot give those that are asked for, if it cannot."""
        has = one_of(known, conjunction="and", limit=40)
        twice = next((name for at, name in enumerate(asked) if name in asked[:at]), None)
        if twice is not None:
            return cls(f"output `{twice}` is named twice: once is enough")
        if not asked:
            return cls(f"no output of network `{network}` is chosen: it has {has}")
        unknown = [name for name in asked if name not in known]
        if not unknown:
            return None
        near = nearest(unknown[0], known)
        hint = f"; did you mean `{near}`? It has {has}" if near else f": it has {has}"
        return cls(f"network `{network}` has no output {one_of(unknown, conjunction='and')}{hint}")
