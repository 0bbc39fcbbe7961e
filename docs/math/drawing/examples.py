"""The small arrays of the pictures: those of the worked examples on the pages."""

import numpy as np

LEFT = np.array([[1.0, 0, 2, 1], [0, 3, 1, 0], [2, 1, 0, 1], [1, 0, 1, 2]])[None, None]
RIGHT = np.array([[0.0, 1, 0, 2], [1, 0, 2, 0], [0, 1, 0, 1], [2, 0, 1, 0]])[None, None]
KERNEL = np.array([[1.0, 0, -1], [0, 2, 0], [-1, 0, 1]])[None, None]
BIAS = np.array([-1.0])
HEAD_WEIGHT, HEAD_BIAS, TARGET = np.array([[-2.0]]), np.array([4.0]), np.array([[1.0]])
