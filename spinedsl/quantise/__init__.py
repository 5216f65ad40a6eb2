"""Quantisation: a trained network as a model of int8, and how far that is from the network.

In: a program, its weights, real pictures. Out: an int8 ONNX model of the folded graph (`-O1`), the rows of the file
that stay float, and the error of each. ONNX Runtime's quantiser places the operations; what it is given and what stays
float is decided here.
"""
