"""Bugs in the passes over the graph."""

from benchmarks.plants.plant import Plant

TESTS = ("tests/passes/test_passes.py",)

PLANTS: tuple[Plant, ...] = (
    Plant(
        "passes: a fold without the epsilon",
        "passes/recipes.py",
        "np.sqrt(variance + epsilon)",
        "np.sqrt(variance)",
        TESTS,
    ),
    Plant(
        "passes: the mean of a folded norm is not taken off",
        "passes/recipes.py",
        "return factor, bias - mean * factor",
        "return factor, bias",
        TESTS,
    ),
    Plant(
        "passes: a transposed convolution is folded along its inputs",
        "passes/fold.py",
        'OUTPUTS = {"conv": 0, "conv_transpose": 1, "linear": 0}',
        'OUTPUTS = {"conv": 0, "conv_transpose": 0, "linear": 0}',
        TESTS,
    ),
    Plant(
        "passes: a shared convolution is folded",
        "passes/form.py",
        "return all(self.sharing[name] == 1 for name in node.parameters.values())",
        "return True",
        TESTS,
    ),
    Plant(
        "passes: an output between convolution and norm is lost",
        "passes/form.py",
        "    reads.update(graph.outputs.values())\n",
        "",
        TESTS,
    ),
    Plant(
        "passes: a norm is absorbed through zeros around the map",
        "passes/absorb.py",
        "return settled and all(pads(*window(conv.attributes, axis)) == (0, 0) for axis in (0, 1))",
        "return settled",
        TESTS,
    ),
    Plant(
        "passes: the groups of an absorbed norm are mixed up",
        "passes/recipes.py",
        "numbers.reshape(groups, 1, inputs).repeat(outputs // groups, 1)",
        "numbers.reshape(1, groups, inputs).repeat(outputs // groups, 0)",
        TESTS,
    ),
    Plant(
        "passes: factors that float32 does not hold are folded",
        "passes/levels.py",
        "if found.size and not -self.most <= found.min() <= found.max() <= self.most:",
        "if False:",
        TESTS,
    ),
    Plant(
        "passes: any convolution moves below an upsample",
        "passes/below.py",
        '(node.attributes["kernel"], node.attributes["stride"]) != (1, 1)',
        "False",
        TESTS,
    ),
    Plant(
        "passes: bilinear counts as nearest",
        "passes/below.py",
        'maker.attributes.get("mode", "nearest") == "nearest"',
        "True",
        TESTS,
    ),
    Plant(
        "passes: convolutions of several groups are joined",
        "passes/pair.py",
        'any(conv.primitive != "conv" or conv.attributes["groups"] != 1 for conv in (first, second))',
        'any(conv.primitive != "conv" for conv in (first, second))',
        TESTS,
    ),
    Plant(
        "passes: the bias of one of two joined convolutions is lost",
        "passes/recipes.py",
        "if first is not None and second is not None else first or second",
        "if first is not None and second is not None else first",
        TESTS,
    ),
    Plant(
        "passes: a model that is filled again keeps what was verified of other weights",
        "backends/onnx/refill.py",
        'OF_NUMBERS = ("spine.verified", ',
        "OF_NUMBERS = (",
        ("tests/passes/test_refill.py::test_a_model_with_other_weights_is_the_model_of_those",),
    ),
    Plant(
        "passes: a wide pair is joined though it costs more",
        "passes/pair.py",
        "pays = inputs <= 2 * graph.types[add.result].channels",
        "pays = True",
        TESTS,
    ),
    Plant(
        "passes: the first of several upsamples stands for all",
        "passes/order.py",
        "*(other.inputs[0] for other in others)",
        "*(up.inputs[0] for _ in others)",
        TESTS,
    ),
    Plant(
        "passes: constants are multiplied where they should be added",
        "passes/constant.py",
        "return tuple(number + by for number in first)",
        "return tuple(number * by for number in first)",
        TESTS,
    ),
    Plant(
        "passes: adding any number counts as adding none",
        "passes/idle.py",
        '"add_scalar": lambda node: cast(int, node.attributes["value"]) == 0',
        '"add_scalar": _always',
        TESTS,
    ),
)
