"""Training: a network, images and settings become a trained network, as a checkpoint that holds all that its use needs.

In: a configuration. Out: checkpoints, logs, and a `Result`. `spinedsl.train` and `spine train` are `loop.train`.
`build.open_trained` makes module, preprocessing and task of a checkpoint: what uses one
begins there.
"""
