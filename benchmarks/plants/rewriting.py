"""Bugs that come of rewriting: a setting that nothing reads, state that calls share, an answer that is stale."""

from benchmarks.plants.plant import Plant

BESIDE, ENGINES = "tests/ir/test_beside.py", "tests/search/test_engines.py"
SETTINGS, STEP, PARTS = "tests/tasks/test_settings.py", "tests/training/test_learner.py", "tests/training/test_parts.py"
PLANTS = (
    # ---- settings that nothing reads, or another one's place has ----
    Plant(
        "detection: below which overlap there is background is that of the defaults",
        "tasks/detection/objective.py",
        "foreground=how.foreground, background=how.background)",
        "foreground=how.foreground)",
        (SETTINGS,),
    ),
    Plant(
        "detection: quality focal loss takes no gamma",
        "tasks/detection/objective.py",
        "quality_focal(logits, wanted, positives, beta=how.focal_gamma)",
        "quality_focal(logits, wanted, positives)",
        (SETTINGS,),
    ),
    Plant(
        "detection: aligned matching takes as many points as by default",
        "tasks/detection/objective.py",
        "guesses[1][number], most=how.aligned_most)",
        "guesses[1][number])",
        (SETTINGS,),
    ),
    Plant(
        "detection: smooth L1 is linear from where it is by default",
        "tasks/detection/objective.py",
        "beta=how.smooth_l1_beta, weights=weights)",
        "weights=weights)",
        (SETTINGS,),
    ),
    Plant(
        "training: AdamW's epsilon is that of PyTorch",
        "training/optim.py",
        ', eps=values["epsilon"])',
        ")",
        (PARTS,),
    ),
    Plant(
        "training: AdamW's betas change places",
        "training/optim.py",
        "betas=(first, second)",
        "betas=(second, first)",
        (PARTS,),
    ),
    # ---- one part for all ----
    Plant(
        "training: all parts of a step are mixed alike",
        "training/learner.py",
        'Draws(self.setup.config.run["seed"], step, number, Purpose.MIX)',
        'Draws(self.setup.config.run["seed"], step, 0, Purpose.MIX)',
        (STEP,),
    ),
    Plant(
        "training: what a step loses of each kind is what its last part lost",
        "training/learner.py",
        "torch.stack([one.parts[name] for one in losses]).mean()",
        "losses[-1].parts[name]",
        (STEP,),
    ),
    # ---- the order of steps ----
    Plant(
        "training: gradients of 16 bits are shortened while they are scaled",
        "training/learner.py",
        "        if most and state.scaler is not None:\n            state.scaler.unscale_(state.optimizer)\n",
        "",
        (STEP,),
    ),
    # ---- state that calls share ----
    Plant(
        "training: what one configuration says is in the preset of the next",
        "training/config.py",
        "    found = dict(values)\n    for name, value in over.items():",
        "    found = values if isinstance(values, dict) else dict(values)\n    for name, value in over.items():",
        ("tests/training/test_settings.py::test_what_one_run_says_is_nothing_that_another_one_has",),
    ),
    Plant(
        "training: to compute statistics anew counts as training",
        "training/norms.py",
        "        part.num_batches_tracked.copy_(tracked)\n",
        "",
        (PARTS,),
    ),
    Plant(
        "search: the controller seeds everybody's generator",
        "search/engines/controller.py",
        "with torch.random.fork_rng(devices=[]):",
        "if True:",
        (f"{ENGINES}::test_generators_of_everybody_stay_as_they_are",),
    ),
    Plant(
        "check: the search for garbage is off from then on",
        "checking.py",
        "        if paused:\n            gc.enable()",
        "        if not paused:\n            gc.enable()",
        ("tests/test_once.py::test_the_search_for_garbage_is_as_it_was",),
    ),
    # ---- answers that are stale ----
    Plant(
        "remembered: how deep a definition goes is known where it is first used",
        "ir/expand/context.py",
        "            self.deepest = max(self.deepest, found.deepest)\n",
        "",
        (BESIDE,),
    ),
    Plant(
        "remembered: which axes a definition reads is known where it is first used",
        "ir/expand/context.py",
        "for axis, loc in found.static_axes.items():",
        "for axis, loc in self.static_axes.items():",
        (BESIDE,),
    ),
    Plant(
        "remembered: networks of other sizes share what was expanded",
        "ir/expand/context.py",
        "key = self._key, self._sizes",
        "key = self._key, None",
        (BESIDE,),
    ),
    Plant(
        "remembered: what is given 1 is what is given `true`",
        "ir/scalars.py",
        "else (kind, value)",
        "else value",
        (BESIDE,),
    ),
)
