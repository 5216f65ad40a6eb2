"""Make the parser's tables by other versions of Lark: `python -m benchmarks.larks --cache FOLDER`.

Each version is installed in an environment of its own below the cache, once: the lowest and the highest of the range in
`pyproject.toml`, and the newest there is, if that is beyond. There the tables are made of the grammar of this checkout,
must be those that are saved, and the grammar must have no conflict. A newest version that agrees may join the range.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

from benchmarks.environments import environment
from benchmarks.figures import measured

ROOT = Path(__file__).resolve().parent.parent
# Runs in the other environment, which has nothing but Lark: the checkout is found by PYTHONPATH.
RUNNER = """
import importlib.metadata
from spinedsl.syntax import saved, tables
print(importlib.metadata.version("lark"), flush=True)
made = {"key": tables.key(), **tables.build()}
for name in sorted(made.keys() | saved.TABLES.keys()):
    if made.get(name) != saved.TABLES.get(name):
        raise SystemExit("other tables: " + name)
tables.lark_of_grammar(strict=True)
"""


def required() -> str:
    """The range of versions that the package asks for, as `lark>=1.2,<1.4`."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    (found,) = [one for one in project["dependencies"] if re.match(r"lark\b", one)]
    return str(found)


def ends_of(requirement: str) -> tuple[str, str]:
    """The lowest version of a range, and the first that is beyond it."""
    found = re.fullmatch(r"lark>=([\d.]+),<([\d.]+)", requirement)
    if found is None:
        raise ValueError(f"`{requirement}` is no range `lark>=LOWEST,<BEYOND`")
    return found[1], found[2]


def tried(python: Path) -> tuple[str, str]:
    """The version of Lark that a Python has, and what is wrong with its tables, or nothing."""
    run = subprocess.run(
        [python, "-c", RUNNER], env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    version, *_ = [*run.stdout.split(), "unknown"]
    return version, "" if run.returncode == 0 else (run.stderr.strip().splitlines() or ["no answer"])[-1]


def main() -> int:
    """Print a line for each version; exit status 1 if one of the range makes other tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")) / "spinedsl")
    cache = parser.parse_args().cache.expanduser().resolve()
    cache.mkdir(parents=True, exist_ok=True)
    lowest, beyond = ends_of(required())
    failed = 0
    wanted = {"lowest": f"lark=={lowest}", "highest": f"lark<{beyond}", "newest": "lark"}
    for end, requirement in wanted.items():
        # The names hold the requirement, and of the newest nothing is kept: it may be another one next time.
        name = f"lark-{end}" if end == "newest" else f"lark-{end}-{requirement.partition('lark')[2].lstrip('=<')}"
        if end == "newest":
            (cache / name / ".ready").unlink(missing_ok=True)
        version, problem = tried(environment(cache, name, (requirement, "interegular")))
        print(f"lark {version}, the {end} of `{required()}`: {problem or 'the saved tables, no conflict'}", flush=True)
        failed += bool(problem) and end != "newest"
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(measured("larks", main))
