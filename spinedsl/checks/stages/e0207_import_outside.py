"""E0207: import from outside."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0207",
    title="import from outside",
    message="`{path}` leads out of the project's folder",
    label="expected a path relative to this file, inside {folder}",
    fix="copy the file into the project, and import it from there",
    default=Default.ERROR,
    explanation="""\
Compiling a file reads that file and what it imports, and nothing outside the project's folder: the
nearest folder above the file with `.git`, `pyproject.toml` or `spine.toml` in it, else the file's
own. So a network from somebody else cannot read around on your disk, and a project works wherever
it is copied to. Paths are relative, with `/`. Put the file into the project, or its definition into
this file.
""",
    wrong="""\
spine 1
import "/home/ada/blocks.spine"

def stack(x) { return relu(relu(x)) }
""",
    right="""\
spine 1

def stack(x) { return relu(relu(x)) }
""",
)
