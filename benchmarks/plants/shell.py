"""Bugs in the command line, what programs read of it, and everything that stands between."""

from benchmarks.plants.plant import Plant

PLANTS: tuple[Plant, ...] = (
    Plant(
        "escaping: names reach the terminal",
        "diagnostics/plain.py",
        "return hidden().sub(",
        "return text or hidden().sub(",
        ("tests/hostile/test_payloads.py",),
    ),
    Plant(
        "output: a file of somebody else is replaced",
        "cli/output.py",
        "if start and not any(kind.begins(whole)",
        "if not start and not any(kind.begins(whole)",
        ("tests/cli/test_targets.py",),
    ),
    Plant(
        "output: what is read may be replaced under another name",
        "cli/output.py",
        "if Path(output).samefile(str(name)):",
        "if output == str(name):",
        ("tests/cli/test_targets.py",),
    ),
    Plant(
        "quiet: notes are printed all the same",
        "cli/voice.py",
        "    if not MANNER.quiet:\n        warn(text)",
        "    if text:\n        warn(text)",
        ("tests/cli/test_conventions.py",),
    ),
    Plant(
        "colours: FORCE_COLOR before NO_COLOR",
        "cli/voice.py",
        'if os.environ.get("NO_COLOR"):',
        'if os.environ.get("NO_COLOR") and "FORCE_COLOR" not in os.environ:',
        ("tests/cli/test_voice.py",),
    ),
    Plant(
        "packages: only the first that is missing",
        "extras.py",
        "raise MissingPackage(lacking)",
        "raise MissingPackage(lacking[:1])",
        ("tests/cli/test_missing.py",),
    ),
    Plant(
        "writing: in place",
        "cli/output.py",
        "temporary.replace(path)",
        "path.write_bytes(data)",
        ("tests/cli/test_write_whole.py",),
    ),
    Plant(
        "prompt: a collection prints all its items",
        "brief.py",
        "room = MOST - TAIL",
        "room = 100 * MOST",
        ("tests/test_brief.py",),
    ),
    Plant(
        "prompt: a long tuple in a record stays Python's own",
        "record.py",
        "and len({a}) > few else ",
        "and len({a}) > few * 10_000 else ",
        ("tests/test_brief.py",),
    ),
    Plant(
        "Python: a size of no pixels is taken",
        "given.py",
        "0 < number <= MOST_PIXELS",
        "0 <= number <= MOST_PIXELS",
        ("tests/test_interface.py",),
    ),
    Plant(
        "Python: what a text is that is no path is not said",
        "given.py",
        "if any(sign in path for sign in SIGNS):",
        "if all(sign in path for sign in SIGNS):",
        ("tests/test_interface.py",),
    ),
    Plant(
        "Python: a loaded network has no type",
        "api.py",
        ") -> Backbone:",
        ") -> object:",
        ("tests/test_typed.py",),
    ),
)
