"""The command `spine`, which is `python -m spinedsl` too."""

import gc
import os
import sys


def main() -> int:
    """Run the command line; the exit status.

    A command has a short life and leaves little garbage in circles. Looking for it, from the first import on and once
    more at the end, would take a tenth of the time.
    """
    gc.disable()
    # Where somebody has closed one of these (`>&-`), what is reported goes nowhere.
    nowhere = open(os.devnull, "w", encoding="utf-8") if None in (sys.stdout, sys.stderr) else None  # noqa: PTH123, SIM115
    sys.stdout, sys.stderr = sys.stdout or nowhere, sys.stderr or nowhere
    try:
        from spinedsl.cli import main as run  # noqa: PLC0415

        status = run()
    except KeyboardInterrupt:  # while the command line was still being read in
        return 130
    gc.freeze()
    return status


if __name__ == "__main__":
    sys.exit(main())
