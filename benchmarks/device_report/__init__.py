"""A report on one device: parity, the recipe in every mode, batch scaling and the roofline.

python -m benchmarks cuda --out DIR
"""
