"""What is done with a trained network: it is evaluated, it predicts, it names people of a gallery, it is exported.

In: a checkpoint of `spine train`, or a model that was exported from one; pictures. Out: models, figures and
predictions, as records that a prompt shows in a line, a notebook as a table or a picture, and `to_json` for programs.

    found = spinedsl.inference.evaluate("runs/flowers")                 # on its validation images; figures, intervals
    found.figures["top_1"], found.threshold, found.to_svg()
    for one in spinedsl.inference.predict("runs/flowers", "photos/*.jpg").rows:
        print(one.path, one.guesses[0])
    known = spinedsl.inference.make_gallery("runs/faces", "known")      # a folder for each person
    named = spinedsl.inference.predict("runs/faces", "photos", gallery=known, threshold=0.4)
    engine = spinedsl.inference.open_engine("runs/flowers").value       # pixels in, shares or vectors out
    engine.run([pixels])
"""

from spinedsl.extras import require

require("torch", "numpy", "PIL")

from spinedsl.inference.engine import Engine
from spinedsl.inference.evaluation import Evaluation, evaluate
from spinedsl.inference.gallery import Gallery, make_gallery, open_gallery
from spinedsl.inference.opening import open_engine
from spinedsl.inference.prediction import Guess, Prediction, Predictions, predict
from spinedsl.inference.threshold import Threshold

__all__ = [
    "Engine",
    "Evaluation",
    "Gallery",
    "Guess",
    "Prediction",
    "Predictions",
    "Threshold",
    "evaluate",
    "make_gallery",
    "open_engine",
    "open_gallery",
    "predict",
]
