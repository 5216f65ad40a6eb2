"""Bugs of exports: what a model does with pictures, what it says of itself, what its card and the table say of it."""

from benchmarks.plants.plant import Plant

FITTING, EXPORT, CARD = (f"tests/inference/test_{name}.py" for name in ("fitting", "export", "card"))
COMMAND = "tests/cli/test_export.py"
PLANTS = (
    Plant(
        "resizing: columns come before rows",
        "data/preprocessing.py",
        "narrow = image.resize((size[0], image.height), filter_, (left, 0, right, image.height))",
        "return image.resize(size, filter_, box)\n    narrow = image",
        ("tests/data/test_preprocessing.py",),
    ),
    Plant(
        "resizing in a graph: shares are cut off and not rounded",
        "inference/fitting.py",
        "rounded = (shares.abs() + 0.5).floor()",
        "rounded = shares.abs().floor()",
        (FITTING,),
    ),
    Plant(
        "resizing in a graph: enlarging stretches the filter too",
        "inference/fitting.py",
        "stretched = scale.at_least(1.0)",
        "stretched = scale",
        (FITTING,),
    ),
    Plant(
        "resizing in a graph: places are not rounded to 32 bits",
        "inference/fitting.py",
        "scale = (axis.end - axis.start).cast(np.float64) / length",
        "scale = (axis.end.cast(np.float64) - start) / length",
        (FITTING,),
    ),
    Plant(
        "resizing in a graph: a letterbox has no background",
        "inference/fitting.py",
        'if pre.resize != "letterbox":',
        "if True:",
        (FITTING,),
    ),
    Plant(
        "resizing in a graph: grey is the mean of the colours",
        "inference/fitting.py",
        "GREY = (19595, 38470, 7471)",
        "GREY = (21845, 21846, 21845)",
        (FITTING,),
    ),
    Plant(
        "exported models: colours keep their order where BGR is wanted",
        "inference/deployed.py",
        'if step.op == "reverse":',
        "if False:",
        (EXPORT,),
    ),
    Plant(
        "exported models: a vector of zeros is divided by zero",
        "inference/deployed.py",
        "nodes.length(vectors, 1).at_least(SMALLEST)",
        "nodes.length(vectors, 1)",
        (EXPORT,),
    ),
    Plant(
        "exported models: the network has the size of its file and not of preprocessing",
        "training/build.py",
        "if (program.input_type.height, program.input_type.width) != (pre.height, pre.width):",
        "if False:",
        (EXPORT,),
    ),
    Plant(
        "exported models: damage goes unseen",
        "inference/exported.py",
        "if model_is_ours(memoryview(data)) and not model_holds(memoryview(data)):",
        "if False:",
        (EXPORT,),
    ),
    Plant(
        "exported models: pictures of several sizes come back sorted by size",
        "inference/exported.py",
        "rows.update(zip(part, found, strict=False))",
        "rows.update(zip(range(len(rows), len(rows) + len(part)), found, strict=False))",
        (EXPORT,),
    ),
    Plant(
        "parity: no model ever differs",
        "inference/export.py",
        "if wrong := tuple(_differs(one) for one in found if not one.fine):",
        "if wrong := ():",
        (EXPORT, COMMAND),
    ),
    Plant(
        "parity: models of 32 bits may differ as those of 16",
        "inference/parity.py",
        "tolerance = TOLERANCE[half]",
        "tolerance = TOLERANCE[True]",
        (EXPORT,),
    ),
    Plant(
        "cards: an evaluation of another network goes in",
        "inference/evaluated.py",
        "if digest != engine.digest:",
        "if False:",
        (CARD,),
    ),
    Plant(
        "cards: names of classes are Markdown",
        "inference/card.py",
        "names = [_word(name) for name in trained.classes]",
        "names = list(trained.classes)",
        (CARD,),
    ),
    Plant(
        "exports: a file of somebody else is replaced where there is a card",
        "cli/export.py",
        "hashlib.sha256(target.read_bytes()).hexdigest().encode() in text",
        "target.exists()",
        (COMMAND,),
    ),
)
