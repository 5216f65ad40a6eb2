"""Search spaces: what `space Name of Network { … }` says, the candidates in it, what each costs, how many there are."""
