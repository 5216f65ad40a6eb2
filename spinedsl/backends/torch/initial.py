"""How `reset` tells the tensors of a network apart: one rule for each kind of operation, and what departs from it.

In: a program. Out: for each attribute that says how a tensor starts, its usual value, and whether any operation has
another; such a one carries it as an attribute of its module, of the same name. The lines of `reset` follow from that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from spinedsl.backends.torch.expressions import literal
from spinedsl.ops.graph import flatten
from spinedsl.ops.primitives import Attributes
from spinedsl.ops.program import Program
from spinedsl.ops.rules import SCALED
from spinedsl.ops.types import Value
from spinedsl.record import Record, field

# Of each norm the modules: of maps, and of vectors.
_NORMS = {
    "batch_norm": ("nn.BatchNorm2d", "nn.BatchNorm1d"),
    "group_norm": ("nn.GroupNorm", "nn.GroupNorm"),
    "layer_norm": ("LayerNorm2d", "nn.LayerNorm"),
}

# Of what starts with drawn weights: the class of its modules, and how many numbers go in and come out.
_DRAWN = {
    "conv": ("nn.Conv2d", "module.weight[0].numel()", "module.weight[:, 0].numel() // module.groups"),
    "conv_transpose": (
        "nn.ConvTranspose2d",
        "module.weight[:, 0].numel() // module.stride[0] ** 2",
        "module.weight[0].numel()",
    ),
    "channel_conv": ("ChannelConv1d", "module.weight.numel()", "module.weight.numel()"),
    "linear": ("nn.Linear", "module.weight[0].numel()", "module.weight[:, 0].numel()"),
}


def read_by(primitive: str, attributes: Attributes) -> tuple[str, ...]:
    """The attributes of an operation that say how its tensors start."""
    if primitive == "batch_norm":
        return ("scale_init",)
    if primitive not in _DRAWN:
        return ()
    drawn = ("init_scale", "init_fan") if attributes["init"] != "zeros" else ()
    gain = ("gain_init",) if attributes.get("weight") == SCALED else ()
    read = ("init", *drawn, *(("bias_init",) if attributes.get("bias") else ()), *gain)
    return tuple(name for name in read if name in attributes)


class Rule(Record):
    """The values of an attribute over all operations, the usual one first."""

    name: str
    values: tuple[Value, ...]

    @property
    def usual(self) -> Value:
        """What most operations say."""
        return self.values[0]

    @property
    def mixed(self) -> bool:
        """Some operation says something else."""
        return len(self.values) > 1

    @property
    def text(self) -> str:
        """Python for what holds for `module`."""
        return f'getattr(module, "{self.name}", {literal(self.usual)})' if self.mixed else literal(self.usual)


class Rules(Record):
    """The rules of one program by primitive and attribute, and the primitives in use.

    `norms`: by primitive, the classes of its modules in use. `drawn`: some `parameter` starts with drawn numbers. Such
    a one carries their variance.
    """

    rules: Mapping[str, Mapping[str, Rule]]
    norms: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    drawn: bool = False

    @staticmethod
    def of(program: Program) -> Rules:
        """What the operations of a program say, counted."""
        counts: dict[str, dict[str, Counter[Value]]] = {}
        drawn, norms, graph = False, set[str](), flatten(program)
        for node in graph.nodes:
            if node.primitive in _NORMS:
                norms.add(_NORMS[node.primitive][graph.types[node.result].is_vector])
            drawn = drawn or (node.primitive == "parameter" and isinstance(node.attributes["init"], str))
            of_primitive = counts.setdefault(node.primitive, {})
            for name in read_by(node.primitive, node.attributes):
                of_primitive.setdefault(name, Counter())[node.attributes[name]] += 1
        return Rules(
            {
                primitive: {name: Rule(name, tuple(v for v, _ in count.most_common())) for name, count in found.items()}
                for primitive, found in counts.items()
            },
            {name: tuple(kind for kind in dict.fromkeys(kinds) if kind in norms) for name, kinds in _NORMS.items()},
            drawn,
        )

    def mixed(self, primitive: str) -> Iterator[Rule]:
        """The rules that some operation of a primitive departs from."""
        return (rule for rule in self.rules.get(primitive, {}).values() if rule.mixed)

    def branches(self) -> list[tuple[str, list[str]]]:
        """The body of `reset`: classes of modules, and the lines that initialise a `module` of them."""
        drawn: dict[tuple[str, ...], list[str]] = {}
        for name, (kind, *fans) in _DRAWN.items():
            if name in self.rules:
                drawn.setdefault(tuple(self._weights(self.rules[name], *fans)), []).append(kind)
        made = [(_any_of(kinds), [*body]) for body, kinds in drawn.items()]
        scale = self.rules.get("batch_norm", {}).get("scale_init", Rule("scale_init", (1,)))
        scaled = scale != Rule("scale_init", (1,))
        plain = [kind for name in _NORMS if not (scaled and name == "batch_norm") for kind in self.norms[name]]
        plain += ["Trainable"] if "parameter" in self.rules and not self.drawn else []
        plain += ["Constant"] if "constant" in self.rules else []
        if plain:
            made.append((_any_of(plain), ["module.reset_parameters()"]))
        if self.drawn:
            named_draw = 'truncated_normal(f"{seed}/{name}.weight", module.weight, module.variance)'
            body = ["module.reset_parameters()", "if module.variance:", f"    module.weight.copy_({named_draw})"]
            made.append(("Trainable", body))
        if scaled:
            body = ["module.reset_parameters()", f"nn.init.constant_(module.weight, {scale.text})"]
            made.append((_any_of(self.norms["batch_norm"]), body))
        return made

    @staticmethod
    def _weights(rules: Mapping[str, Rule], fan_in: str, fan_out: str) -> Iterator[str]:
        if "init_scale" in rules:
            rules = {"init_fan": Rule("init_fan", ("fan_in",)), **rules}
        how, fan = rules["init"], rules.get("init_fan")
        if fan is not None and "fan_in" in fan.values:
            yield f"fan_in = {fan_in}"
        if fan is not None and "fan_out" in fan.values:
            yield f"fan_out = {fan_out}"
        if fan is not None and fan.mixed:
            yield f'fan = fan_in if {fan.text} == "fan_in" else fan_out'
        if how.mixed:
            yield f"how = {how.text}"
            for number, kind in enumerate(how.values):
                yield f"{'elif' if number else 'if'} how == {literal(kind)}:"
                yield from (f"    {line}" for line in _fill(kind, rules))
        else:
            yield from _fill(how.usual, rules)
        if (bias := rules.get("bias_init")) is not None:
            yield "if module.bias is not None:"
            yield f"    module.bias.{'zero_()' if bias.values == (0,) else f'fill_({bias.text})'}"
        if (gain := rules.get("gain_init")) is not None:
            yield "if isinstance(module, ScaledConv2d):"
            yield f"    module.gain.{'zero_()' if gain.values == (0,) else f'fill_({gain.text})'}"


def _any_of(kinds: Sequence[str]) -> str:
    """What `isinstance` asks for."""
    return f"({', '.join(kinds)})" if len(kinds) > 1 else kinds[0]


def _fill(how: Value, rules: Mapping[str, Rule]) -> list[str]:
    """Lines that initialise the weight of a module."""
    if how == "zeros":
        return ["module.weight.zero_()"]
    fan, scale = rules["init_fan"], rules["init_scale"]
    variance = f"{scale.text} / {'fan' if fan.mixed else fan.usual}"
    named_draw = f'{how}(f"{{seed}}/{{name}}.weight", module.weight'
    if scale.mixed:
        return [f"variance = {variance}", f"module.weight.copy_({named_draw}, variance))"]
    return [f"module.weight.copy_({named_draw}, {variance}))"]
