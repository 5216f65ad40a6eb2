"""Bugs in the PyTorch that is written, and in the adapters for hosts."""

from benchmarks.plants.plant import AGREE, Plant

PLANTS: tuple[Plant, ...] = (
    Plant(
        "PyTorch: momentum is the share kept",
        "backends/torch/operators.py",
        "use: 1 - cast(Fraction, value)",
        "use: cast(Fraction, value)",
        ("tests/backends/torch",),
    ),
    Plant(
        "PyTorch: absorbed maps forgotten",
        "backends/torch/network.py",
        "for name in row.absorbed]",
        "for name in ()]",
        ("tests/backends/torch", "tests/published"),
    ),
    Plant(
        "PyTorch: every resampling reads a row's first input",
        "backends/torch/network.py",
        "yield connection.source, connection.resample",
        "yield row.inputs[0].source, connection.resample",
        ("tests/backends/torch", AGREE),
    ),
    Plant(
        "PyTorch: the maps of a head permuted",
        "backends/torch/network.py",
        "tuple(self.locals[connection.source] for connection in row.inputs)",
        "tuple(self.locals[connection.source] for connection in row.inputs[::-1])",
        ("tests/test_heads.py", AGREE),
    ),
    Plant(
        "escaping: docstrings keep their quotes",
        "backends/torch/names.py",
        """.replace('"', "'")""",
        "",
        ("tests/hostile/test_payloads.py",),
    ),
    Plant(
        "timm: the first few maps, not the last",
        "backends/torch/templates/adapters/timm.jinja",
        "numbers[len(numbers) - indices :]",
        "numbers[:indices]",
        ("tests/hosts/test_timm.py::test_intermediates",),
    ),
    Plant(
        "timm: a group of `b1` takes `b10` too",
        "backends/torch/templates/adapters/timm.jinja",
        '(rf"^{row}\\.", (i,))',
        '(rf"^{row}", (i,))',
        ("tests/hosts/test_timm.py::test_each_parameter_is_in_the_group_of_its_row",),
    ),
    Plant(
        "timm: the number of classes stays",
        "backends/torch/templates/adapters/timm.jinja",
        "        self.num_classes = num_classes\n        self.head.reset",
        "        self.head.reset",
        ("tests/hosts/test_timm.py::test_the_number_of_classes_is_said",),
    ),
    Plant(
        "loading: values are drawn for weights to replace",
        "backends/torch/build.py",
        '{"reset": lambda self: None}',
        "{}",
        ("tests/backends/torch/test_build.py",),
    ),
    Plant(
        "loading: constants are left as memory was",
        "backends/torch/build.py",
        'cast("Any", part).reset_parameters()',
        "pass",
        ("tests/backends/torch/test_build.py",),
    ),
)
