"""The evaluation of finished runs: what is judged, the figures, their files and their table."""
