"""A space of networks: the types that rows may have, and what is chosen between.

In: the standard prelude, or a user's file. Out: a `Space`, which the strategies draw from.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from spinedsl import api, driver
from spinedsl.given import File, source_of
from spinedsl.ir.filled import FILLED_IN, maps_of
from spinedsl.ir.library import IMPLICIT, Defined
from spinedsl.record import Record, replace
from spinedsl.source import Source
from spinedsl.syntax import tree

IMPORTS = ("blocks", "stems", "resample", "outputs", "heads", "fpn", "mobile")
# Where a file has none of its own of a kind, those of the prelude: the module to import, and the uses.
STANDARD_OF: dict[str, tuple[str, tuple[str, ...]]] = {
    "block_type": ("blocks", ("residual", "bottleneck")),
    "stem_type": ("stems", ("resnet_stem",)),
    "resample_type": ("resample", ("spinenet",)),
    "join_type": ("resample", ("activated_sum",)),
    "output_type": ("outputs", ("endpoint",)),
}
FIELD_OF = {
    "block_type": "blocks",
    "stem_type": "stems",
    "resample_type": "resamples",
    "join_type": "joins",
    "output_type": "outputs",
    "head_type": "heads",
}


class Space(Record):
    """What random networks are made of. A use is a type as a row names it: `bottleneck(expansion = 2)`.

    `head` is the text above the network, with its imports and definitions; `origin` the path that relative imports
    start from. `blocks` to `heads` are the uses of each kind, the simplest first; an output `""` gives its block's map
    as it is, a head `""` is none. `defaults` is what stands in the braces of `defaults { … }`, one choice each: the
    dialects. `levels`, `channels` and the most `inputs` of a block are drawn from, `sizes` are `divisible`, `any` or
    `fixed`, `roundings` what `rules` say of channels, or nothing. A network has at most `most` blocks, and `made` block
    types that are made for it.
    """

    head: str
    blocks: tuple[str, ...]
    stems: tuple[str, ...]
    resamples: tuple[str, ...]
    joins: tuple[str, ...]
    outputs: tuple[str, ...] = ("endpoint", "")
    heads: tuple[str, ...] = ("",)
    defaults: tuple[str, ...] = (
        "act relu, norm batch_norm(momentum = 0.9, epsilon = 1e-3)",
        "act swish, norm batch_norm, conv(padding = symmetric)",
        "act hard_swish, norm batch_norm(momentum = 0.99), conv(padding = same)",
        "act relu6, norm identity, conv(padding = symmetric), max_pool(padding = symmetric)",
        "act gelu, norm layer_norm",
    )
    levels: tuple[int, ...] = (2, 3, 4, 5)
    channels: tuple[int, ...] = (4, 8, 12)
    inputs: int = 2
    sizes: tuple[str, ...] = ("divisible", "any")
    roundings: tuple[str, ...] = ("",)
    most: int = 8
    made: int = 2
    origin: str = ""

    def __post_init__(self) -> None:
        lacking = [name for name in ("blocks", "stems", "resamples", "joins", "outputs") if not getattr(self, name)]
        lacking += [
            name
            for name in ("heads", "defaults", "levels", "channels", "sizes", "roundings")
            if not getattr(self, name)
        ]
        if lacking:
            raise ValueError(f"a space needs at least one of each: it has no {' and no '.join(lacking)}")
        if self.inputs < 1 or self.most < 1 or self.made < 0:
            raise ValueError("a space needs at least one block with at least one input")

    @staticmethod
    def of(file: File, **options: Any) -> Space:
        """The space of a file: its definitions, those that it imports, and its networks' own uses of them.

        Kinds of which it has none come from the prelude. `options` are fields of `Space`, as in `levels=(2, 3, 4)`.

        Raises:
            Mistakes: the file has mistakes.
        """
        analysed = source_of(file).then(driver.analyse)
        if analysed.value is None or not analysed.ok:
            raise api.Mistakes(analysed.diagnostics)
        return _of(analysed.value).but(**options)

    def but(self, **options: Any) -> Space:
        """The same space with other options: `STANDARD.but(levels=(2, 3), sizes=("any",))`."""
        return replace(self, **options)

    def source(self, text: str) -> Source:
        """A drawn text as a file beside the one that the space is of."""
        return Source.from_text(text, "drawn.spine", self.origin)


def _of(analysis: driver.Analysis) -> Space:
    """The space of a checked file: its types, and standard ones where it has none of a kind."""
    head = _without_networks(analysis)
    found: dict[str, tuple[str, ...]] = {}
    for kind, field in FIELD_OF.items():
        uses = dict.fromkeys([*_free_uses(analysis.unit.definitions.values(), kind), *_written_uses(analysis, kind)])
        if not uses and kind in STANDARD_OF:
            module, standard = STANDARD_OF[kind]
            uses = dict.fromkeys(standard)
            if not any(import_.path == ("std", module) for import_ in analysis.unit.file.imports):
                head = _with_import(head, module)
        found[field] = tuple(uses)
    found["outputs"] += ("",)
    found["heads"] = ("", *found["heads"])
    defaults = tuple(dict.fromkeys(_written_defaults(analysis)))
    space = Space(head, **found, origin=analysis.source.origin)  # type: ignore[arg-type]
    return replace(space, defaults=defaults) if defaults else space


def _without_networks(analysis: driver.Analysis) -> str:
    """The text of a file above and between its networks and search spaces."""
    source = analysis.source
    text, end = "", 0
    spans = [n.extent if isinstance(n, tree.Instance) else n.span for n in analysis.unit.file.networks]
    spans += [space.span for space in analysis.unit.file.spaces]
    for span in sorted(spans, key=lambda span: span.start):
        text += source.text[end : span.start]
        end = span.end
    return text + source.text[end:].rstrip("\n") + "\n"


def _with_import(head: str, module: str) -> str:
    """An import more: below the version, which stands first."""
    source = Source.from_text(head)
    version = api.parse(source).value
    assert version is not None
    lines = head.splitlines(keepends=True)
    at = next((n + 1 for n, line in enumerate(lines) if line.startswith("spine ")), 0)
    return "".join([*lines[:at], f"import std.{module}\n", *lines[at:]])


def _free_uses(definitions: Iterable[Defined], kind: str) -> Iterator[str]:
    """The types of a kind that need nothing given."""
    for defined in definitions:
        if defined.kind == kind:
            given = defined.definition.parameters[max(len(IMPLICIT[kind]), maps_of(defined.definition)) :]
            if all(parameter.default is not None or parameter.name.text in FILLED_IN for parameter in given):
                yield defined.name


def _written_uses(analysis: driver.Analysis, kind: str) -> Iterator[str]:
    """The uses of a kind that the file's own rows and settings write, without names of values."""
    for network in analysis.networks.values():
        for row in network.rows:
            uses = [(row.row.use, row.defined)] if row.defined is not None else []
            uses += [use for use in (row.resample, *row.own, row.join) if use is not None]
            for use, defined in uses:
                plain = all(isinstance(argument.value, tree.Number | tree.Flag) for argument in use.arguments)
                if plain and defined.kind == kind and use.span.source is analysis.source:
                    yield " ".join(use.span.text.split())


def _written_defaults(analysis: driver.Analysis) -> Iterator[str]:
    """What stands in the braces of each `defaults` of the file that names no parameter of its network."""
    for network in analysis.networks.values():
        defaults = network.defaults
        if defaults is None or defaults.span.source is not analysis.source:
            continue
        own = {p.name.text for p in network.declared.parameters} | {let.name.text for let in network.lets}
        texts = [" ".join(item.span.text.split()) for item in defaults.items]
        if not any(name in text.split() or f"= {name}" in text for text in texts for name in own):
            yield ", ".join(texts)


# What the prelude does not do: arithmetic in a join, one average for each level, maps that are read in parts, widths
# that stay what they are.
DEFINITIONS = """
join_type halved(inputs) { return concat(sum(inputs) * 0.5) + 0.125 }
resample_type averaged(x, source, target) -> target.in_channels {
    var y = x
    if target.level > x.level { repeat target.level - x.level { y = average_pool(y, kernel = 3, stride = 2) } }
    if target.level < x.level { y = upsample(y, levels = x.level - target.level) }
    return norm(conv(y, target.in_channels, kernel = 1))
}
join_type piled(inputs) { return concat(inputs) }
resample_type kept(x, source, target) -> x.channels {
    if target.level < x.level { return upsample(x, levels = x.level - target.level) }
    var y = x
    repeat target.level - x.level { y = max_pool(y, kernel = 3, stride = 2) }
    return y
}
block_type narrow(x, channels, in_channels = ceil(channels / 2)) -> channels {
    return act(norm(conv(x, channels, kernel = 1 if x.channels > in_channels else 3)))
}
block_type cell(x, channels, stride = 1) -> channels {
    let a = slice(x, ceil(x.channels / 2))
    let b = slice(x, x.channels - a.channels, start = a.channels) if x.channels > 1 else x
    let y = conv(a, channels, kernel = 3, stride = stride)
    return act(norm(y + conv(relu(b), channels, kernel = 1, stride = stride)))
}
def onto(x, channels, goal) -> channels {
    let y = conv(x, channels, kernel = 3, stride = power(2, max(goal - x.level, 0)))
    if x.level > goal { return upsample(y, levels = x.level - goal) }
    return y
}
block_type pair(x, y, channels, stride = 1) -> channels {
    let goal = max(x.level, y.level)
    let z = norm(onto(x, channels, goal)) + relu(onto(y, channels, goal))
    return conv(act(z), channels, kernel = 1, stride = stride)
}
block_type three(a, b, c, channels, in_channels = channels + 2) -> channels * 2 {
    let fine = min(a.level, min(b.level, c.level))
    let y = act(norm(concat(onto(a, channels, fine), onto(b, channels, fine))))
    return concat(conv(y, channels, kernel = 1), onto(c, channels, fine) * 0.5)
}
block_type turns(x, channels, stride = 1) -> channels {
    let y = conv(x, channels, kernel = 3, stride = [stride, 1])
    return act(norm(max_pool(y * 0.5 + relu(y), kernel = [3, 2], stride = [1, stride])))
}
block_type flatter(x, channels, stride = 1) -> channels {
    return act(norm(conv(average_pool(x, kernel = 3), channels, kernel = [3, 1], stride = [stride, 1])))
}
block_type trimmed(x, channels, stride = 1) -> channels {
    return act(norm(conv(x, channels, kernel = 3, stride = stride, padding = 0)))
}
def settled(x) { return act(norm(x)) }
head_type several_norms(features, numbers = 6) -> numbers {
    let pooled = flatten(global_average_pool(settled(first(features))))
    let first_vector = settled(linear(batch_norm(pooled, scale_init = 0.5), numbers, bias = false))
    return layer_norm(group_norm(first_vector, groups = 2)) + batch_norm(linear(first_vector, numbers))
}
block_type upper(x, channels, stride = 1) -> channels {
    let y = conv(x, channels, kernel = 1, stride = stride)
    return slice(concat(y, norm(y)), channels, start = floor(channels / 2))
}
"""
STANDARD = Space(
    head="spine 1\n" + "".join(f"import std.{module}\n" for module in IMPORTS) + DEFINITIONS,
    blocks=(
        "residual",
        "bottleneck",
        "separable",
        "convnext",
        "mbconv",
        "bottleneck(expansion = 2)",
        "mbconv(expansion = 2, kernel = 5, rate = 0.1, inner = swish, gate = sigmoid)",
        "separable(kernel = 5)",
        "convnext(expansion = 2, rate = 0.2)",
        "lateral",
        "merged",
        "smooth(activated = true)",
        "cell",
        "upper",
        "narrow",
        "pair",
        "three",
        "turns",
        "flatter",
        "trimmed",
    ),
    sizes=("divisible", "any", "fixed"),
    roundings=("", "multiple(8)", "", "multiple(5)", "official"),
    stems=("resnet_stem", "mobile_stem"),
    resamples=(
        "spinenet",
        "spinenet(alpha = 1)",
        "spinenet(chained = false)",
        "spinenet_mobile",
        "top_down",
        "averaged",
        "kept",
        "identity",
    ),
    joins=("activated_sum", "plain_sum", "halved", "piled", "concat", "sum"),
    outputs=("endpoint", "", "normed"),
    heads=(
        "",
        "classifier(classes = 7)",
        "retina_tower(outputs = 5, depth = 2)",
        "separable_tower(outputs = 5, depth = 1)",
        "pooled_classifier(classes = 3)",
        "several_norms",
    ),
)
