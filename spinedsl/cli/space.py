"""Count a search space, draw candidates of it, or find out whether a network lies in it."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

from spinedsl import driver
from spinedsl.brief import table
from spinedsl.cli.options import (
    count,
    file_argument,
    format_argument,
    network_argument,
    output_arguments,
    seed_argument,
)
from spinedsl.cli.output import refused_folder, write_folder
from spinedsl.cli.progress import phases
from spinedsl.cli.terminal import named, read_source, say_mistakes
from spinedsl.cli.voice import UsageError, note
from spinedsl.diagnostics import Diagnostic, Severity, one_of
from spinedsl.diagnostics.plain import counted, one_line
from spinedsl.source import Source
from spinedsl.spaces import count as counting
from spinedsl.spaces.candidates import Candidates, NoCandidate, Priced, Unfit
from spinedsl.spaces.contains import contains
from spinedsl.spaces.model import Space
from spinedsl.spaces.tally import BOUND, Tally

EXAMPLES = """\
examples:
  spine space examples/spaces.spine                                          what every space of the file has
  spine space examples/spaces.spine --space AroundSpineNet49                 the derivation, and how many are candidates
  spine space examples/spaces.spine --space Adjusted --sample 20 --seed 1 -o candidates
  spine space examples/spaces.spine --space Adjusted --contains examples/spinenet.spine --network SpineNet49

The number of decisions is exact: the product of what is chosen. Small spaces are gone through, for how many different
networks they have; of others a sample tells which share of the decisions are candidates, with an interval of 95%.
Candidate N of a seed is always the same, whatever was drawn before. With --contains, exit status 1 means outside.
"""
SMALL = 20_000  # decisions that are gone through one by one
TRIED = 1_000


def arguments(parser: argparse.ArgumentParser) -> None:
    """The command's own arguments."""
    file_argument(parser)
    parser.add_argument("--space", metavar="NAME", help="which space, where the file has several")
    parser.add_argument(
        "--tried", metavar="N", type=count, help=f"decisions that are tried for the share (default {TRIED})"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--sample", metavar="N", type=count, help="draw so many candidates")
    what.add_argument("--contains", metavar="FILE", help="whether a network of that file lies in the space")
    seed_argument(parser, default=None)
    network_argument(parser, ", of the file of --contains")
    output_arguments(parser, "a folder to write the candidates of --sample to", required=False)
    format_argument(parser)


def run(options: argparse.Namespace) -> int:
    """Count, draw or look for a network."""
    _refuse_unread(options)
    analysis = _analysed(options.file)
    if analysis is None:
        return 1
    spaces = dict(analysis.spaces)
    if not spaces:
        raise UsageError(f"{named(options.file)} has no search space: `spine docs spaces` says how one is written")
    if options.space is not None and options.space not in spaces:
        raise UsageError(f"there is no space `{one_line(options.space)}` in it: choose {one_of(spaces)}")
    chosen = [options.space] if options.space is not None else list(spaces)
    if len(chosen) > 1:
        if any(one is not None for one in (options.sample, options.contains, options.tried, options.seed)):
            raise UsageError(f"it has {counted(len(spaces), 'space')}: choose one by --space NAME, {one_of(spaces)}")
        return _say_all(spaces, options)
    try:
        return _of_one(spaces[chosen[0]], options)
    except (Unfit, NoCandidate) as error:
        say_mistakes([error.diagnostic])
        return 1


def _of_one(space: Space, options: argparse.Namespace) -> int:
    candidates = Candidates(space)
    if options.contains is not None:
        return _say_contains(candidates, options)
    if options.sample is not None:
        return _sample(candidates, options)
    return _say_counted(candidates, options)


def _refuse_unread(options: argparse.Namespace) -> None:
    """What is given has to be of something that is done."""
    if options.output is not None and options.sample is None:
        raise UsageError("--output is of what --sample draws: say how many, as in `--sample 20`")
    if options.force and options.output is None:
        raise UsageError("--force is of what -o writes: nothing is written here")
    if options.network is not None and options.contains is None:
        raise UsageError("--network is of the file of --contains; the space says itself which network it is of")
    if options.tried is not None and (options.sample is not None or options.contains is not None):
        raise UsageError(
            "--tried is of the share that is estimated, which is neither with --sample nor with --contains"
        )
    if options.seed is not None and options.contains is not None:
        raise UsageError("--seed is of what is drawn: --contains draws nothing")
    if options.tried == 0 or options.sample == 0:
        raise UsageError(f"--{'tried' if options.tried == 0 else 'sample'} 0 draws nothing: give 1 or more")


def _analysed(file: str) -> driver.Analysis | None:
    """A file without mistakes; None where it has some, which are printed."""
    source = read_source(file)
    if source.value is None:
        say_mistakes(source.diagnostics)
        return None
    outcome = driver.analyse(source.value)
    errors = [one for one in outcome.diagnostics if one.severity is Severity.ERROR]
    if outcome.value is None or errors:
        say_mistakes(errors)
        return None
    return outcome.value


# ---- how many ----


def _say_all(spaces: dict[str, Space], options: argparse.Namespace) -> int:
    """One line for each space."""
    numbers = {name: counting.decisions(space) for name, space in spaces.items()}
    if options.format == "json":
        found = [{"space": name, "network": spaces[name].network.name, "decisions": n} for name, n in numbers.items()]
        print(json.dumps({"spaces": found}, indent=2))
        return 0
    rows = [(f"{name} of {spaces[name].network.name}", counted(number, "decision")) for name, number in numbers.items()]
    print("\n".join(table(rows)))
    note("--space NAME says more of one")
    return 0


def _say_counted(candidates: Candidates, options: argparse.Namespace) -> int:
    """The derivation of a space's number of decisions, and how many of them are candidates."""
    space, seed = candidates.space, options.seed or 0
    whole = candidates.decisions <= SMALL and options.tried is None
    if whole and options.seed is not None:
        raise UsageError(
            f"--seed is of what is drawn: {counted(candidates.decisions, 'decision')} of space `{space.name}` are gone "
            "through; --tried N draws so many of them"
        )
    factors = counting.factors(space)
    found: dict[str, Any] = {
        "space": space.name,
        "network": space.network.name,
        "decisions": candidates.decisions,
        "factors": [{"what": f.what, "formula": f.formula, "value": f.value} for f in factors],
    }
    with phases() as say:
        if whole:
            say(f"going through {candidates.decisions:,} decisions")
            enumerated = counting.enumerate_space(space, candidates.costing)
            tally = enumerated.tally
            found |= {"candidates": tally.candidates, "different": enumerated.different}
        else:
            say("trying decisions")
            tally = counting.estimate(space, candidates.costing, options.tried or TRIED, seed)
            read = tally.candidates + tally.others[BOUND]
            found |= {"tried": tally.tried, "seed": seed, "read": read, "within": tally.candidates}
            found |= {"share": tally.candidates / tally.tried}
            found |= {"interval": list(counting.interval(tally.candidates, tally.tried))}
    tally.refuse()
    found |= {"others": tally.others, "mistake": None if tally.mistake is None else _brief(tally.mistake)}
    print(json.dumps(found, indent=2) if options.format == "json" else "\n".join(_counted(found, tally)))
    return 0


def _brief(mistake: Diagnostic) -> dict[str, Any]:
    """What the compiler says of a candidate, and where, if that is a line of a file."""
    origin = mistake.span.source.origin
    where = {"file": mistake.span.source.name, "line": mistake.span.line} if origin else {}
    return {"code": mistake.code.id, "message": mistake.message, **where}


def _counted(found: dict[str, Any], tally: Tally) -> Iterator[str]:
    """The same for people."""
    yield f"{found['space']}, a space of {found['network']}: {counted(found['decisions'], 'decision')}"
    for at, factor in enumerate(found["factors"]):
        yield f"  {'x' if at else '='} {factor['value']:,}  {factor['what']}: {factor['formula']}"
    if "candidates" in found:
        different = counted(found["different"], "different network")
        yield f"all were gone through: {counted(found['candidates'], 'candidate')}, {different}"
        yield from _others(found, tally)
        return
    low, high = found["interval"]
    are = f"{found['within']:,} {'is a candidate' if found['within'] == 1 else 'are candidates'}"
    yield f"of {counted(found['tried'], 'decision')}, drawn alike with seed {found['seed']}, {are}"
    yield from _others(found, tally)
    yield f"  {100 * found['share']:.1f}% of all decisions, {100 * low:.1f}% to {100 * high:.1f}% with 95% confidence"
    about, least, most = (_power(found["decisions"], part) for part in (found["share"], low, high))
    yield f"  so about {about} candidates, {least} to {most}"


def _others(found: dict[str, Any], tally: Tally) -> Iterator[str]:
    """What became of decisions that are no candidate."""
    if words := ", ".join(tally.words()):
        yield f"  {words}"
    for keep, value in tally.nearest.items() if not tally.candidates else ():
        yield f"  `keep {keep}`: the nearest has {value:,}"
    if (mistake := found["mistake"]) is not None:
        place = f" ({mistake['file']}:{mistake['line']})" if "file" in mistake else ""
        yield f"  the first that does not: {mistake['code']}, {mistake['message']}{place}"


def _power(number: int, share: float) -> str:
    """A part of a number that may be too large for a float, in three digits."""
    part = number * round(share * 10**9) // 10**9
    text = str(part)
    return f"{part:,}" if len(text) <= 6 else f"{text[0]}.{text[1:3]}e+{len(text) - 1}"


# ---- candidates ----


def _sample(candidates: Candidates, options: argparse.Namespace) -> int:
    """Candidates of a seed, from number 0 on."""
    seed, name = options.seed or 0, candidates.space.name
    files = [f"{name}-{seed}-{number:04d}.spine" for number in range(options.sample)]
    if options.output is not None and (
        status := refused_folder(options.output, files, force=options.force, reads=[options.file])
    ):
        return status
    drawn = [candidates.sample(seed, number) for number in range(options.sample)]
    if thrown := ", ".join(candidates.tally.words()):
        note(f"{candidates.tally.tried:,} decisions were drawn for {counted(len(drawn), 'candidate')}: {thrown}")
    if options.output is not None:
        texts = (
            (file, _text(candidates, one, seed, at)) for at, (file, one) in enumerate(zip(files, drawn, strict=True))
        )
        if status := write_folder(options.output, texts):
            return status
        note(f"{counted(len(files), 'candidate')} written to {one_line(options.output)}")
    if options.format == "json":
        print(
            json.dumps(
                {"space": name, "seed": seed, "candidates": [_figures(*one) for one in enumerate(drawn)]}, indent=2
            )
        )
        return 0
    head = ("number", "multiply-adds", "parameters")
    rows = [(str(at), f"{one.costs.multiply_adds:,}", f"{one.costs.parameters:,}") for at, one in enumerate(drawn)]
    print("\n".join(table([head, *rows])))
    return 0


def _text(candidates: Candidates, one: Priced, seed: int, number: int) -> bytes:
    head = f"# Candidate {number} of seed {seed} in space {candidates.space.name}, by spine space.\n"
    return (head + candidates.text(one)).encode()


def _figures(number: int, one: Priced) -> dict[str, Any]:
    found: dict[str, Any] = {
        "number": number,
        "multiply_adds": one.costs.multiply_adds,
        "parameters": one.costs.parameters,
    }
    genome = one.genome
    found |= {"orders": genome.orders, "parents": genome.parents, "levels": genome.levels, "types": genome.types}
    return found | ({"memory": one.memory} if one.memory is not None else {})


# ---- a network that may lie inside ----


def _say_contains(candidates: Candidates, options: argparse.Namespace) -> int:
    source = read_source(options.contains)
    if source.value is None:
        say_mistakes(source.diagnostics)
        return 1
    name = _network(source.value, options)
    if name is None:
        return 1
    outcome = driver.analyse(source.value, None, name)
    assert outcome.value is not None
    answer = contains(candidates.costing, outcome.value.checked[name].typed)
    inside = answer.genome is not None
    if options.format == "json":
        reasons = [{"message": one.message, "line": one.span.line, "expected": one.label} for one in answer.reasons]
        print(
            json.dumps({"network": name, "inside": inside, "reasons": reasons, "blocks": dict(answer.called)}, indent=2)
        )
        return 0 if inside else 1
    if not inside:
        say_mistakes(answer.reasons)
        return 1
    others = "; ".join(f"its `{own}` is `{theirs}`" for own, theirs in answer.called.items())
    print(f"{name} lies in {candidates.space.name}" + (f", with other names: {others}" if others else ""))
    return 0


def _network(source: Source, options: argparse.Namespace) -> str | None:
    """The network that is looked for; None where its file has mistakes, which are printed."""
    loaded = driver.load(source)
    outcome = driver.analyse(loaded)
    errors = [one for one in outcome.diagnostics if one.severity is Severity.ERROR]
    if errors:
        say_mistakes(errors)
        return None
    found = driver.choose_network(loaded.networks, options.network)
    if isinstance(found, str):
        return found
    if options.network is not None:
        raise UsageError(
            f"there is no network `{one_line(options.network)}` in {options.contains}: choose {one_of(found)}"
        )
    raise UsageError(f"choose a network of {options.contains} by --network NAME: {one_of(found)}")


__all__ = ["arguments", "run"]
sys.set_int_max_str_digits(0)  # a space may have more decisions than Python would print by itself
