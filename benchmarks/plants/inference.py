"""Bugs of what trained networks are for: figures, thresholds, who is named, what is refused."""

from benchmarks.plants.plant import Plant

EVALUATION, PREDICTION = "tests/inference/test_evaluation.py", "tests/inference/test_prediction.py"
ALIGNED = "tests/inference/test_aligned.py"
FAULTS, PAIRS = "tests/inference/test_faults.py", "tests/tasks/test_pairs.py"
PLANTS = (
    Plant(
        "inference: classes of a data set are taken by their place",
        "inference/samples.py",
        "labels = tuple(numbers[name] for name in names)",
        "labels = tuple(range(len(names)))",
        (EVALUATION,),
    ),
    Plant(
        "inference: a threshold refuses who just reaches it, and accepts nobody's",
        "inference/prediction.py",
        "return threshold.value is not None and similarity >= threshold.value",
        "return threshold.value is None or similarity < threshold.value",
        (PREDICTION,),
    ),
    Plant(
        "inference: a gallery of any network will do",
        "inference/gallery.py",
        "if gallery.digest != engine.digest or",
        "if",
        (FAULTS,),
    ),
    Plant(
        "inference: a person's vector is that of their first image",
        "inference/gallery.py",
        "mean = vectors.astype(np.float64).mean(0)",
        "mean = vectors.astype(np.float64)[0]",
        (PREDICTION,),
    ),
    Plant(
        "inference: the digest knows no weights",
        "inference/engine.py",
        "            found.update(array.data)\n",
        "",
        ("tests/inference/test_engine.py",),
    ),
    Plant(
        "inference: whoever is in no gallery counts as known",
        "inference/measure.py",
        "known = torch.tensor([name in numbers for name in called])",
        "known = torch.tensor([True for name in called])",
        (EVALUATION,),
    ),
    Plant(
        "inference: what cannot be read moves the others' labels",
        "inference/running.py",
        "np.array([index for index, _ in seen], np.int64)",
        "np.arange(len(seen), dtype=np.int64)",
        (PREDICTION,),
    ),
    Plant(
        "pairs: identities are in several folds",
        "tasks/pairs.py",
        "images = (fold_of[groups] == fold).nonzero()[:, 0]",
        "images = (torch.arange(len(groups)) % folds == fold).nonzero()[:, 0]",
        (PAIRS,),
    ),
    Plant(
        "pairs: an interval takes pairs of one person for independent",
        "tasks/pairs.py",
        "figures(torch.where(one, times[both[0]], times[both[0]] * times[both[1]]))",
        "figures(torch.ones(len(one), dtype=torch.float64))",
        (PAIRS,),
    ),
    Plant(
        "pairs: of equal scores some are accepted",
        "tasks/pairs.py",
        "self.ends[:-1] = self.values[:-1] > self.values[1:]",
        "self.ends[:-1] = True",
        (PAIRS,),
    ),
    Plant(
        "training: pairs of the validation images are not read",
        "training/validation.py",
        "listed(pairs) if pairs else None",
        "None",
        ("tests/training/test_persons.py",),
    ),
    Plant(
        "predict: faces are shown as they are, whatever their points are",
        "inference/finding.py",
        "aligned(pixels, image.points) if image.points else pixels",
        "pixels",
        (ALIGNED,),
    ),
    Plant(
        "gallery: nobody is told that its faces are not aligned",
        "inference/using.py",
        "if aligned or not engine.aligned:",
        "if True:",
        (ALIGNED,),
    ),
    Plant(
        "predict: the words of a box cover those of another",
        "inference/drawn.py",
        "place = next(free, None)",
        "place = next(_near(sides, width, size), None)",
        ("tests/inference/test_boxes.py",),
    ),
    Plant(
        "training: warnings of the images are dropped where there is no mistake",
        "training/loop.py",
        "_finished(api.valued(made), made.diagnostics, group",
        "_finished(api.valued(made), (), group",
        ("tests/training/test_loop.py",),
    ),
)
