"""From text to tree: characters, tokens, statements, nodes; and back, formatted."""
