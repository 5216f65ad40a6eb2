"""A small client of Chromium's debugging protocol over a pair of pipes: open a page, and ask it for values."""

from __future__ import annotations

import json
import os
import select
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Self

from tests.patience import HANG, until

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
BEGIN = """
import os, sys
ends = [os.dup(os.dup(int(end))) for end in sys.argv[1:3]]
ends = [os.dup2(end, 20 + at) for at, end in enumerate(ends)]
os.dup2(20, 3), os.dup2(21, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""  # the browser reads from descriptor 3 and writes to 4


class Chromium:
    """A headless browser with one page."""

    def __init__(self, folder: Path) -> None:
        assert BROWSER is not None
        asked, self.asks = os.pipe()
        self.answers, answered = os.pipe()
        self.rest = b""
        self.number = 0
        self.process = subprocess.Popen(
            [sys.executable, "-c", BEGIN, str(asked), str(answered), BROWSER, "--headless", "--no-sandbox",
             "--disable-gpu", f"--user-data-dir={folder / 'profile'}", "--window-size=1600,1000",
             "--remote-debugging-pipe", "about:blank"],
            pass_fds=(asked, answered),
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(asked)
        os.close(answered)
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session: str = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.ask("Runtime.enable", session=self.session)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        os.close(self.asks)  # which ends it
        try:
            self.process.wait(HANG)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.answers)

    def ask(self, method: str, session: str = "", **parameters: object) -> dict[str, Any]:
        """What the browser answers."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        data = json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0"
        os.write(self.asks, data)
        while (answer := self.message()).get("id") != self.number:
            pass
        assert "error" not in answer, answer
        result: dict[str, Any] = answer["result"]
        return result

    def message(self) -> dict[str, Any]:
        """The next message."""
        while b"\0" not in self.rest:
            ready, _, _ = select.select([self.answers], [], [], HANG)
            assert ready, "Chromium does not answer"
            part = os.read(self.answers, 1 << 20)
            assert part, "Chromium has ended"
            self.rest += part
        text, _, self.rest = self.rest.partition(b"\0")
        found: dict[str, Any] = json.loads(text)
        return found

    def open(self, url: str) -> None:
        """Go to a page, and wait until it is there."""
        self.ask("Page.navigate", session=self.session, url=url)
        self.wait_for(f"location.href === {json.dumps(url)} && document.readyState === 'complete'")

    def value(self, expression: str) -> Any:
        """What an expression gives in the page; of a promise, what it comes to."""
        found = self.ask(
            "Runtime.evaluate", session=self.session, expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    def wait_for(self, expression: str) -> None:
        """Until an expression is true in the page."""
        until(
            lambda: self.value(f"Boolean({expression})"),
            lambda: f"{expression}: {self.value('document.body.outerHTML')[:2000]}",
        )
