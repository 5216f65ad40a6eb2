"""`spine watch`: frames on edits, mistakes, mending, imports and deletion; what the server refuses; the page itself."""

from __future__ import annotations

import http.client
import json
import os
import queue
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from spinedsl import driver
from spinedsl.cli import main, parser
from spinedsl.cli.watch import watcher
from spinedsl.diagnostics.render import render
from spinedsl.watch import Frame, Server, Watcher
from spinedsl.watch.frames import files_of, prints
from tests.patience import HANG
from tests.watch.chromium import BROWSER, Chromium

ROOT = Path(__file__).resolve().parents[2]
NET = """\
spine 1
import std.stems
import std.resample
import std.outputs
import "own.spine"

network Net {
    input image: 3 x 64 x 64
    defaults { act relu, norm batch_norm }
    widths { level 2: 4, level 3: 6, level 4: 8 }
    resample spinenet
    join activated_sum
    stem s: resnet_stem channels 4
    block a: mix level 2 after s
    block b: mix level 3 from a
    output P3: endpoint from b channels 4
}
"""
OWN = """\
spine 1
block_type mix(x, channels, stride = 1) -> channels { return act(norm(conv(x, channels, kernel = 3, stride = stride))) }
"""


class Watched:
    """A file that is watched, with a queue of its frames."""

    def __init__(self, folder: Path, network: str | None = None, *words: str) -> None:
        self.path, self.own = folder / "net.spine", folder / "own.spine"
        self.path.write_text(NET, encoding="utf-8")
        self.own.write_text(OWN, encoding="utf-8")
        self.frames: queue.Queue[Frame] = queue.Queue()
        self.server = Server()
        self.server.start()
        self.stop = threading.Event()
        asked = parser(["watch"]).parse_args(["watch", str(self.path), *words])
        self.watcher = watcher(self.path, asked) if words else Watcher(self.path, network)
        self.thread = threading.Thread(target=self.watcher.run, args=(self.show, self.stop))
        self.thread.start()

    def show(self, frame: Frame) -> None:
        self.server.publish(frame)
        self.frames.put(frame)

    def next(self) -> Frame:
        return self.frames.get(timeout=HANG)

    def until(self, *codes: str, problem: bool = False) -> Frame:
        """The next frame with just these mistakes: a save may show as several, the last of them as it is meant."""
        while True:
            frame = self.next()
            if [said.code.id for said in frame.diagnostics] == [*codes] and bool(frame.problem) == problem:
                return frame

    def save(self, text: str, path: Path | None = None) -> None:
        """As many editors do: beside it, then renamed."""
        target = path or self.path
        beside = target.with_suffix(".tmp")
        beside.write_text(text, encoding="utf-8")
        beside.replace(target)

    def close(self) -> None:
        self.stop.set()
        self.thread.join()
        self.server.close()


@pytest.fixture
def watched(tmp_path: Path) -> Iterator[Watched]:
    made = Watched(tmp_path)
    yield made
    made.close()


def test_frames_follow_the_configuration(tmp_path: Path) -> None:
    """One that is written, changed, wrong, or gone again counts at once, under the options of the command."""
    config = tmp_path / "spine.toml"
    watched = Watched(tmp_path, None, "--deny", "W0705")
    try:
        assert watched.until(*["W0705"] * 4).broken
        watched.save("[W0705]\nmultiple = 2\n", config)
        assert not watched.until().broken
        watched.save("[W0705]\nmultiples = 2\n", config)
        wrong = watched.until("E1002")
        assert (wrong.stale, wrong.broken) == (True, True)
        config.unlink()
        watched.until(*["W0705"] * 4)
    finally:
        watched.close()


def test_frames_follow_the_file(watched: Watched) -> None:
    first = watched.next()
    assert (first.broken, first.title, first.figure, first.stale) == (False, "Net", 1, False)
    watched.save(NET.replace("level 3: 6", "level 3: 12"))
    wider = watched.until()
    assert wider.svg != first.svg
    assert "WEIGHTS: widths level 3 6 -> 12 and 1 more" in wider.status
    watched.path.write_text(NET.replace("from a", "from c"), encoding="utf-8")  # in place, as other editors do
    broken = watched.until("E0201")
    assert (broken.svg, broken.figure, broken.stale) == (wider.svg, wider.figure, True)
    watched.save(NET)
    mended = watched.until()
    assert (mended.svg, mended.stale, mended.diagnostics) == (first.svg, False, ())


def test_imports_are_watched_even_missing_ones(watched: Watched) -> None:
    first = watched.next()
    watched.save(OWN.replace("kernel = 3", "kernel = 5"), watched.own)
    assert watched.until().svg != first.svg
    watched.own.unlink()
    watched.until("E0205")
    watched.save(OWN, watched.own)
    assert watched.until().svg == first.svg
    watched.save(NET.replace('"own.spine"', '"other.spine"'))
    assert watched.until("E0205").stale
    watched.save(OWN, watched.own.with_name("other.spine"))
    assert watched.until().svg == first.svg


def test_deletion_and_return(watched: Watched) -> None:
    first = watched.next()
    watched.path.unlink()
    assert watched.until("E0801").svg == first.svg
    watched.save(NET)
    assert watched.until().svg == first.svg


class Turns(threading.Event):
    """What happens to a file each time that its watcher waits; then the watcher is told to stop. No time passes."""

    def __init__(self, *happens: Callable[[], object]) -> None:
        super().__init__()
        self.happens = [*happens]

    def wait(self, timeout: float | None = None) -> bool:  # noqa: ARG002  as the base class has it
        if self.happens:
            self.happens.pop(0)()
        else:
            self.set()
        return self.is_set()


def test_a_file_that_is_gone_for_a_moment_is_not_gone(tmp_path: Path) -> None:
    path = tmp_path / "net.spine"
    (tmp_path / "own.spine").write_text(OWN, encoding="utf-8")

    def put(width: int) -> Callable[[], object]:
        return lambda: path.write_text(NET.replace("level 3: 6", f"level 3: {width}"), encoding="utf-8")

    def empty() -> None:
        path.write_text("", encoding="utf-8")

    put(6)()
    frames: list[Frame] = []
    Watcher(path).run(frames.append, Turns(path.unlink, put(7), empty, put(8), path.unlink, empty, put(9)))
    assert [frame.broken for frame in frames] == [False, False, False, True, False]
    assert len({frame.svg for frame in frames if not frame.broken}) == 4
    assert [said.code.id for said in frames[3].diagnostics] == ["E0314"]  # neither gone nor empty for two looks


def test_a_network_that_went(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "Net")
    try:
        watched.next()
        watched.save(NET.replace("network Net", "network Other"))
        assert watched.until(problem=True).problem == "there is no network `Net` now: there is `Other`"
        watched.save(NET + "\nnetwork Second = Net with { block b level 4 }\n")
        assert watched.until().title == "Net"
    finally:
        watched.close()


def test_of_several_networks_the_first_is_drawn_and_stays(watched: Watched) -> None:
    watched.next()
    watched.save("network Zero = Net\n" + NET)  # no place for it: the language's version comes first
    watched.until("E0115")
    watched.save(NET.replace("network Net", "network Zero = Net with { block b level 4 }\n\nnetwork Net"))
    mended = watched.until()
    assert (mended.title, mended.problem) == ("Net", "")  # as before, although another is the first now
    assert mended.status.startswith("Net (one of 2, --network chooses): ")
    watched.save(NET.replace("Net {", "Other {") + "\nnetwork Second = Other with { block b level 4 }\n")
    assert watched.until().title == "Other"


def test_mistakes_of_other_networks_come_after_the_figure(tmp_path: Path) -> None:
    watched = Watched(tmp_path, "Net")
    try:
        first = watched.next()
        watched.save(NET + "\nnetwork Second = Net with { block b level 9 }\n")
        whole = watched.until("E0402", "E0404")
        assert (whole.svg, whole.stale) == (first.svg, False)
        assert whole.diagnostics
    finally:
        watched.close()


# ---- the server ----


def answer(server: Server, path: str = "/", method: str = "GET", **headers: str) -> tuple[int, dict[str, str], str]:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=HANG)
    connection.putrequest(method, path, skip_host="Host" in headers)
    for name, value in headers.items():
        connection.putheader(name, value)
    connection.endheaders()
    given = connection.getresponse()
    text = given.read().decode()
    connection.close()
    return given.status, dict(given.getheaders()), text


def test_the_page_is_given_to_this_machine_only(watched: Watched) -> None:
    watched.next()
    server = watched.server
    status, headers, text = answer(server)
    assert status == 200
    assert "<title>Net</title>" in text
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "connect-src 'self'" in policy
    assert "unsafe-inline" not in policy.split("script-src")[1]
    nonce = policy.split("'nonce-")[1].split("'")[0]
    assert text.count(f'nonce="{nonce}"') == 1
    assert nonce not in answer(server)[2]
    assert headers["Cache-Control"] == "no-store"
    assert answer(server, Host=f"localhost:{server.port}")[0] == 200
    for host in ("evil.example", f"evil.example:{server.port}", "127.0.0.1", f"127.0.0.1:{server.port + 1}", ""):
        assert answer(server, Host=host)[0] == 421
    for path in ("/", "/events"):
        assert answer(server, path, Origin="http://evil.example")[0] == 403
    for path in ("/net.spine", "/../net.spine", "/%2e%2e/net.spine", "//etc/passwd", "/?x"):
        assert answer(server, path)[0] == 404
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert answer(server, method=method)[0] == 501
    assert server._http.server_address[0] == "127.0.0.1"


def events(server: Server) -> Iterator[dict[str, Any]]:
    """The frames that a page is sent."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=HANG)
    connection.request("GET", "/events")
    given = connection.getresponse()
    assert given.headers["Content-Type"] == "text/event-stream"
    for line in given:
        if line.startswith(b"data: "):
            yield json.loads(line[6:])


def test_events(watched: Watched) -> None:
    watched.next()
    stream = events(watched.server)
    first = next(stream)
    assert (first["title"], first["mistakes"], first["stale"]) == ("Net", "", False)
    watched.save(NET.replace("from a", "from <c>"))
    broken = next(stream)
    assert broken["mistakes"].startswith("error[E0")
    assert broken["figure"] == first["figure"]
    assert next(events(watched.server)) == broken  # who connects later sees what everybody sees
    watched.server.close()
    assert list(stream) == []
    watched.server = Server()
    watched.server.start()


def test_many_pages_are_refused(watched: Watched) -> None:
    watched.next()
    streams = [events(watched.server) for _ in range(32)]
    for stream in streams:
        next(stream)
    assert answer(watched.server, "/events")[0] == 503
    assert answer(watched.server)[0] == 200


def test_every_file_that_it_is_made_from_is_watched(tmp_path: Path) -> None:
    """Also what an import imports, however deep, and each once; nothing of the package."""
    chain = ["net", "own", "deep", "deeper"]
    for name, next_ in zip(chain, [*chain[1:], ""], strict=True):
        text = NET if name == "net" else OWN.replace("mix", "mix" if name == "own" else f"mix_{name}")
        imports = f'import "{next_}.spine"\n' if next_ and name != "net" else ""
        (tmp_path / f"{name}.spine").write_text(text.replace("spine 1\n", f"spine 1\n{imports}"), encoding="utf-8")
    analysis = driver.read(tmp_path / "net.spine").then(driver.analyse).value
    assert analysis is not None
    assert [path.name for path in files_of(analysis)] == [f"{name}.spine" for name in chain]


def test_a_save_is_seen_by_whatever_it_changes(tmp_path: Path) -> None:
    """By its size, by its time alone, or by being another file, as editors save in different ways."""
    path = tmp_path / "net.spine"
    path.write_text(NET, encoding="utf-8")
    os.utime(path, ns=(0, 10**18))
    seen = [prints([path])[path]]
    os.utime(path, ns=(0, 10**18 + 1))
    seen.append(prints([path])[path])
    path.write_text(f"{NET}\n", encoding="utf-8")
    os.utime(path, ns=(0, 10**18 + 1))
    seen.append(prints([path])[path])
    beside = tmp_path / "beside"
    beside.write_text(f"{NET} ", encoding="utf-8")
    os.utime(beside, ns=(0, 10**18 + 1))
    beside.replace(path)
    seen.append(prints([path])[path])
    path.unlink()
    seen.append(prints([path])[path])
    assert len(set(seen)) == len(seen)


def test_a_page_that_leaves_makes_room_for_another() -> None:
    server = Server()
    server.start()
    taken = 0
    while server.enter():
        taken += 1
        assert taken < 1000
    for _ in range(2 * taken):
        server.leave()
        assert server.enter()
        assert not server.enter()
    server.close()


# ---- the command ----


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-"], "standard input cannot be watched"),
        (["nothing.spine"], "there is no file `nothing.spine`"),
        (["net.spine", "--port", "70000"], "expected a port"),
    ],
)
def test_wrong_use(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]) -> None:
    try:
        status = main(["watch", *arguments])
    except SystemExit as stopped:
        status = int(stopped.code or 0)
    assert status == 2
    assert said in capsys.readouterr().err


def test_a_port_that_is_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "net.spine").write_text(NET, encoding="utf-8")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert main(["watch", str(tmp_path / "net.spine"), "--port", str(port), "--no-browser"]) == 2
    assert f"cannot serve on port {port}: Address already in use" in capsys.readouterr().err


def test_interrupting_ends_it_cleanly(tmp_path: Path) -> None:
    (tmp_path / "net.spine").write_text(NET, encoding="utf-8")
    (tmp_path / "own.spine").write_text(OWN, encoding="utf-8")
    process = subprocess.Popen(
        [sys.executable, "-m", "spinedsl", "watch", "net.spine", "--no-browser"],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    assert process.stdout is not None
    assert process.stdout.readline().startswith("watching net.spine at http://127.0.0.1:")
    assert "Net: " in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=HANG)
    assert (process.returncode, out.strip(), err) == (0, "no longer watching", "")


# ---- the page ----


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_the_page_in_a_browser(watched: Watched, tmp_path: Path) -> None:
    watched.next()
    with Chromium(tmp_path) as browser:
        browser.open(watched.server.url)
        browser.wait_for("document.documentElement.dataset.frame")
        browser.value("zoom(0.5); nodes[1].focus(); panel.scrollTop = 7; window.mark = 'same page'")
        before = browser.value("({view: [...view], words: panel.textContent, scrolled: panel.scrollTop})")
        watched.save(NET.replace("level 3: 6", "level 3: 12"))
        browser.wait_for("statusLine.textContent.includes('WEIGHTS')")
        after = browser.value("({view: [...view], node: document.activeElement.dataset.node, mark: window.mark})")
        assert after == {"view": before["view"], "node": "0-a", "mark": "same page"}
        assert browser.value("panel.scrollTop") == before["scrolled"]
        assert "12 x 8 x 8" in browser.value("words.get(nodes.find((node) => node.dataset.node === '0-b'))")
        watched.save(NET.replace("from a", "from nowhere"))
        browser.wait_for("mistakes.textContent.includes('E0201')")
        assert browser.value("main.classList.contains('stale') && nodes.length") == 3
        beside = "mistakes.getBoundingClientRect().left >= svg.getBoundingClientRect().right"
        assert browser.value(f"{beside} && svg.getBoundingClientRect().width > 300")
        assert browser.value("mistakes.textContent") == render(watched.watcher.frame.diagnostics)
        watched.save(NET.replace("Net {", "Ne {").replace("block a", "block a"))
        browser.wait_for("document.title === 'Ne'")
        assert browser.value("mistakes.textContent + main.classList.contains('stale')") == "false"
        # A finger leaves the arrow that it touched: what is said of it stays, until something else is touched.
        touch = "for (const kind of ['pointerenter', 'pointerleave', 'click']) %s.dispatchEvent(new PointerEvent(kind))"
        browser.value("document.activeElement.blur()")
        browser.value(touch % "arrows[0]")
        assert browser.value("panel.textContent").startswith("s to a")
        browser.value("svg.dispatchEvent(new PointerEvent('click'))")
        assert browser.value("panel.textContent").startswith("Ne")
        # A script that got into the page would not run.
        browser.value("main.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')")
        script = "document.body.append(Object.assign(document.createElement('script'), {text: 'window.ran = 1'}))"
        browser.value(script)
        assert browser.value("window.ran") is None
        # The server goes and comes back under the same address: the page finds it by itself.
        port = watched.server.port
        watched.server.close()
        browser.wait_for("statusLine.textContent === 'spine watch does not answer'")
        watched.server = Server(port)
        watched.server.start()
        watched.server.publish(watched.watcher.frame)
        watched.save(NET)
        browser.wait_for("document.title === 'Net' && statusLine.textContent.startsWith('Net: ')")
        assert browser.value("window.mark") == "same page"
