"""The `kubehop` command: starts every process of the pipeline on one machine, and looks after keys, state and logs."""
