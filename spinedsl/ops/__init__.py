"""The program that a network becomes: types, primitives, the program and its flat graph, text form, interpreter."""
