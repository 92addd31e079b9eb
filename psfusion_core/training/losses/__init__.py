"""Loss terms, one idea a module, and their weighted sum."""
