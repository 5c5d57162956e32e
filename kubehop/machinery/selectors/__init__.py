"""Selectors: which objects a list, watch or controller means, by labels or by fields."""
