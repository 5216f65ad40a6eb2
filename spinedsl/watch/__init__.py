"""Watch a file: after each save it is checked and its figure drawn anew, in a page that a browser shows.

`Watcher` notices saves and makes a `Frame` of each; `Server` gives the page and sends it the frames.
"""

from spinedsl.watch.frames import Frame, Watcher
from spinedsl.watch.server import Server

__all__ = ["Frame", "Server", "Watcher"]
