"""Serve: one page and the events that change it, to browsers on this machine only.

It listens on 127.0.0.1 and answers those who ask for it by that name: a page elsewhere whose own name is made to lead
here is refused. There is nothing to ask for but the page and its events: no path reaches a file.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from textwrap import fill
from threading import Condition, Thread

from spinedsl.diagnostics.render import render
from spinedsl.draw.page import page
from spinedsl.watch.frames import Frame

HOST = "127.0.0.1"
STREAMS = 32  # pages that may listen at once
ALIVE = 10.0  # seconds without news after which a page is sent a sign of life
LINE = 92  # characters of a line of what is reported about mistakes
RETRY = 500  # milliseconds after which a page tries to connect again


class Server:
    """The page of the frame published last. `port` 0 is any that is free."""

    def __init__(self, port: int = 0) -> None:
        self._news = Condition()
        self._frame = Frame()
        self._closed = False
        self._streams = 0
        self._http = _Http((HOST, port), _Handler)
        self._http.site = self
        self._thread = Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.1}, daemon=True)

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._http.server_address[1])

    @property
    def url(self) -> str:
        """Address of the page."""
        return f"http://{HOST}:{self.port}/"

    @property
    def names(self) -> tuple[str, ...]:
        """What a request may call this server."""
        hosts = (HOST, "localhost")
        return (*(f"{host}:{self.port}" for host in hosts), *(hosts if self.port == 80 else ()))

    def start(self) -> None:
        """Answer from now on."""
        self._thread.start()

    def publish(self, frame: Frame) -> None:
        """Show a frame in every page that listens."""
        with self._news:
            self._frame = frame
            self._news.notify_all()

    def close(self) -> None:
        """Answer no more, and let every page go."""
        with self._news:
            self._closed = True
            self._news.notify_all()
        self._http.shutdown()
        self._http.server_close()

    @property
    def frame(self) -> Frame:
        """The frame at hand."""
        with self._news:
            return self._frame

    def after(self, number: int) -> Frame | None:
        """The frame after one, once there is one; the same again as a sign of life, None at the end."""
        with self._news:
            self._news.wait_for(lambda: self._closed or self._frame.number != number, ALIVE)
            return None if self._closed else self._frame

    def enter(self) -> bool:
        """One more page listens, if there is room."""
        with self._news:
            room = self._streams < STREAMS
            self._streams += room
            return room

    def leave(self) -> None:
        """One page fewer listens."""
        with self._news:
            self._streams -= 1


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    allow_reuse_address = True
    site: Server

    def handle_error(self, request: object, client_address: object) -> None:
        """A page that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Http
    server_version, sys_version = "spine", ""
    timeout = 30  # of a client that asks for nothing

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  as the base class has it
        """Nobody reads it."""

    def do_GET(self) -> None:
        """The page, its events, or nothing."""
        site = self.server.site
        if self.headers.get("Host") not in site.names:
            self.refuse(HTTPStatus.MISDIRECTED_REQUEST)
        elif self.headers.get("Origin", f"http://{self.headers['Host']}") != f"http://{self.headers['Host']}":
            self.refuse(HTTPStatus.FORBIDDEN)
        elif self.path == "/":
            self.give_page(site.frame)
        elif self.path == "/events":
            self.stream(site)
        else:
            self.refuse(HTTPStatus.NOT_FOUND)

    def refuse(self, status: HTTPStatus) -> None:
        """A status and its name."""
        self.give(status, "text/plain; charset=utf-8", f"{status.phrase}\n".encode())

    def give_page(self, frame: Frame) -> None:
        """The whole page, which runs no script but the one in it."""
        nonce = secrets.token_urlsafe(16)
        policy = (
            f"default-src 'none'; style-src 'unsafe-inline'; script-src 'nonce-{nonce}'; connect-src 'self'; "
            "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
        )
        text = page(frame.svg, frame.title, frame.subtitle, nonce=nonce)
        self.give(HTTPStatus.OK, "text/html; charset=utf-8", text.encode(), {"Content-Security-Policy": policy})

    def give(self, status: HTTPStatus, kind: str, body: bytes, headers: Mapping[str, str] | None = None) -> None:
        """A whole answer."""
        self.head(status, kind, {"Content-Length": str(len(body)), **(headers or {})})
        self.wfile.write(body)

    def head(self, status: HTTPStatus, kind: str, headers: Mapping[str, str]) -> None:
        """The head of an answer that no cache keeps and no other site may use."""
        self.send_response(status)
        common = {
            "Content-Type": kind,
            "Cache-Control": "no-store",
            "X-Content-Type-Options": "nosniff",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Referrer-Policy": "no-referrer",
        }
        for name, value in {**common, **headers}.items():
            self.send_header(name, value)
        self.end_headers()

    def stream(self, site: Server) -> None:
        """Server-sent events: the frame at hand, then each that follows."""
        if not site.enter():
            self.refuse(HTTPStatus.SERVICE_UNAVAILABLE)
            return
        try:
            self.head(HTTPStatus.OK, "text/event-stream", {})
            self.wfile.write(f"retry: {RETRY}\n\n".encode())
            frame: Frame | None = site.frame
            while frame is not None:
                self.wfile.write(event(frame))
                self.wfile.flush()
                frame = self.next(site, frame.number)
        finally:
            site.leave()

    def next(self, site: Server, number: int) -> Frame | None:
        """The frame after one; meanwhile signs of life, which fail where nobody listens any more."""
        while (frame := site.after(number)) is not None and frame.number == number:
            self.wfile.write(b":\n\n")
            self.wfile.flush()
        return frame


def event(frame: Frame) -> bytes:
    """A frame as an event."""
    problem = fill(frame.problem, LINE)
    mistakes = "\n\n".join(filter(None, (problem, render(frame.diagnostics) if frame.diagnostics else "")))
    data = {
        "number": str(frame.number),
        "figure": str(frame.figure),
        "svg": frame.svg,
        "title": frame.title,
        "subtitle": frame.subtitle,
        "status": frame.status,
        "mistakes": mistakes,
        "stale": frame.stale,
    }
    return f"event: frame\ndata: {json.dumps(data)}\n\n".encode()
