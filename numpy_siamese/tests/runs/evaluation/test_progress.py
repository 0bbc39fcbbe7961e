"""The bar of an evaluation, and what is printed above it."""

from numpy_siamese.runs.evaluation.progress import EvaluationProgress


def bar_of(screen, now, progress, *step):
    """Return the bar after a step. A second has passed before it."""
    now[0] += 1
    progress(*step)
    return screen.seen()[-1]


def test_the_bar_shows_the_share_of_all_runs(terminal, now):
    """Broken otherwise: the bar fills once for each run, or says nothing of the others."""
    screen, progress = terminal(60), EvaluationProgress(2)
    assert bar_of(screen, now, progress, 0.5, "drawing resamples").startswith(" 25% ")
    progress.end_of_run()
    line = bar_of(screen, now, progress, 0.5, "playing episodes")
    assert line.startswith(" 75% ")
    assert line.endswith(" run 2 of 2: playing episodes")


def test_of_one_run_the_bar_says_what_is_under_way_alone(terminal, now):
    """Broken otherwise: "run 1 of 1" takes the room of the bar."""
    screen, progress = terminal(60), EvaluationProgress(1)
    line = bar_of(screen, now, progress, 1, "drawing pictures")
    assert line.startswith("100% █")
    assert line.endswith("█ drawing pictures")


def test_lines_stand_above_the_bar_which_closes_for_good(terminal, now):
    """Broken otherwise: the bar is left in the midst of the table."""
    screen, progress = terminal(60), EvaluationProgress(1)
    bar_of(screen, now, progress, 0.5, "playing episodes")
    progress.show("a\nb")
    *lines, bar = screen.seen()
    assert lines == ["a", "b"]
    assert bar.endswith("playing episodes")
    progress.close()
    assert screen.seen() == ["a", "b", ""]


def test_quiet_shows_nothing(terminal, now):
    """Broken otherwise: --quiet is not."""
    screen, progress = terminal(60), EvaluationProgress(1, quiet=True)
    assert bar_of(screen, now, progress, 0.5, "playing episodes") == ""
    progress.show("a")
    progress.close()
    assert screen.getvalue() == ""
