"""Training in several processes, one for each device, as torchrun starts them.

A process is called a rank. `launch` is what torchrun tells it. `process_group` connects it with the
others, and `group` is what they say to each other. `agreement` refuses ranks that differ.
`averaging` is the step of a share of a batch. `trainer` and `silent` are the run: rank 0 writes it,
the others do the same and write nothing. `command` and `run` are the verb `train`.
"""
