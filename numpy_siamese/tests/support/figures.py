"""What tests see of a figure: its texts, and whether they can be read."""

from itertools import combinations


def texts_of(figure):
    """Return the artists of all texts that are drawn."""
    from matplotlib.text import Text

    figure.canvas.draw()
    hidden = set()
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            low, high = sorted(axis.get_view_interval())
            ticks = [*axis.get_major_ticks(), *axis.get_minor_ticks()]
            hidden |= {tick.label1 for tick in ticks if not low <= tick.get_loc() <= high}
            hidden |= {tick.label1 for tick in ticks if not axes.axison}
    texts = figure.findobj(Text)
    return [t for t in texts if t.get_visible() and t.get_text() and t not in hidden]


def words_of(figure):
    """Return all texts that are drawn."""
    return [text.get_text() for text in texts_of(figure)]


def assert_nothing_overlaps(figure):
    """Check that all texts lie on the page, and none on another."""
    texts = texts_of(figure)
    boxes = [(text.get_text(), text.get_window_extent()) for text in texts]
    page = figure.bbox
    for words, box in boxes:
        inside = (page.x0 <= box.x0 and box.x1 <= page.x1) and (
            page.y0 <= box.y0 and box.y1 <= page.y1
        )
        assert inside, f"{words!r} leaves the page"
    for (words, box), (other, other_box) in combinations(boxes, 2):
        width = min(box.x1, other_box.x1) - max(box.x0, other_box.x0)
        height = min(box.y1, other_box.y1) - max(box.y0, other_box.y0)
        assert width <= 1 or height <= 1, f"{words!r} lies on {other!r}"
