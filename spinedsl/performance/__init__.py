"""What `spinedsl.bench` and `spinedsl.quantize` do, and `spine bench` and `spine quantize` by them.

In: a network, by a file and weights or by a checkpoint. Out: a `Bench`, or a `Quantized`.
"""
