"""Rules that look at a whole network: each `check` yields what it finds in a typed one."""
