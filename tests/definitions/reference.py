"""The networks beside this file once more, as anybody would write them in PyTorch: the witness that shares no code.

Each function is named as its file and takes `w`, the tensors by canonical name, and an image, all float64; it gives the
outputs in their order. Only names are taken from the compiler; shapes, padding and arithmetic come from the papers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeAlias

import torch
import torch.nn.functional as F  # noqa: N812 - everybody calls it so
from torch import Tensor

from tests.definitions.papers import REFERENCES as PAPERS
from tests.definitions.parts import REFERENCES as PARTS

Weights: TypeAlias = Mapping[str, Tensor]
Outputs: TypeAlias = list[Tensor]


def conv(w: Weights, name: str, x: Tensor, stride: int = 1, padding: int | None = None, dilation: int = 1) -> Tensor:
    """Half the kernel is padded; what is not depthwise is not grouped."""
    kernel = w[f"{name}.weight"]
    groups = x.shape[1] // kernel.shape[1]
    padding = kernel.shape[-1] // 2 if padding is None else padding
    return F.conv2d(x, kernel, w.get(f"{name}.bias"), stride, padding, dilation, groups)


def norm(w: Weights, name: str, x: Tensor) -> Tensor:
    mean, var, weight, bias = (w[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias"))
    return F.batch_norm(x, mean, var, weight, bias, eps=1e-3)


def unit(w: Weights, name: str, x: Tensor, stride: int = 1, number: str = "") -> Tensor:
    """A convolution and its norm."""
    return norm(w, f"{name}.norm{number}", conv(w, f"{name}.conv{number}", x, stride))


def enter(w: Weights, image: Tensor) -> Tensor:
    return F.conv2d(image, w["s.conv.weight"], stride=4)


def pyramid(w: Weights, image: Tensor) -> Outputs:
    """Three plain blocks, at levels 2, 3 and 4."""
    b2 = unit(w, "b2", enter(w, image)).relu()
    b3 = unit(w, "b3", b2, 2).relu()
    return [b2, b3, unit(w, "b4", b3, 2).relu()]


def squeeze_excitation(w: Weights, image: Tensor) -> Outputs:
    def block(name: str, x: Tensor, stride: int = 1) -> Tensor:
        y = unit(w, f"{name}.second", unit(w, f"{name}.first", x, stride).relu())
        gate = y.mean((2, 3))
        gate = F.linear(gate, w[f"{name}.squeeze.linear.weight"], w[f"{name}.squeeze.linear.bias"]).relu()
        gate = F.linear(gate, w[f"{name}.excite.linear.weight"], w[f"{name}.excite.linear.bias"]).sigmoid()
        shortcut = unit(w, f"{name}.shortcut", x, stride) if stride > 1 else x
        return (y * gate[:, :, None, None] + shortcut).relu()

    return [block("b1.rep1", block("b1.rep0", block("b0", enter(w, image)), 2))]


def inverted_layer_scale(w: Weights, image: Tensor) -> Outputs:
    def block(name: str, x: Tensor, stride: int = 1) -> Tensor:
        y = F.hardswish(unit(w, f"{name}.expand", x))
        y = F.hardswish(unit(w, f"{name}.depthwise", y, stride))
        y = unit(w, f"{name}.project", y)
        return y if stride > 1 else x + y * w[f"{name}.scale.parameter.weight"]

    return [block("b1.rep1", block("b1.rep0", block("b0", enter(w, image)), 2))]


def spatial_attention(w: Weights, image: Tensor) -> Outputs:
    def block(name: str, x: Tensor, stride: int = 1) -> Tensor:
        y = unit(w, f"{name}.y", x, stride).relu()
        seen = torch.cat([y.amax(1, keepdim=True), y.mean(1, keepdim=True)], 1)
        return y * conv(w, f"{name}.attention.conv", seen).sigmoid()

    b0 = block("b0", enter(w, image))
    return [b0, block("b1", b0, 2)]


def ghost(w: Weights, image: Tensor) -> Outputs:
    def made(name: str, x: Tensor, channels: int, active: bool) -> Tensor:
        primary = unit(w, f"{name}.primary", x)
        primary = primary.relu() if active else primary
        cheap = unit(w, f"{name}.cheap", primary)
        return torch.cat([primary, cheap.relu() if active else cheap], 1)[:, :channels]

    x = enter(w, image)
    x = x + made("b0.narrow", made("b0.wide", x, 14, True), 7, False)
    y = unit(w, "b1.depthwise", made("b1.wide", x, 14, True), 2)
    shortcut = unit(w, "b1.shortcut", unit(w, "b1.shortcut", x, 2), number="_2")
    return [made("b1.narrow", y, 9, False) + shortcut]


def shuffle_unit(w: Weights, image: Tensor) -> Outputs:
    def branch(name: str, x: Tensor, stride: int) -> Tensor:
        y = unit(w, f"{name}.depthwise", unit(w, f"{name}.enter", x).relu(), stride)
        return unit(w, name, y).relu()

    def shuffled(*halves: Tensor) -> Tensor:
        return F.channel_shuffle(torch.cat(halves, 1), 2)

    def kept(name: str, x: Tensor) -> Tensor:
        left, right = x.chunk(2, 1)
        return shuffled(left, branch(f"{name}.changed.branch", right, 1))

    x = kept("b0", enter(w, image))
    shortcut = unit(w, "b1.rep0.shortcut", unit(w, "b1.rep0.shortcut", x, 2), number="_2").relu()
    return [kept("b1.rep1", shuffled(shortcut, branch("b1.rep0.main", x, 2)))]


def res2net(w: Weights, image: Tensor) -> Outputs:
    def block(name: str, x: Tensor, scales: int, stride: int = 1) -> Tensor:
        y = norm(w, f"{name}.squeeze.norm", conv(w, f"{name}.squeeze.conv", x, stride)).relu()
        first, *parts = y.chunk(scales, 1)
        made = [first]
        for i, part in enumerate(parts):
            made.append(unit(w, f"{name}.rep{i}", part if i == 0 else part + made[-1]).relu())
        shortcut = unit(w, f"{name}.shortcut", x, stride) if stride > 1 else x
        return (unit(w, f"{name}.expand", torch.cat(made, 1)) + shortcut).relu()

    return [block("b1", block("b0", enter(w, image), 4), 3, 2)]


def convnext_v2(w: Weights, image: Tensor) -> Outputs:
    x = enter(w, image)
    for name in ("b0.rep0", "b0.rep1"):
        y = conv(w, f"{name}.depthwise.conv", x).permute(0, 2, 3, 1)
        affine = w[f"{name}.depthwise.layer_norm.weight"], w[f"{name}.depthwise.layer_norm.bias"]
        y = F.layer_norm(y, y.shape[-1:], *affine, eps=1e-6).permute(0, 3, 1, 2)
        y = F.gelu(conv(w, f"{name}.wide.conv", y))
        lengths = torch.linalg.vector_norm(y, dim=(2, 3), keepdim=True)
        relative = lengths / (lengths.mean(1, keepdim=True) + 1e-6)
        gamma, beta = (w[f"{name}.narrow.response_norm.{part}.parameter.weight"] for part in ("gamma", "beta"))
        x = x + conv(w, f"{name}.narrow.conv", gamma * (y * relative) + beta + y)
    return [x]


def cross_stage(w: Weights, image: Tensor) -> Outputs:
    def block(name: str, x: Tensor, depth: int) -> Tensor:
        past, y = F.silu(unit(w, f"{name}.past", x)), F.silu(unit(w, name, x))
        for i in range(depth):
            inner = f"{name}.rep{i}.unit"
            y = y + F.silu(unit(w, inner, F.silu(unit(w, f"{inner}.reduce", y))))
        return F.silu(unit(w, name, torch.cat([y, past], 1), number="_2"))

    x = block("b0", enter(w, image), 2)
    return [block("b1", F.silu(unit(w, "b1.down", x, 2)), 1)]


def two_towers(w: Weights, image: Tensor) -> Outputs:
    features = pyramid(w, image)
    made = [*features]
    for level, p in enumerate(features):
        scores = boxes = p
        for i in range(2):
            own = f"found.p{level}"
            scores = F.silu(norm(w, f"{own}.rep{i}.norm", conv(w, f"found.rep{i}.conv", scores)))
            boxes = F.silu(norm(w, f"{own}.rep_2_{i}.norm", conv(w, f"found.rep_2_{i}.conv", boxes)))
        boxes = conv(w, "found.boxes.conv", boxes)
        made += [conv(w, "found.scores.conv", scores), torch.stack([boxes[:, :4], boxes[:, 4:]], 1)]
    return made


def fcos(w: Weights, image: Tensor) -> Outputs:
    features = pyramid(w, image)
    made = [*features]
    for level, y in enumerate(features):
        for i in range(2):
            own = f"f.p{level}.rep{i}.group_norm"
            y = F.group_norm(conv(w, f"f.rep{i}.conv", y), 2, w[f"{own}.weight"], w[f"{own}.bias"]).relu()  # noqa: PLW2901
        embedding = conv(w, "f.embedding.conv", y)
        made += [conv(w, "f.scores.conv", y), conv(w, "f.centres.conv", y)]
        made.append((w[f"f.p{level}.scale.parameter.weight"] * conv(w, "f.distances.conv", y)).relu())
        made.append(embedding / torch.linalg.vector_norm(embedding, dim=1, keepdim=True).clamp_min(1e-12))
    return made


def repvgg(w: Weights, image: Tensor) -> Outputs:
    x = enter(w, image)
    for name, stride in (("b0.rep0", 1), ("b0.rep1", 1), ("b1.rep0", 2), ("b1.rep1", 1)):
        y = unit(w, f"{name}.dense", x, stride) + unit(w, f"{name}.pointwise", x, stride)
        x = (y if stride > 1 else y + norm(w, f"{name}.norm", x)).relu()
    return [x]


def bifpn(w: Weights, image: Tensor) -> Outputs:
    b2, b3, b4 = pyramid(w, image)

    def up(x: Tensor) -> Tensor:
        return x.repeat_interleave(2, 2).repeat_interleave(2, 3)

    def down(x: Tensor) -> Tensor:
        return F.max_pool2d(x, 3, 2, 1)

    def fused(name: str, *inputs: Tensor) -> Tensor:
        weights = [w[f"{name}.join.x{i}.weight.parameter.weight"].relu() for i in range(len(inputs))]
        shares = torch.stack(weights) / torch.stack(weights).sum(0)
        y = F.silu((shares[:, None] * torch.stack(inputs)).sum(0))
        return norm(w, f"{name}.norm", conv(w, f"{name}.conv_2", conv(w, f"{name}.conv", y)))

    t3 = fused("t3", b3, up(b4))
    o2 = fused("o2", b2, up(t3))
    o3 = fused("o3", b3, t3, down(o2))
    return [o2, o3, fused("o4", b4, down(o3))]


def pan(w: Weights, image: Tensor) -> Outputs:
    b2, b3, b4 = pyramid(w, image)

    def up(name: str, x: Tensor) -> Tensor:
        return F.interpolate(conv(w, f"{name}.conv", x), scale_factor=2)

    def across(name: str, x: Tensor) -> Tensor:
        return conv(w, f"{name}.conv_3", x)

    def down(name: str, x: Tensor) -> Tensor:
        return norm(w, f"{name}.norm", conv(w, f"{name}.conv_2", x, 2)).relu()

    t3 = unit(w, "t3", across("t3.from_b3", b3) + up("t3.from_b4", b4)).relu()
    t2 = unit(w, "t2", across("t2.from_b2", b2) + up("t2.from_t3", t3)).relu()
    u3 = unit(w, "u3", across("u3.from_t3", t3) + down("u3.from_t2", t2)).relu()
    u4 = unit(w, "u4", across("u4.from_b4", b4) + down("u4.from_u3", u3)).relu()
    return [t2, u3, u4]


def selective_kernel(w: Weights, image: Tensor) -> Outputs:
    def block(name: str, x: Tensor, stride: int = 1) -> Tensor:
        near = unit(w, f"{name}.near", x, stride).relu()
        far = conv(w, f"{name}.far.conv", x, stride, padding=2, dilation=2)
        far = norm(w, f"{name}.far.norm", far).relu()
        z = unit(w, f"{name}.squeeze", (near + far).mean((2, 3), keepdim=True)).relu()
        a, b = conv(w, f"{name}.chosen.conv", z).chunk(2, 1)
        share = (a - b).sigmoid()  # of a softmax of two
        return share * near + (1 - share) * far

    return [block("b1", block("b0", enter(w, image)), 2)]


def blurred_stem(w: Weights, image: Tensor) -> Outputs:
    def rounded(*values: float) -> Tensor:
        return torch.tensor(values).double()[:, None, None]

    x = (image - rounded(0.485, 0.456, 0.406)) * rounded(4.367, 4.464, 4.444)
    y = F.conv2d(x, w["s.y.conv.weight"], stride=2, padding=3).relu()
    binomial = torch.tensor([1.0, 2, 1]).double()
    kernel = (binomial[:, None] * binomial / 16).expand(y.shape[1], 1, 3, 3)
    blurred = F.conv2d(y, kernel, stride=2, padding=1, groups=y.shape[1])
    moved = torch.zeros_like(blurred)
    moved[:, :, 1:, 1:] = blurred[:, :, :-1, :-1]
    x = blurred + 0.5 * moved
    return [norm(w, "b0.norm", conv(w, "b0.conv", x)) + w["b0.parameter.weight"]]


def helper_of_a_resampling(w: Weights, image: Tensor) -> Outputs:
    def arrives(name: str, x: Tensor, halvings: int = 0, doublings: int = 0) -> Tensor:
        for _ in range(halvings):
            x = F.max_pool2d(x, 2)
        for _ in range(doublings):
            x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
        return conv(w, f"{name}.conv", conv(w, f"{name}.narrow.conv", x))

    s = conv(w, "s.conv", image, 2).relu()
    b2 = unit(w, "b2", s, 2).relu()
    b3 = unit(w, "b3", arrives("b3.from_s", s, halvings=2) + arrives("b3.from_b2", b2, halvings=1)).relu()
    b1 = unit(w, "b1", arrives("b1.from_s", s) + arrives("b1.from_b3", b3, doublings=2)).relu()
    return [b1, b3]


def shared_transposed(w: Weights, image: Tensor) -> Outputs:
    s = conv(w, "s.conv", image, 2).relu()
    b2 = unit(w, "b2", s, 2).relu()
    b3 = unit(w, "b3", b2, 2).relu()

    def finer(x: Tensor, like: Tensor) -> Tensor:
        kernel, bias = (w[f"fine.conv_transpose.{part}"] for part in ("weight", "bias"))
        return F.conv_transpose2d(x, kernel, bias, stride=2)[:, :, : like.shape[2], : like.shape[3]].relu()

    return [s, b2, b3, finer(s, image), finer(b2, s), finer(b3, b2)]


def yolov8n(w: Weights, image: Tensor) -> Outputs:
    def cbs(name: str, x: Tensor, stride: int = 1) -> Tensor:
        return F.silu(unit(w, name, x, stride))

    def c2f(name: str, x: Tensor, n: int = 1, *, shortcut: bool = False) -> Tensor:
        y = [*cbs(f"{name}.cv1", x).chunk(2, 1)]
        for i in range(n):
            part = f"{name}.rep{i}"
            made = cbs(f"{part}.m2", cbs(f"{part}.m1", y[-1]))
            y.append(y[-1] + made if shortcut else made)
        return cbs(f"{name}.cv2", torch.cat(y, 1))

    def stage(name: str, x: Tensor, n: int = 1) -> Tensor:
        return c2f(f"{name}.body", cbs(f"{name}.down", x, 2), n, shortcut=True)

    def sppf(name: str, x: Tensor) -> Tensor:
        y = [cbs(f"{name}.cv1", x)]
        for _ in range(3):
            y.append(F.max_pool2d(y[-1], 5, 1, 2))
        return cbs(f"{name}.cv2.cbs", torch.cat(y, 1))

    def up(x: Tensor) -> Tensor:
        return F.interpolate(x, scale_factor=2)

    def detect(x: Tensor, level: int) -> Tensor:
        name = f"detections.p{level - 3}"
        boxes, classes = (
            conv(w, f"{name}.{one}_2.conv", cbs(f"{name}.{one}_1", cbs(f"{name}.{one}_0", x))) for one in ("cv2", "cv3")
        )
        return torch.cat([boxes, classes], 1)

    b3 = stage("b3", stage("b2", cbs("s.cbs", image, 2)), 2)
    b4 = stage("b4", b3, 2)
    b5 = sppf("b5.sppf", stage("b5", b4))
    n4 = c2f("n4.c2f", torch.cat([up(b5), b4], 1))
    n3 = c2f("n3.c2f", torch.cat([up(n4), b3], 1))
    d4 = c2f("d4.c2f", torch.cat([cbs("d4.from_n3.down", n3, 2), n4], 1))
    d5 = c2f("d5.c2f", torch.cat([cbs("d5.from_d4.down", d4, 2), b5], 1))
    return [n3, d4, d5, *(detect(x, level) for level, x in ((3, n3), (4, d4), (5, d5)))]


def cells(w: Weights, image: Tensor) -> Outputs:
    def arrives(name: str, x: Tensor, halvings: int = 0) -> Tensor:
        x = x.relu()
        for _ in range(halvings):
            x = F.avg_pool2d(x, 2)
        return unit(w, name, x)

    def cell(name: str, x: Tensor) -> Tensor:
        sep = norm(w, f"{name}.sep.norm", conv(w, f"{name}.sep.conv_2", conv(w, f"{name}.sep.conv", x.relu())))
        pool = F.max_pool2d(x[:, -sep.shape[1] :], 3, 1, 1)
        return torch.cat([sep, pool, sep + pool], 1)

    s = enter(w, image)
    c0 = cell("c0", arrives("c0.from_s", s))
    c1 = cell("c1", torch.cat([arrives("c1.from_s", s), arrives("c1.from_c0", c0)], 1))
    c2 = cell("c2", torch.cat([arrives("c2.from_c0", c0, 1), arrives("c2.from_c1", c1, 1)], 1))
    return [cell("c3", arrives("c3.from_c1", c1, 1) + arrives("c3.from_c2", c2))]


def regnet(w: Weights, image: Tensor) -> Outputs:
    def block(name: str, x: Tensor, stride: int) -> Tensor:
        y = unit(w, f"{name}.conv1", x).relu()
        y = unit(w, f"{name}.conv2", y, stride).relu()
        gate = conv(w, f"{name}.fc2.conv", conv(w, f"{name}.fc1.conv", y.mean((2, 3), keepdim=True)).relu()).sigmoid()
        y = unit(w, f"{name}.conv3", y * gate)
        shortcut = unit(w, f"{name}.downsample", x, stride) if f"{name}.downsample.conv.weight" in w else x
        return (y + shortcut).relu()

    x = unit(w, "s", image, 2).relu()
    for stage, depth in enumerate((1, 1, 3, 1), 1):
        for number in range(depth):
            x = block(f"s{stage}.rep{number}", x, 1 if number else 2)
    return [x]


def grown_list(w: Weights, image: Tensor) -> Outputs:
    def dense(name: str, x: Tensor, layers: int, stride: int = 1) -> Tensor:
        maps = [conv(w, f"{name}.reduced.conv", x, stride)]
        for i in range(layers):
            maps.append(unit(w, f"{name}.rep{i}.y", torch.cat(maps, 1)).relu())
        back = unit(w, f"{name}.back", torch.cat([*maps[1:], maps[0]], 1))
        total = back + maps[0]
        for i, p in enumerate([*maps, back]):
            total = total + conv(w, f"{name}.p{i}.conv", p)
        return total.relu()

    return [dense("b1", dense("b0", enter(w, image), 3), 2, 2)]


def pooled_cells(w: Weights, image: Tensor) -> Outputs:
    s = enter(w, image)
    parts = [s]
    for number, cells in enumerate((1, 2, 3, 6)):
        name = "a.parts.bin" if number == 0 else f"a.parts.bin_{number + 1}"
        pooled = F.adaptive_avg_pool2d(s, (cells, 2 * cells))
        parts.append(F.interpolate(conv(w, f"{name}.conv", pooled), s.shape[2:], mode="bilinear"))
    return [conv(w, "a.conv", torch.cat(parts, 1))]


def maps_one_by_one(w: Weights, image: Tensor) -> Outputs:
    def fitted(name: str, x: Tensor, halvings: int = 0) -> Tensor:
        return unit(w, name, (F.avg_pool2d(x, 2) if halvings else x).relu())

    def sep(name: str, x: Tensor, stride: int = 1) -> Tensor:
        return norm(w, f"{name}.norm", conv(w, f"{name}.conv", conv(w, f"{name}.first.conv", x.relu(), stride)))

    def pool(x: Tensor) -> Tensor:
        return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False)

    def normal(name: str, h: Tensor, p: Tensor) -> Tensor:
        a = sep(f"{name}.a.sep", h) + sep(f"{name}.a.sep_2", p)
        b = sep(f"{name}.b.sep", p) + sep(f"{name}.b.sep_2", p)
        return torch.cat([p, a, b, pool(h) + p, pool(p) + pool(p), sep(f"{name}.e.sep", h) + h], 1)

    def reduction(name: str, h: Tensor, p: Tensor, steps: int, stride: int) -> Tensor:
        left, right = unit(w, f"{name}.left", h.relu()), unit(w, f"{name}.right", p.relu(), steps)
        a = sep(f"{name}.a.sep", left, stride) + sep(f"{name}.a.sep_2", right, stride)
        return torch.cat([a, F.max_pool2d(left, 3, stride, 1) + a], 1)

    s = enter(w, image)
    c0 = normal("c0", fitted("c0.from_s", s), fitted("c0.from_s_2", s))
    c1 = normal("c1", fitted("c1.from_c0", c0), fitted("c1.from_s", s))
    r0 = reduction("r0", c1, c0, 1, 2)
    r1 = reduction("r1", r0, c1, 2, 1)
    halved = conv(w, "c2.from_c1.halved.conv", c1, 2, padding=0)
    return [r1[:, :6] * conv(w, "c2.conv", halved).sigmoid() + fitted("c2.from_r0", r0)]


def darts(w: Weights, image: Tensor) -> Outputs:
    def fitted(name: str, x: Tensor) -> Tensor:
        return unit(w, name, x.relu())

    def halved(name: str, x: Tensor) -> Tensor:
        y = x.relu()
        even, odd = conv(w, f"{name}.even.conv", y, 2), conv(w, f"{name}.odd.conv", y[:, :, 1:, 1:], 2)
        return norm(w, f"{name}.norm", torch.cat([even, odd], 1))

    def separable(name: str, x: Tensor, dilation: int = 1) -> Tensor:
        kernel = w[f"{name}.y.conv.weight"]
        y = F.conv2d(x.relu(), kernel, None, 1, dilation, dilation, x.shape[1])
        return unit(w, name, y)

    def twice(name: str, x: Tensor) -> Tensor:
        return separable(f"{name}.separable_2", separable(f"{name}.separable", x))

    def normal(name: str, s0: Tensor, s1: Tensor) -> Tensor:
        a = twice(f"{name}.a.twice", s0) + twice(f"{name}.a.twice_2", s1)
        b = twice(f"{name}.b.twice", s0) + twice(f"{name}.b.twice_2", s1)
        c = twice(f"{name}.c.twice", s1) + s0
        return torch.cat([a, b, c, s0 + separable(f"{name}.d.separable", a, 2)], 1)

    def reduction(name: str, s0: Tensor, s1: Tensor) -> Tensor:
        left, right = (
            F.max_pool2d(fitted(f"{name}.{side}.fitted", x), 3, 2, 1) for side, x in (("left", s0), ("right", s1))
        )
        a = left + right
        return torch.cat([a, a + right, left + a, a + right], 1)

    s = unit(w, "s", image)
    c0 = normal("c0", fitted("c0.from_s.fitted", s), fitted("c0.from_s_2.fitted", s))
    c1 = normal("c1", fitted("c1.from_s.fitted", s), fitted("c1.from_c0.fitted", c0))
    r2 = reduction("r2", c0, c1)
    c3 = normal("c3", halved("c3.from_c1", c1), fitted("c3.from_r2.fitted", r2))
    c4 = normal("c4", fitted("c4.from_r2.fitted", r2), fitted("c4.from_c3.fitted", c3))
    r5 = reduction("r5", c3, c4)
    c6 = normal("c6", halved("c6.from_c4", c4), fitted("c6.from_r5.fitted", r5))
    return [normal("c7", fitted("c7.from_r5.fitted", r5), fitted("c7.from_c6.fitted", c6))]


def unet(w: Weights, image: Tensor) -> Outputs:
    def twice(name: str, x: Tensor) -> Tensor:
        for number in range(2):
            x = unit(w, f"{name}.twice.rep{number}", x).relu()
        return x

    maps = [twice("e0", image)]
    for level in range(1, 5):
        maps.append(twice(f"e{level}", F.max_pool2d(maps[-1], 2)))
    below, y = "e4", maps.pop()
    for level in (3, 2, 1, 0):
        up = f"d{level}.from_{below}.conv_transpose"
        y = F.conv_transpose2d(y, w[f"{up}.weight"], w[f"{up}.bias"], 2)
        below, y = f"d{level}", twice(f"d{level}", torch.cat([maps[level], y], 1))
    return [conv(w, "P.conv", y)]


REFERENCES: Mapping[str, Callable[[Weights, Tensor], Outputs]] = {
    function.__name__: function
    for function in (
        squeeze_excitation, inverted_layer_scale, spatial_attention, ghost, shuffle_unit, res2net, convnext_v2,
        cross_stage, two_towers, fcos, repvgg, bifpn, pan, selective_kernel, blurred_stem,
        helper_of_a_resampling, shared_transposed, yolov8n, cells, regnet, grown_list,
        pooled_cells, maps_one_by_one, darts, unet,
    )
} | PARTS | PAPERS  # fmt: skip
# Where the language has no division by a map: 1 / x is the second of a pair with a small number, set to length 1.
APPROXIMATE = frozenset({"convnext_v2", "bifpn"})
