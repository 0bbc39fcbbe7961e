"""A run of either package: its configuration, its folder, its checkpoints, the loop that trains."""
