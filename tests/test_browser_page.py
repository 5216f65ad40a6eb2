"""The page that finds objects without a server, in Chromium: the boxes of ONNX Runtime, and what it says of mistakes.

ONNXRUNTIME_WEB names a folder with the files of onnxruntime-web, `dist` of its npm package: `make browser` gets it.
"""

from __future__ import annotations

import functools
import http.server
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx.parser
import onnxruntime
import pytest
from numpy.typing import NDArray
from PIL import Image

import spinedsl
from spinedsl.agreement import lively_weights
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.inference.formats import Wanted, written
from spinedsl.ops.graph import flatten
from spinedsl.source import Source
from spinedsl.weights import Weights
from tests.backends.heads import text
from tests.inference.finders import engine, model_of, pictures
from tests.watch.chromium import BROWSER, Chromium

PAGE = Path(__file__).resolve().parents[1] / "docs/browser"
RUNTIME = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
WEB = os.environ.get("ONNXRUNTIME_WEB", "")
SIZE = (64, 96)
CLASSES = ["a leaf", "a <b>tree</b>", "three", "four", "five"]
pytestmark = [
    pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(not WEB, reason="ONNXRUNTIME_WEB names no folder of onnxruntime-web: make browser"),
]


class Quiet(http.server.SimpleHTTPRequestHandler):
    """Files of a folder, without a word, and each time anew: tests write others under the same names."""

    def end_headers(self) -> None:
        """The browser asks about files that it keeps by the second, and one is written again within that."""
        self.send_header("Cache-Control", "no-store")
        super().end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page with the runtime beside it, as the document says."""
    folder = tmp_path_factory.mktemp("site")
    for path in (*PAGE.iterdir(), *(Path(WEB) / name for name in RUNTIME)):
        shutil.copy(path, folder)
    return folder


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    with Chromium(tmp_path_factory.mktemp("browser")) as one:
        yield one


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/"
    server.shutdown()
    thread.join()
    server.server_close()


def detector(use: dict[str, Any] | None = None, anchored: bool = False, **options: Any) -> bytes:
    """A compiled detector of five classes, with what it says of its use."""
    source = Source.from_text(text(anchored, False, 5), "net.spine")
    weights = Weights("w", lively_weights(flatten(spinedsl.program(source)).parameters, 1))
    asked: dict[str, Any] = {"detect": True, "score": 0.2, "max_detections": 30, **options}
    files: dict[str, bytes] = spinedsl.compile(source, to="onnx", weights=weights, **asked)
    (data,) = files.values()
    model = onnx.load_from_string(data)
    if use is not None:
        onnx.helper.set_model_props(model, {"spinedsl.trained": json.dumps(use)})
    made: bytes = model.SerializeToString()
    return made


WHOLE = """<ir_version: 8, opset_import: ["": 18]>
whole (uint8[1, height, width, 3] images)
    => (float[1, 3, 4] boxes, float[1, 3] scores, int64[1, 3] labels, int64[1] count)
{
    shape = Shape(images)
    order = Constant<value = int64[4] {2, 1, 2, 1}>()
    size = Gather(shape, order)
    sides = Cast<to = 1>(size)
    parts = Constant<value = float[1, 3, 4] {0, 0, 1, 1, 0, 0, 0.5, 1, 0.25, 0.5, 0.75, 1}>()
    boxes = Mul(parts, sides)
    numbers = Cast<to = 1>(images)
    axes = Constant<value = int64[2] {1, 2}>()
    mean = ReduceMean<keepdims = 0>(numbers, axes)
    most = Constant<value = float {255}>()
    scores = Div(mean, most)
    labels = Constant<value = int64[1, 3] {2, 0, 1}>()
    count = Constant<value = int64[1] {3}>()
}
"""  # boxes in a picture of any size, whose scores are the means of red, green and blue


def picture(path: Path, height: int, width: int) -> NDArray[np.uint8]:
    """Soft colours, which filters of different libraries resize nearly alike."""
    patches = np.random.default_rng(height).integers(0, 256, (5, 7, 3)).astype(np.uint8)
    image = Image.fromarray(patches).resize((width, height), Image.Resampling.BICUBIC)
    image.save(path)
    return np.asarray(image)


def state_of(browser: Chromium, url: str) -> str:
    """Open the page, and wait until it is done: `ready` or `wrong`."""
    browser.ask("Page.navigate", session=browser.session, url=url)
    browser.wait_for(f"location.href === {json.dumps(url)} && document.body?.dataset.state?.match(/ready|wrong/)")
    state: str = browser.value("document.body.dataset.state")
    return state


def words(browser: Chromium) -> str:
    found: str = browser.value("document.getElementById('status').textContent")
    return found


USES: dict[str, dict[str, Any]] = {
    "letterbox": {"resize": "letterbox", "background": [9, 90, 200], "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.3, 0.4]},
    "stretch": {"resize": "stretch", "order": "bgr"},
}


@pytest.mark.parametrize("size", [SIZE, (100, 60), (31, 190)], ids=str)
@pytest.mark.parametrize("how", USES)
def test_boxes_are_those_of_onnx_runtime(
    how: str, size: tuple[int, int], site: Path, address: str, browser: Chromium
) -> None:
    """From the numbers that the page makes of a picture, in the picture's pixels; these numbers are near Pillow's."""
    pre = Preprocessing(*SIZE, **USES[how])
    data = detector({"classes": CLASSES, "preprocessing": pre.to_json()}, anchored=how == "stretch")
    (site / "net.onnx").write_bytes(data)
    pixels = picture(site / "one.png", *size)
    assert state_of(browser, f"{address}?model=net.onnx&picture=one.png") == "ready", words(browser)
    asked = "m.given(page.model, page.picture, m.placement(page.model, page.picture))"
    made = browser.value(f"import('./find.mjs').then((m) => [...{asked}])")
    numbers = np.array(made, dtype=np.float32).reshape(1, 3, *SIZE)
    expected = pre.normalised(pre.fit(pixels))
    assert np.abs(numbers[0] - expected).mean() < (1e-6 if size == SIZE else 0.05)
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    boxes, scores, labels, count = (np.asarray(one)[0] for one in session.run(None, {"image": numbers}))
    found = browser.value("page.found")
    assert len(found) == count > 5
    scale, shift = pre.placement(*size).affine()
    sides = np.clip((boxes - shift) / scale, 0, [size[1], size[0]] * 2)
    for number, one in enumerate(found):
        assert one["sides"] == pytest.approx(sides[number].tolist(), abs=2e-2)
        assert one["score"] == pytest.approx(float(scores[number]), abs=1e-5)
        assert one["name"] == CLASSES[labels[number]]


def test_a_model_that_takes_whole_pictures_gets_their_pixels(site: Path, address: str, browser: Chromium) -> None:
    """As `spine export` writes them: `uint8`, of any size, with boxes in the picture's own pixels."""
    model = onnx.parser.parse_model(WHOLE)
    onnx.helper.set_model_props(model, {"spinedsl.trained": json.dumps({"classes": CLASSES, "boxes": "picture"})})
    (site / "net.onnx").write_bytes(model.SerializeToString())
    pixels = picture(site / "one.png", 50, 80)
    assert state_of(browser, f"{address}?model=net.onnx&picture=one.png") == "ready", words(browser)
    found = browser.value("page.found")
    assert [one["sides"] for one in found] == [[0, 0, 80, 50], [0, 0, 40, 50], [20, 25, 60, 50]]
    assert [one["score"] for one in found] == pytest.approx(pixels.mean((0, 1)) / 255, abs=1e-5)
    assert [one["name"] for one in found] == ["three", "a leaf", "a <b>tree</b>"]


@pytest.mark.parametrize("kind", ["letterbox", "crop"])
def test_a_trained_detector_finds_the_same_in_the_page(
    kind: str, tmp_path: Path, site: Path, address: str, browser: Chromium
) -> None:
    """Trained a little, exported as `spine export` does: what it finds is what PyTorch finds in the same picture."""
    outcome = written("onnx", model_of(kind), Wanted(), tmp_path)
    assert outcome.value is not None, outcome.diagnostics
    shutil.copy(tmp_path / outcome.value[0], site / "net.onnx")
    for number, pixels in enumerate(pictures()[:2]):
        Image.fromarray(pixels).save(site / f"{number}.png")
        assert state_of(browser, f"{address}?model=net.onnx&picture={number}.png") == "ready", words(browser)
        (expected,) = engine(kind).boxes([pixels])
        found = browser.value("page.found")
        assert len(found) == len(expected.scores) > 3
        for one, sides, score, label in zip(found, expected.sides, expected.scores, expected.labels, strict=True):
            assert one["sides"] == pytest.approx(sides.tolist(), abs=0.02)
            assert one["score"] == pytest.approx(float(score), abs=1e-4)
            assert one["name"] == engine(kind).classes[label]


def test_what_is_found_is_drawn_and_listed(site: Path, address: str, browser: Chromium) -> None:
    (site / "net.onnx").write_bytes(detector({"classes": CLASSES}))
    picture(site / "one.png", 90, 120)
    assert state_of(browser, f"{address}?model=net.onnx&picture=one.png") == "ready", words(browser)
    cells = "row.cells[0].textContent + row.cells[1].textContent"
    rows = f"[...document.querySelectorAll('#found tbody tr')].map((row) => {cells})"
    every = browser.value("page.found.map((one) => [one.name, one.score])")
    shown = [f"{name}{score:.3f}" for name, score in every if score >= 0.3]
    assert browser.value(rows) == shown
    assert words(browser).startswith(f"{len(shown)} of {len(every)} that were found")
    plain = "document.getElementById('canvas').toDataURL()"
    before = browser.value(plain)
    browser.value("Object.assign(document.getElementById('score'), {value: 0.95}).dispatchEvent(new Event('input'))")
    assert browser.value(rows) == [one for one, (_, score) in zip(shown, every, strict=False) if score >= 0.95]
    assert browser.value(plain) != before
    assert browser.value("document.querySelectorAll('b').length") == 0  # names are text
    browser.value("Object.assign(document.getElementById('score'), {value: 0.3}).dispatchEvent(new Event('input'))")
    assert browser.value(plain) == before
    asked = "performance.getEntriesByType('resource').map((one) => new URL(one.name).origin)"
    assert set(browser.value(asked)) == {address.rstrip("/")}  # nothing from elsewhere


def plain() -> bytes:
    """A network that gives what its heads give."""
    files: dict[str, bytes] = spinedsl.compile(Source.from_text(text(False, False, 5), "net.spine"), to="onnx")
    return next(iter(files.values()))


MISTAKES: dict[str, tuple[str, str]] = {
    "?model=none.onnx": ("", "none.onnx is not beside this page."),
    "?model=no.onnx": ("no.onnx", "is no ONNX model, or it is damaged"),
    "?model=cut.onnx": ("cut.onnx", "damaged"),
    "?model=plain.onnx": ("plain.onnx", "and no boxes: compile it with --detect, or export a detector."),
    "?model=two.onnx": ("two.onnx", "takes 2 pictures at once: compile it with --batch 1."),
    "?model=half.onnx": ("half.onnx", "takes float16 of 1 x 3 x 64 x 96"),
    "?model=crop.onnx": ("crop.onnx", 'resized by "crop", which this page does not do'),
    "?picture=no.png&model=net.onnx": ("no.png", "no.png is no picture that this browser reads"),
    "?picture=none.png": ("", "none.png is not beside this page."),
}


@pytest.mark.parametrize("asked", MISTAKES)
def test_mistakes_are_shown_in_the_page(asked: str, site: Path, address: str, browser: Chromium) -> None:
    name, expected = MISTAKES[asked]
    crop = {"preprocessing": Preprocessing(*SIZE, resize="crop").to_json()}
    made: dict[str, Callable[[], bytes]] = {
        "no.onnx": lambda: b"no model at all\n" * 9, "cut.onnx": lambda: detector()[:5000],
        "plain.onnx": plain, "two.onnx": lambda: detector(batch=2), "half.onnx": lambda: detector(half=True),
        "no.png": lambda: b"no picture", "crop.onnx": lambda: detector(crop),
    }  # fmt: skip
    (site / "net.onnx").write_bytes(detector())
    if name:
        (site / name).write_bytes(made[name]())
    assert state_of(browser, f"{address}{asked}") == "wrong"
    assert expected in words(browser)


def test_a_page_without_its_runtime_says_so(tmp_path: Path, browser: Chromium) -> None:
    for path in PAGE.iterdir():
        shutil.copy(path, tmp_path)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(tmp_path)))
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        assert state_of(browser, f"http://127.0.0.1:{server.server_port}/") == "wrong"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    assert words(browser) == f"{' and '.join(RUNTIME)} of onnxruntime-web have to be beside this page."


def test_a_page_from_a_file_says_how_it_is_opened(browser: Chromium) -> None:
    browser.ask("Page.navigate", session=browser.session, url=(PAGE / "index.html").as_uri())
    browser.wait_for("location.protocol === 'file:' && document.readyState === 'complete'")
    assert "python -m http.server" in words(browser)
