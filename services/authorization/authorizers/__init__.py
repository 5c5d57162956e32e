"""The authorizers, one file each; `union` asks them in the order of --authorization-mode."""
