"""What the images of every file are: 28×28 pixels 0..255, with a label, and not endlessly many."""

import math

IMAGE_SHAPE = (28, 28)
PIXELS = math.prod(IMAGE_SHAPE)
MOST_LABEL = 2**31 - 1
MOST_IMAGES = 2**20  # EMNIST, the largest relative of MNIST, has 814,255
