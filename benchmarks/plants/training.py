"""Bugs of training: what moves, what is kept, what a schedule and a task compute."""

from benchmarks.plants.plant import Plant

LOOP, PARTS = "tests/training/test_loop.py", "tests/training/test_parts.py"
DETECTORS, DETECTED = "tests/training/test_detectors.py", "tests/inference/test_detected.py"
OWN, SETTINGS, STOPPED = (f"tests/training/test_{name}.py" for name in ("own", "settings", "stopped"))
PLANTS = (
    Plant(
        "training: norms and biases decay",
        "training/optim.py",
        "if parameter.ndim > 1]",
        "if parameter.ndim > 0]",
        (PARTS,),
    ),
    Plant(
        "training: a resumed run begins with no momentum",
        "training/state.py",
        'optim.restore(self.optimizer, checkpoint.sets.get("optimizer", {}))',
        "",
        (LOOP,),
    ),
    Plant(
        "training: dropout follows no step",
        "training/state.py",
        "(seed * 1_000_003 + step) * PURPOSES",
        "(seed * 1_000_003) * PURPOSES",
        (PARTS,),
    ),
    Plant(
        "training: a milestone counts a step late",
        "training/schedule.py",
        "step >= milestone",
        "step > milestone",
        (PARTS,),
    ),
    Plant(
        "training: figures come after the checkpoint of their step",
        "training/loop.py",
        "if state.step < until:  # at `until`, figures come first",
        "if state.step < self.steps:",
        (LOOP,),
    ),
    Plant(
        "tasks: ArcFace's loss rises again beyond half a turn",
        "tasks/embedding.py",
        "torch.where(own >= -math.cos(margin), further,",
        "torch.where(own >= -2.0, further,",
        ("tests/tasks/test_embedding.py",),
    ),
    Plant(
        "tasks: the contrastive loss compares an image with itself",
        "tasks/embedding.py",
        "same = (labels[:, None] == labels[None, :]) & ~itself",
        "same = labels[:, None] == labels[None, :]",
        ("tests/tasks/test_embedding.py",),
    ),
    Plant(
        "data: groups of a class are the same in every epoch",
        "data/sampler.py",
        'by_class = drawn[np.argsort(groups.labels[drawn], kind="stable")]',
        'by_class = np.argsort(groups.labels, kind="stable")',
        ("tests/data/test_sampling.py",),
    ),
    Plant(
        "data: an image becomes of a new class by itself",
        "data/loader.py",
        "self.augmentation.relabelled(pixels, truth, self.seed, epoch)",
        "self.augmentation.relabelled(pixels, truth, self.seed, epoch + int(index))",
        ("tests/training/test_contrastive.py",),
    ),
    Plant(
        "settings: a key of the wrong table is taken",
        "settings.py",
        "elif name not in table.tables:",
        "elif name not in table.tables and table.tables:",
        ("tests/test_settings.py",),
    ),
    Plant(
        "training: each part of a batch of boxes counts by the objects of the first",
        "training/learner.py",
        "self._move(correction)",
        "self._move(None)",
        (DETECTORS,),
    ),
    Plant(
        "training: average precision is computed in the network's image",
        "tasks/detection/task.py",
        "found = [there.of(number) for",
        "found = [decoded.of(number) for",
        (DETECTORS,),
    ),
    Plant(
        "training: a quality and classes that are taught it go together",
        "tasks/detection/teaching.py",
        "if detector.quality and how.classification == QUALITY_FOCAL:",
        "if detector.quality and how.matching == QUALITY_FOCAL:",
        (DETECTORS,),
    ),
    Plant(
        "evaluation: a resample draws images of one class alone",
        "tasks/detection/precision.py",
        "parts = [parts[row + image] for row in rows for image in images]",
        "parts = [parts[image] for row in rows for image in images]",
        (DETECTED,),
    ),
    Plant(
        "evaluation: COCO's results have numbers for ids",
        "inference/results.py",
        '"image_id": ids.images[index],',
        '"image_id": index + 1,',
        (DETECTED,),
    ),
    Plant(
        "training: a label of no class is trained on",
        "data/sample.py",
        "if classes and not 0 <= label < classes:",
        "if classes and not label < classes:",
        (OWN,),
    ),
    Plant(
        "training: fractions are cut to whole pixels",
        "data/sample.py",
        "if pixels.dtype != np.uint8:",
        'if pixels.dtype.kind not in "uf":',
        (OWN,),
    ),
    Plant(
        "training: what is changed counts as not given",
        "training/config.py",
        "return held is not None",
        "return keys in self.document.keys and held is None",
        (SETTINGS,),
    ),
    Plant(
        "training: an unfinished run is overwritten",
        "training/files.py",
        "if self.leads and 0 < step < steps:",
        "if self.leads and 0 < steps < step:",
        (STOPPED,),
    ),
    Plant(
        "training: a head that fits no task is used",
        "training/build.py",
        "reading.features < len(classes)",
        "reading.features < 0",
        (OWN,),
    ),
)
