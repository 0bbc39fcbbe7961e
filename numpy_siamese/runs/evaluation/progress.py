"""How far evaluations are, on a bar at the bottom of the terminal."""

from numpy_siamese.terminal import console
from numpy_siamese.terminal.bar import Bar


class EvaluationProgress:
    """A bar on standard error while that is a terminal, and lines on standard output.

    Parameters
    ----------
    runs : int
        How many are evaluated.
    quiet : bool
        Show and say nothing.
    """

    def __init__(self, runs: int, quiet: bool = False) -> None:
        self._runs, self._done = runs, 0
        self._bar = None if quiet else Bar()

    def __call__(self, share: float, what: str) -> None:
        """Show which share of this run is done, and what is under way."""
        if self._bar is not None:
            which = f"run {self._done + 1} of {self._runs}: " if self._runs > 1 else ""
            self._bar.show((self._done + share) / self._runs, (which + what, what))

    def end_of_run(self) -> None:
        """Go on with the next run."""
        self._done += 1

    def show(self, text: str) -> None:
        """Print lines on standard output, above the bar.

        Raises
        ------
        OSError
            Standard output cannot be written.
        """
        if self._bar is None:
            return
        self._bar.hide()
        console.show(text)
        self._bar.show_again()

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()
