"""Pictures: the canvas, what is drawn on it, and which pairs are worth drawing."""
