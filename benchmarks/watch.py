"""From a save to the redrawn page: `python -m benchmarks.watch`. It needs Chromium.

SpineNet-49 is watched while it is saved again and again, by renaming as editors do, each time with other widths. The
page tells when it has drawn the next frame. By wall time: it is what somebody waits for.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from benchmarks.figures import measured

ROOT = Path(__file__).resolve().parent.parent
SPINENET = ROOT / "examples" / "spinenet.spine"
SAVES = 30
DRAWN = """
new Promise((resolve) => new MutationObserver((changes, observer) => {
  observer.disconnect();
  requestAnimationFrame(() => requestAnimationFrame(() => resolve(Date.now() / 1000)));
}).observe(document.documentElement, {attributeFilter: ["data-frame"]}))
"""  # the second animation frame comes when the first has been painted


def main() -> None:
    """Print the median, the ninth decile and the longest of many saves."""
    sys.path.insert(0, str(ROOT))
    from spinedsl.watch import Server, Watcher
    from tests.watch.chromium import Chromium

    text = SPINENET.read_text(encoding="utf-8")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "spinenet.spine"
        path.write_text(text, encoding="utf-8")
        server, stop = Server(), threading.Event()
        server.start()
        watcher = threading.Thread(target=Watcher(path, "SpineNet49").run, args=(server.publish, stop))
        watcher.start()
        with Chromium(Path(folder)) as browser:
            browser.open(server.url)
            browser.wait_for("document.documentElement.dataset.frame")
            waits = []
            for save in range(SAVES):
                browser.value(f"window.drawn = {DRAWN}; 0")
                time.sleep(0.2 + 0.013 * (save % 7))  # at any time between two looks
                beside = path.with_suffix(".tmp")
                beside.write_text(text.replace("64 * width", f"{64 + save} * width"), encoding="utf-8")
                beside.replace(path)
                saved = time.time()
                waits.append(float(browser.value("window.drawn")) - saved)
        stop.set()
        watcher.join()
        server.close()
    waits.sort()
    print(f"from a save of {SPINENET.name} to the page redrawn, {SAVES} saves, seconds:")
    print(
        f"  median {statistics.median(waits):.3f}, ninth decile {waits[SAVES * 9 // 10]:.3f}, longest {waits[-1]:.3f}"
    )


if __name__ == "__main__":
    sys.exit(measured("watch", main))
