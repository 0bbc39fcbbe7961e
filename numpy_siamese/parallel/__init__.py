"""Work side by side: threads, the BLAS held to one thread, cores, freed memory."""
