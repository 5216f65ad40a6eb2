"""Everything that a run needs, made from its configuration before the first step, with all that is wrong with it.

In: a `Config` and, from Python, data sets and a loss. Out: a `Setup`, or diagnostics of the network, the images and how
they go together.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, TypeAlias

import numpy as np
from torch import Tensor, nn

from spinedsl import checks as say
from spinedsl import extras
from spinedsl.brief import counted
from spinedsl.data.augment import Augmentation
from spinedsl.data.boxes import BoxSet
from spinedsl.data.dataset import Dataset, of_classes
from spinedsl.data.digest import fingerprint
from spinedsl.data.pictures import BadPicture, Pixels
from spinedsl.data.preprocessing import Preprocessing
from spinedsl.data.sampler import Groups, Indices, Plan
from spinedsl.data.section import Sets, of_odd, steps_at_odds
from spinedsl.data.seen import Hear
from spinedsl.diagnostics import Diagnostic, Outcome, Severity
from spinedsl.record import Record, replace
from spinedsl.settings import Odd
from spinedsl.tasks import BOXES, LABELS, TASKS, Task
from spinedsl.training import images, own
from spinedsl.training.build import Network, network_of
from spinedsl.training.config import Config, at_odds, beside_a_loss, idle
from spinedsl.training.distributed import Group
from spinedsl.training.fine import no_row
from spinedsl.training.norms import one_value
from spinedsl.training.schedule import Schedule

# The outputs by name, labels (of images with boxes a list of `Scene`s), and the step, to a loss. It may be a module,
# whose parameters are trained too.
Loss: TypeAlias = "Callable[[Mapping[str, Tensor], Any, int], Tensor] | nn.Module"


class Images(Protocol):
    """What a run needs of a data set; `digest`, where there is one, tells whether it has changed."""

    @property
    def classes(self) -> Sequence[str]:
        """The names of the labels."""

    def __len__(self) -> int: ...

    def read(self, index: int) -> tuple[Pixels, Any]:
        """Pixels of a sample and its label or, of images with boxes, a record with `sides` and `labels`."""


class Setup(Record, eq=False):
    """A run that may begin."""

    config: Config
    network: Network
    task: Task
    loss: Loss | None
    train: Images
    validation: Images | None
    preprocessing: Preprocessing
    augmentation: Augmentation
    plan: Plan
    schedule: Schedule
    steps: int
    validate_every: int
    parts: int  # of a step's batch, over all processes

    @property
    def classes(self) -> int:
        """How many labels there are."""
        return len(self.train.classes)

    @property
    def features(self) -> int:
        """Numbers of the output that is trained, or classes that are told apart."""
        return self.network.features

    @property
    def truth(self) -> str:
        """What is true of the images: what the task needs or, of a loss of one's own, what they have."""
        return self.task.truth if self.loss is None else truth_in(self.train)

    @property
    def frozen(self) -> frozenset[str]:
        """Rows and parts that stay as they are, by what their parameters are called after."""
        return frozenset(map(self.network.program.weights_of, self.config.weights["freeze"]))


def set_up(
    config: Config,
    train: Images | None,
    validation: Images | None,
    loss: Loss | None,
    group: Group,
    hear: Hear | None = None,
) -> Outcome[Setup]:
    """The run of a configuration."""
    section = config.data
    height, width = (section.preprocessing.get(name) for name in ("height", "width"))
    size = (height, width) if height is not None and width is not None else None
    outcome = network_of(config, size, custom=loss is not None)
    reported = list(outcome.diagnostics)
    network = outcome.value
    if network is not None and loss is None:
        extras.require(*TASKS[network.kind].needs)
        reported += idle(config, network.kind)
    elif loss is not None:
        reported += beside_a_loss(config)
    if train is None:
        opened = images.opened(config)
        reported += opened.diagnostics
        if opened.value is not None:
            sets = opened.value if validation is None else Sets(opened.value.train, None)
            train, validation = sets.train, validation if validation is not None else sets.validation
            seen = _image_of(config, network)
            found = images.looked_at(config, sets, _outputs(network, loss), hear, seen)
            reported += [_with_argument(one, network, len(train.classes)) for one in found]
            reported += _own(network, train, validation, custom=loss is not None) if sets.validation is None else ()
    else:
        if validation is None and section.validation is not None:
            what = "`data.validation` is read together with `data.train`, and other training images were given"
            reported.append(at_odds(config, ("data", "validation"), what).with_fix("give `validation` too"))
        reported += _own(network, train, validation, custom=loss is not None)
        reported += steps_at_odds(section, boxes=not _any(reported) and truth_in(train) == BOXES)
    if validation is not None and not len(validation):
        empty = at_odds(config, ("data", "validation"), "there are no images for validation")
        reported.append(empty.with_fix("leave it out, or name a folder that has images"))
    if config.run["recalibrate"] and config.weights["freeze_norms"]:
        what = "`weights.freeze_norms` keeps the statistics of batch norms, and `run.recalibrate` computes them anew"
        reported.append(at_odds(config, ("run", "recalibrate"), what).with_fix("take one of them out"))
    if network is None or train is None or _any(reported):
        return Outcome(None, tuple(reported))
    type_ = network.program.input_type
    image = section.preprocessing_of(type_.channels, type_.height, type_.width)
    each = per_class(config, network, custom=loss is not None)
    reported += _together(config, network, train, image, group, each, custom=loss is not None)
    if loss is None:
        reported += _truth(config, network, train, validation)
    if isinstance(image, tuple) or _any(reported):
        return Outcome(None, tuple(reported))
    plan = _plan(config, train, each)
    steps = _in_steps(config, config.run["steps"] or config.run["epochs"], plan)
    if not steps:
        what = f"{config.run['epochs']:g} epochs of {counted(plan.steps_per_epoch, 'step')} are no step"
        return Outcome(None, (*reported, at_odds(config, ("run", "epochs"), what).with_fix("`epochs = 1`")))
    every = config.run["validate_every"]
    made = Setup(
        config=config, network=network, task=TASKS[network.kind], loss=loss, train=train, validation=validation,
        preprocessing=image, augmentation=section.augmentation, plan=plan, schedule=_schedule(config, plan, steps),
        steps=steps,
        validate_every=max(1, _in_steps(config, every, plan)) if every else plan.steps_per_epoch,
        parts=config.run["accumulate"] * group.size,
    )  # fmt: skip
    one = one_value(
        network.program, config.run["batch"] // made.parts, made.frozen, norms=config.weights["freeze_norms"]
    )
    return Outcome(None if one else made, (*reported, *([one] if one else ())))


def _own(network: Network | None, train: Images, validation: Images | None, *, custom: bool) -> Iterator[Diagnostic]:
    """What is wrong with images that were given as objects."""
    by_class = network is not None and not custom and TASKS[network.kind].by_class
    return own.wrong_in(train, validation, custom=custom, by_class=by_class)


def _any(reported: Sequence[Diagnostic]) -> bool:
    return any(found.severity is Severity.ERROR for found in reported)


def _image_of(config: Config, network: Network | None) -> Preprocessing | None:
    """How images get into the network, where that is already known."""
    if network is None:
        return None
    type_ = network.program.input_type
    found = config.data.preprocessing_of(type_.channels, type_.height, type_.width)
    return None if isinstance(found, tuple) else found


def _outputs(network: Network | None, loss: Loss | None) -> int | None:
    """How many classes the network tells apart, where it is a classifier."""
    return network.features if network is not None and loss is None and TASKS[network.kind].by_class else None


# ---- how network, images and settings go together ----


def _together(
    config: Config,
    network: Network,
    train: Images,
    image: Preprocessing | tuple[Odd, ...],
    group: Group,
    each: int,
    *,
    custom: bool,
) -> list[Diagnostic]:
    reported = _batches(config, train, group, each)
    stray = no_row(network.program, map(network.program.weights_of, config.weights["freeze"]))
    reported += [at_odds(config, ("weights", "freeze"), stray)] if stray else []
    reported += _image(config, network, image)
    if not custom:
        reported += _labels(config, network, train)
    return reported


def _image(config: Config, network: Network, image: Preprocessing | tuple[Odd, ...]) -> list[Diagnostic]:
    """Whether the network takes what preprocessing gives."""
    type_ = network.program.input_type
    if isinstance(image, tuple):
        note = f"network `{network.program.name}` takes {counted(type_.channels, 'channel')}"
        return [of_odd(config.document, ("data", "preprocessing"), one).with_notes(note) for one in image]
    reported: list[Diagnostic] = []
    if image.channels != type_.channels:
        what = f"network `{network.program.name}` takes {type_.channels} channels, and images have {image.channels}"
        found = at_odds(config, ("data", "preprocessing", "channels"), what)
        reported.append(found.with_fix(f"`channels = {type_.channels}` in [data.preprocessing]"))
    divisor = network.program.divisor
    if image.height % divisor or image.width % divisor:
        what = f"height and width must divide by {divisor} for network `{network.program.name}`"
        reported.append(at_odds(config, ("data", "preprocessing"), f"{what}, got {image.height}x{image.width}"))
    return reported


def per_class(config: Config, network: Network, *, custom: bool) -> int:
    """How many images of a class stand together: as [run] says, else two where the loss compares images."""
    asked: int | None = config.run["per_class"]
    if asked is not None:
        return asked
    return 2 if not custom and TASKS[network.kind].compares(config.task) else 1


def _plan(config: Config, train: Images, each: int) -> Plan:
    groups = Groups(labels_of(train), each) if each > 1 else None
    return Plan(config.run["seed"], groups.count if groups else len(train), config.run["batch"], groups)


def labels_of(train: Images) -> Indices:
    """The label of each image, of a data set that has `labels`; of another, none."""
    return np.asarray(getattr(train, "labels", ()), dtype=np.int64)


def _grouped(config: Config, train: Images, parts: int, each: int) -> Iterator[Diagnostic]:
    """Whether batches, and their parts, hold whole groups of images of one class."""
    batch, place = config.run["batch"], ("run", "per_class" if config.run["per_class"] else "batch")
    if len(labels_of(train)) != len(train):
        yield at_odds(config, place, "images of one class can stand together only if the data set has `labels`")
        return
    if batch % (parts * each):
        what = f"a batch of {batch} in {counted(parts, 'part')} does not hold whole groups of {each} images of a class"
        yield at_odds(config, place, what).with_fix(f"`batch = {max(1, batch // (parts * each)) * parts * each}`")
    count = Groups(labels_of(train), each).count
    if count < batch:
        what = f"{counted(count, 'training image')} in groups of {each} of a class do not fill a batch of {batch}"
        less = max(1, count // (parts * each)) * parts * each
        fix = f"`batch = {less}`" if less <= count else f"give each class {each} images or more"
        yield at_odds(config, place, what).with_fix(fix)


def _batches(config: Config, train: Images, group: Group, each: int) -> list[Diagnostic]:
    """Whether a batch can be filled, and divided."""
    reported: list[Diagnostic] = []
    batch = config.run["batch"]
    parts = config.run["accumulate"] * group.size
    if batch % parts:
        what = (
            f"a batch of {batch} does not divide into {parts} equal parts, {config.run['accumulate']} in each process"
        )
        reported.append(at_odds(config, ("run", "batch"), what))
    if len(train) < batch:
        what = f"{len(train)} training images do not fill a batch of {batch}"
        less = len(train) // parts * parts
        reported.append(
            at_odds(config, ("run", "batch"), what).with_fix(f"`batch = {less}`" if less else "give it more images")
        )
    if each > 1 and not reported:
        reported += _grouped(config, train, parts, each)
    return reported


def _truth(config: Config, network: Network, train: Images, validation: Images | None) -> list[Diagnostic]:
    """Whether the images say what the task is taught by."""
    task = TASKS[network.kind]
    reported = []
    for name, given in (("train", train), ("validation", validation)):
        if given is None or not len(given) or truth_in(given) == task.truth:
            continue
        has, needs = ("boxes", "a class for each image") if task.truth == LABELS else ("no boxes", "boxes")
        what = f"the images have {has}, and {network.kind} needs {needs}"
        found = at_odds(config, ("data", name), what)
        reported.append(found.with_fix(_FIXES[task.truth]))
    return reported


_FIXES = {
    LABELS: "name a folder for each class, or a list; or train a network with a task `detection(…)`",
    BOXES: "name COCO's JSON, a folder of VOC's XML files, or one of YOLO's labels; or train a classifier",
}


def truth_in(images: Images) -> str:
    """What a data set says of its images: LABELS or BOXES."""
    if isinstance(images, Dataset):
        return LABELS
    if isinstance(images, BoxSet):
        return BOXES
    try:
        return BOXES if hasattr(images.read(0)[1], "sides") else LABELS
    except BadPicture:  # it is reported where it is needed
        return LABELS


def _labels(config: Config, network: Network, train: Images) -> list[Diagnostic]:
    """Whether the network tells the classes of the images apart, and what of [task] does not go with it."""
    task, classes, features = TASKS[network.kind], len(train.classes), network.features
    reported = []
    if config.data.augmentation.makes_classes and not task.compares(config.task):
        what = "`new_classes` makes classes that this loss does not know"
        fix = 'take it out; it is for `loss = "contrastive"` in [task] of an embedder'
        reported.append(at_odds(config, ("data", "augment", "new_classes"), what).with_fix(fix))
    if task.by_class and features < classes:
        what = f"{_named(network)} tells {of_classes(features)} apart, and the images have {classes:,}"
        found = at_odds(config, ("network", "arguments"), what)
        reported.append(found.with_fix(_for_classes(network, classes)))
    for odd in task.odd(network.reading, config.task, lambda name: config.says("task", name)):
        found = at_odds(config, ("task", odd.setting), odd.what)
        reported.append(found.with_fix(odd.fix) if odd.fix else found)
    return reported


def _with_argument(found: Diagnostic, network: Network | None, classes: int) -> Diagnostic:
    """The same with the argument that gives the network so many classes, where it has another number of them."""
    if network is None or found.code.id != say.HEAD_MISFIT.id:
        return found
    return replace(found, fixes=()).with_fix(_for_classes(network, classes))


def _for_classes(network: Network, classes: int) -> str:
    """How the network gets so many classes."""
    names = [name for name in network.parameters if "class" in name]
    if names:
        return f"`arguments = {{ {min(names, key=len)} = {classes} }}` in [network]"
    return f"let the file of the network say {classes}: it has no parameter that is called `classes`"


def _named(network: Network) -> str:
    """What the task is about, as messages name it."""
    return f"{'task' if network.reading.detector is not None else 'head'} `{network.output}`"


# ---- lengths ----


def _in_steps(config: Config, length: float, plan: Plan) -> int:
    """A length as [run] counts it, in steps."""
    return round(length * (1 if config.run["steps"] is not None else plan.steps_per_epoch))


def _schedule(config: Config, plan: Plan, steps: int) -> Schedule:
    values = config.schedule
    return Schedule(
        values["kind"], steps, _in_steps(config, values["warm_up"], plan), values["warm_up_from"],
        tuple(_in_steps(config, one, plan) for one in values["milestones"]), values["factor"], values["floor"],
    )  # fmt: skip


def fingerprint_of(data: Images) -> dict[str, Any]:
    """What tells whether a data set has changed, as JSON can hold it; a `digest` that is empty says nothing."""
    if isinstance(data, Dataset | BoxSet):
        return fingerprint(data).to_json()
    return {
        "digest": str(getattr(data, "digest", "")),
        "pictures": len(data),
        "classes": list(data.classes),
        "bytes": 0,
    }
