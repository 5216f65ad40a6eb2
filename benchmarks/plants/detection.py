"""Bugs of detection: which object a place is taught, what a number means, which boxes stay."""

from benchmarks.plants.plant import Plant

BOXES, CODING, MATCHING, LOSSES, SUPPRESSION, DECODING, PRECISION = (
    f"tests/tasks/detection/test_{name}.py"
    for name in ("boxes", "coding", "matching", "losses", "suppression", "decoding", "precision")
)
FORMS = "tests/data/test_boxes.py"
OBJECTIVE, ROWS = "tests/tasks/detection/test_objective.py", "tests/test_detection_rows.py"
PLANTS = (
    Plant(
        "detection: two boxes that lie apart both ways have something in common",
        "tasks/detection/boxes.py",
        "common = (last - first).clamp_min(0)",
        "common = last - first",
        (BOXES,),
    ),
    Plant(
        "detection: boxes come back from a letterbox without the margin",
        "tasks/detection/boxes.py",
        "return (boxes - boxes.new_tensor(shift)) / boxes.new_tensor(scale)",
        "return boxes / boxes.new_tensor(scale) - boxes.new_tensor(shift)",
        (BOXES,),
    ),
    Plant(
        "detection: points lie at the corners of their cells",
        "tasks/detection/places.py",
        "x = (torch.arange(width, dtype=torch.float32, device=device) + 0.5)",
        "x = (torch.arange(width, dtype=torch.float32, device=device) + 0.0)",
        (CODING,),
    ),
    Plant(
        "detection: distances are decoded in float32",
        "tasks/detection/coding.py",
        "given, of_points = distances.double() * strides[..., None], points.double()",
        "given, of_points = distances * strides[..., None], points",
        (CODING,),
    ),
    Plant(
        "detection: objects that overlap nothing claim every anchor",
        "tasks/detection/matching.py",
        "found = torch.where(own > 0, claimed, found)",
        "found = torch.where(own >= 0, claimed, found)",
        (MATCHING,),
    ),
    Plant(
        "detection: the largest object of a point wins",
        "tasks/detection/matching.py",
        "smallest, found = _largest(-size)",
        "smallest, found = _largest(torch.where(fits, size, -size))",
        (MATCHING,),
    ),
    Plant(
        "detection: zeros of a focal loss weigh as ones do",
        "tasks/detection/losses.py",
        "weight = (1 - alpha) + (2 * alpha - 1) * wanted",
        "weight = alpha",
        (LOSSES,),
    ),
    Plant(
        "detection: positives are those of one process",
        "tasks/detection/losses.py",
        "clamp_min(1) / processes",
        "clamp_min(1)",
        (LOSSES,),
    ),
    Plant(
        "detection: an overlap at the threshold suppresses",
        "tasks/detection/suppression.py",
        "(common / union > overlap)",
        "(common / union >= overlap)",
        (SUPPRESSION,),
    ),
    Plant(
        "detection: of equal scores any may come first",
        "tasks/detection/suppression.py",
        "found.scores[order].argsort(descending=True, stable=True)",
        "found.scores[order].flip(0).argsort(descending=True, stable=True).neg() + len(order) - 1",
        (SUPPRESSION,),
    ),
    Plant(
        "detection: classes suppress each other",
        "tasks/detection/suppression.py",
        " & (labels[at + 1 :] == labels[at])",
        "",
        (SUPPRESSION,),
    ),
    Plant(
        "detection: an anchor's numbers stand apart among the channels",
        "tasks/detection/decoding.py",
        "values.float().permute(0, 2, 3, 1).reshape(len(values), -1, numbers)",
        "values.float().unflatten(1, (numbers, -1)).permute(0, 3, 4, 2, 1).reshape(len(values), -1, numbers)",
        (DECODING,),
    ),
    Plant(
        "detection: what is no number comes first",
        "tasks/detection/decoding.py",
        "return torch.where(key > torch.tensor(limit, dtype=torch.float32), key, -math.inf), scores",
        "return torch.where(key <= torch.tensor(limit, dtype=torch.float32), -math.inf, key), scores",
        (DECODING,),
    ),
    Plant(
        "detection: a crowd is an object",
        "tasks/detection/precision.py",
        '"iscrowd": int(crowd)',
        '"iscrowd": 0',
        (PRECISION,),
    ),
    Plant(
        "detection: crowds are taught as objects",
        "tasks/detection/objective.py",
        "own, kinds = objects.boxes[whole & ~crowds].to(device), objects.labels[whole & ~crowds].to(device)",
        "own, kinds = objects.boxes[whole].to(device), objects.labels[whole].to(device)",
        (OBJECTIVE,),
    ),
    Plant(
        "detection: ignored places are taught silence",
        "tasks/detection/objective.py",
        "if (ignored := given.found.flatten() == IGNORED).any():",
        "if not (ignored := given.found.flatten() == IGNORED).any():",
        (OBJECTIVE,),
    ),
    Plant(
        "detection: a task's quality is left out of its score",
        "ops/detection.py",
        'by_clause.get("quality", ()),',
        "(),",
        (ROWS,),
    ),
    Plant(
        "detection: levels stand in the order of the row",
        "ops/detection.py",
        "order = sorted(range(len(levels)), key=lambda number: levels[number] or 0)",
        "order = list(range(len(levels)))",
        (ROWS,),
    ),
    Plant(
        "detection: classes of each anchor are not counted",
        "ops/tasks.py",
        "wrong = [misfit for clause in heads for misfit in _counts(clause, heads[clause], arguments)]",
        "wrong = []",
        ("tests/test_mistakes.py",),
    ),
    Plant(
        "boxes: VOC's first pixel is number 0",
        "data/boxes/voc.py",
        "(left - 1, top - 1, right, bottom)",
        "(left, top, right, bottom)",
        (FORMS,),
    ),
    Plant(
        "boxes: COCO's categories are their ids",
        "data/boxes/coco.py",
        'key=lambda item: item["id"])',
        'key=lambda item: -item["id"])',
        (FORMS,),
    ),
    Plant(
        "boxes: a box outside is kept as what is left of it",
        "data/boxes/kept.py",
        "if over > OVER or empty:",
        "if empty:",
        (FORMS,),
    ),
    Plant(
        "boxes: a picture on its side has the size that its file has",
        "data/boxes/yolo.py",
        "(image.width, image.height) if turned else",
        "(image.height, image.width) if turned else",
        (FORMS,),
    ),
)
