"""What each backend says of itself: one file a backend, with the options that it takes. Nothing heavy is imported here.

The command line and `spinedsl.compile` take names, help, values and refusals from these tables.
"""
