"""Key bindings: how they are written, what terminals send for a key, and where one is matched."""
