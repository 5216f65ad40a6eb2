"""What a configuration may say: every setting, its kind, default and meaning, as one table.

`[data]` is read by `spinedsl.data.section`, which knows what it may say.
"""

from __future__ import annotations

from spinedsl.data import section as data
from spinedsl.settings import Setting, Table
from spinedsl.tasks import TASKS
from spinedsl.training import devices, optim, schedule
from spinedsl.training.presets import PRESETS

LONGEST = 10**9  # steps or epochs: of more, nobody sees the end

NETWORK = Table(
    (
        Setting("file", "path", None, "the .spine file", needed=True),
        Setting("name", "text", None, "which network, where the file has several"),
        Setting("arguments", "values", {}, "values of the network's parameters, as in { classes = 10 }"),
        Setting("outputs", "names", [], "outputs that are trained besides the task's, with what they need"),
    )
)
TASK = Table(
    (
        Setting("kind", "text", None, "what the output means", choices=tuple(TASKS)),
        Setting("output", "text", None, "which output, where the network has several heads"),
        *(setting for task in TASKS.values() for setting in task.settings),
    )
)
OPTIMIZER = Table(
    (
        Setting("name", "text", "sgd", "which optimizer", choices=optim.KINDS),
        Setting(
            "rate",
            "number",
            0.1,
            "the learning rate, for the whole batch",
            above=0,
            elsewhere=("lr", "lr0", "learning_rate", "base_lr"),
        ),
        Setting("momentum", "number", 0.9, "of sgd", 0, 0.9999),
        Setting("nesterov", "flag", False, "of sgd: the momentum looks ahead"),
        Setting("betas", "numbers", [0.9, 0.999], "of adamw", 0, 0.99999),
        Setting("epsilon", "number", 1e-8, "of adamw", above=0, elsewhere=("eps",)),
        Setting("weight_decay", "number", 1e-4, "of all but norms and biases", 0, elsewhere=("wd", "decay", "l2")),
        Setting(
            "clip",
            "number",
            0.0,
            "the most that all gradients together may be long, or 0",
            0,
            elsewhere=("clip_grad", "grad_clip", "gradient_clip", "clip_norm", "max_norm"),
        ),
    )
)
SCHEDULE = Table(
    (
        Setting("kind", "text", "cosine", "how the rate falls", choices=schedule.KINDS),
        Setting(
            "warm_up",
            "number",
            0,
            "for how long the rate grows, in epochs or steps as [run] counts",
            0,
            LONGEST,
            elsewhere=("warmup", "warmup_epochs", "warmup_steps"),
        ),
        Setting(
            "warm_up_from",
            "number",
            0.0,
            "the share of the rate that the warm-up begins with",
            0,
            1,
            elsewhere=("warmup_lr", "warmup_factor"),
        ),
        Setting("milestones", "numbers", [], "of step: when the rate is multiplied, as [run] counts", 0, LONGEST),
        Setting("factor", "number", 0.1, "of step: by what", 0, 1, elsewhere=("gamma", "decay_rate")),
        Setting(
            "floor",
            "number",
            0.0,
            "the share of the rate that it never falls below",
            0,
            1,
            elsewhere=("min_lr", "eta_min", "lrf"),
        ),
    )
)
RUN = Table(
    (
        Setting(
            "epochs",
            "number",
            None,
            "how often every image is seen",
            above=0,
            most=LONGEST,
            elsewhere=("num_epochs", "n_epochs", "max_epochs"),
        ),
        Setting(
            "steps",
            "whole",
            None,
            "or how many steps are made",
            1,
            LONGEST,
            elsewhere=("max_steps", "iterations", "iters"),
        ),
        Setting(
            "batch",
            "whole",
            64,
            "images of a step, over all processes and parts",
            1,
            elsewhere=("batch_size", "bs", "train_batch_size"),
        ),
        Setting("per_class", "whole", None, "images of one class that stand together in a batch", 1, 4096),
        Setting(
            "accumulate",
            "whole",
            1,
            "in how many parts a process takes its images",
            1,
            elsewhere=("grad_accum", "grad_accum_steps", "gradient_accumulation_steps"),
        ),
        Setting("seed", "whole", 0, "of initial values, order, augmentation and dropout", 0, 2**63 - 1),
        Setting("device", "text", "auto", "where it runs", choices=devices.DEVICES),
        Setting(
            "precision",
            "text",
            "float32",
            "what layers compute in",
            choices=devices.PRECISIONS,
            elsewhere=("amp", "half", "dtype", "fp16", "bf16", "amp_dtype", "mixed_precision"),
        ),
        Setting("channels_last", "flag", False, "channels stand last in memory"),
        Setting("threads", "whole", 0, "of this process; 0 leaves those that are idle", 0, 1024),
        Setting(
            "workers",
            "whole",
            None,
            "processes that read images; 0 for none",
            0,
            256,
            elsewhere=("num_workers", "dataloader_num_workers"),
        ),
        Setting(
            "average",
            "number",
            0.0,
            "the decay of a moving average of the weights, or 0 for none",
            0,
            0.999999,
            elsewhere=("ema", "ema_decay", "model_ema"),
        ),
        Setting(
            "validate_every",
            "number",
            None,
            "how often the validation images are looked at, as [run] counts",
            above=0,
            most=LONGEST,
            elsewhere=("val_interval", "eval_interval", "eval_every"),
        ),
        Setting("save_every", "whole", 500, "steps between checkpoints", 1),
        Setting("log_every", "whole", 10, "steps that a line of the log is the mean of", 1),
        Setting("pictures", "whole", 16, "validation images that are kept with what was predicted", 0, 64),
        Setting("recalibrate", "whole", 0, "batches that the statistics of batch norms are computed from anew", 0),
        Setting("recompute", "flag", False, "blocks compute their maps again for gradients: less memory, more time"),
        Setting(
            "sync_norms",
            "flag",
            False,
            "batch norms count the images of all processes; on GPUs",
            elsewhere=("sync_bn", "syncbn"),
        ),
        Setting(
            "output",
            "path",
            "run",
            "the folder for checkpoints and logs",
            elsewhere=("output_dir", "save_dir", "project"),
        ),
    )
)
WEIGHTS = Table(
    (
        Setting(
            "from",
            "path",
            None,
            "weights to begin with: what `spine weights` reads, or a checkpoint",
            elsewhere=("checkpoint", "pretrained", "init_checkpoint"),
        ),
        Setting("key", "text", None, "which set of tensors, where the file has several, as in ema"),
        Setting("prefix", "text", None, "what stands before the names of tensors there"),
        Setting("freeze", "names", [], "rows and parts whose tensors stay as they are"),
        Setting("freeze_norms", "flag", False, "batch norms keep their statistics, weights and biases"),
    )
)
CONFIG = Table(
    (Setting("preset", "text", None, "a published recipe, whose settings are the defaults", choices=tuple(PRESETS)),),
    {
        "network": NETWORK,
        "task": TASK,
        "optimizer": OPTIMIZER,
        "schedule": SCHEDULE,
        "run": RUN,
        "weights": WEIGHTS,
    },
)
# All that a file may say, for what is meant by a key that stands elsewhere, or is called otherwise.
WHOLE = (Table(CONFIG.settings, {**CONFIG.tables, "data": data.TABLE}), ())
