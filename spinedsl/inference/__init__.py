"""What is done with a trained network: it is evaluated, it predicts, it names people of a gallery, it is exported.

In: a checkpoint of `spine train`, or a model that was exported from one; pictures. Out: figures, predictions and
models. Everything begins with an `Engine`.
"""
