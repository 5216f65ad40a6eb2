"""Images and losses of somebody's own, looked at before the first step.

In: what `train` was given. Out: nothing where it can be used; else a `TypeError` for what is no data set and no loss,
and diagnostics of what a data set gives.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from typing import Any

import numpy as np

from spinedsl import checks as say
from spinedsl.brief import brief, counted
from spinedsl.data.pictures import BadPicture
from spinedsl.data.sample import BadSample, sample
from spinedsl.diagnostics import Diagnostic
from spinedsl.record import replace
from spinedsl.training.messages import bad_sample, nowhere

WHOSE = ("the images", "the images for validation")


def look_at(data: Any, validation: Any, loss: Any) -> None:
    """See that these are data sets and a loss.

    Raises:
        TypeError: one of them is not.
    """
    for name, given in (("data", data), ("validation", validation)):
        if given is None:
            continue
        lacks = [one for one in ("classes", "__len__", "read") if not hasattr(given, one)]
        if lacks:
            what = "images with `classes`, `__len__` and `read(index)`"
            fix = "; a path stands in [data] of the settings" if isinstance(given, str) else ""
            raise TypeError(f"{name} must be {what}; got {brief(given)} without `{'`, `'.join(lacks)}`{fix}")
        _classes(name, given.classes)
    if loss is not None:
        _loss(loss)


def _classes(name: str, classes: Any) -> None:
    if isinstance(classes, str) or not isinstance(classes, Sequence) or not all(isinstance(c, str) for c in classes):
        raise TypeError(f"`classes` of {name} must be a list of names, one for each label; got {brief(classes)}")
    doubled = sorted({one for one in classes if list(classes).count(one) > 1}) if len(classes) < 10_000 else []
    if doubled:
        raise TypeError(f"`classes` of {name} must be different names; {brief(doubled)} stand there twice")


def _loss(loss: Any) -> None:
    wanted = "a function or module that gets the outputs by name, the labels and the step"
    if not callable(loss):
        raise TypeError(f"loss must be {wanted}; got {brief(loss)}")
    called: Callable[..., Any] = getattr(loss, "forward", loss)
    with suppress(ValueError):  # of what is not written in Python nobody knows what it takes
        signature = inspect.signature(called)
        try:
            signature.bind({}, None, 0)
        except TypeError:
            name = getattr(loss, "__name__", type(loss).__name__)
            raise TypeError(f"loss must be {wanted}: three things; `{name}` takes {signature}") from None


def wrong_in(train: Any, validation: Any, *, custom: bool, by_class: bool) -> Iterator[Diagnostic]:
    """What is wrong with the first sample of each data set, with `labels` where there are any, and with classes."""
    for whose, images in zip(WHOSE, (train, validation), strict=True):
        if images is None or not len(images):
            continue
        classes = 0 if custom else len(images.classes)
        try:
            with suppress(BadPicture):  # it is reported where it is needed
                sample(images, 0, classes)
            yield from _labels(images, classes, whose)
        except BadSample as error:
            yield bad_sample(error, whose)
    if by_class and validation is not None and list(validation.classes) != list(train.classes):
        theirs, ours = _shown(validation), _shown(train)
        what = f"the images for validation have the classes {theirs}, and those for training {ours}"
        yield _odd(what).with_fix("give both the same `classes`, in the same order")


def _odd(what: str) -> Diagnostic:
    return replace(say.SETTINGS_AT_ODDS.at(nowhere(), what=what), label="")


def _shown(images: Any) -> str:
    names = [f"`{name}`" for name in images.classes[:4]]
    return ", ".join(names) + f" and {len(images.classes) - 4} more" * (len(images.classes) > 4)


def _labels(images: Any, classes: int, whose: str) -> Iterator[Diagnostic]:
    """`labels` that a data set has beside `read` say of every image what `read` says of one."""
    labels = getattr(images, "labels", None)
    if labels is None or not len(labels) or not classes:
        return
    if len(labels) != len(images):
        what = f"`labels` of {whose} has {counted(len(labels), 'label')} for {counted(len(images), 'image')}"
        yield _odd(what)
        return
    numbers = np.asarray(labels)
    if numbers.dtype.kind in "iu" and numbers.ndim == 1:
        for index in np.flatnonzero((numbers < 0) | (numbers >= classes))[:1]:
            raise BadSample(
                int(index), f"{numbers[index]} as its label", f"there are {classes} classes, from 0 to {classes - 1}"
            )
