"""Rules that look at a whole file: each `check` yields what it finds in one that is right in form and names."""
