"""How much is done, in which order, and until when."""

from pathlib import Path

import pytest

from benchmarks.device_report.plan import BATCH_SIZES, PRECISIONS, Plan
from benchmarks.device_report.recipe import PLAIN
from benchmarks.layers import LAYERS

EIGHT_MINUTES, FOUR_MINUTES = 480, 240


def tasks(device: str = "cuda", share: float = 1.0) -> dict[str, list]:
    """Return the tasks of each part."""
    plan = Plan(device, share, "mnist-5k", Path("/out"))
    return {part: found for part, _, found in plan.parts()}


@pytest.mark.parametrize(("device", "limit"), [("cuda", EIGHT_MINUTES), ("cpu", FOUR_MINUTES)])
def test_when_parts_end(device: str, limit: int) -> None:
    """One after the other, the last within the limit, with time to write."""
    ends = [seconds for _, seconds, _ in Plan(device, 1.0, None, Path("/out")).parts()]
    assert ends == sorted(ends)
    assert ends[-1] <= limit - (20 if device == "cuda" else 0)


def test_the_recipe_in_every_mode_and_precision() -> None:
    """The plain loop beside them; what the targets ask for comes first."""
    found = [(t.arguments["mode"], t.arguments["precision"]) for t in tasks()["recipe"]]
    modes = ("eager", "tuned", "compile", "graph")
    assert set(found) == {(m, p) for m in modes for p in PRECISIONS} | {(PLAIN, "fp32")}
    assert len(found) == len(set(found))
    assert found[:3] == [("graph", "tf32"), ("graph", "fp32"), (PLAIN, "fp32")]
    for task in tasks()["recipe"]:
        sizes = [task.arguments[n] for n in ("epochs", "batches", "pairs", "test_pairs")]
        assert sizes == [5, 1000, 100, 20_000]


def test_batches_from_a_hundred_to_far_beyond_the_target() -> None:
    """Every size in every precision, the smaller ones first: the last may not fit."""
    found = tasks()["scaling"]
    assert [t.arguments["pairs"] for t in found][:: len(PRECISIONS)] == list(BATCH_SIZES)
    assert BATCH_SIZES[0] == 100
    assert 8192 in BATCH_SIZES
    assert BATCH_SIZES[-1] > 10 * 8192


def test_the_roofline_has_its_limits_first() -> None:
    """Copying and products in each precision, then every layer in each."""
    found = tasks()["roofline"]
    assert [t.name for t in found[:4]] == ["copy", *PRECISIONS]
    assert {(t.arguments["layer"], t.arguments["precision"]) for t in found[4:]} == {
        (layer, precision) for layer in LAYERS for precision in PRECISIONS
    }
    assert {t.arguments["images"] for t in found[4:]} == {2 * 8192}


def test_a_tenth() -> None:
    """Of batches, test pairs, batch sizes and images."""
    found = tasks("cpu", 0.1)
    recipe = found["recipe"][0].arguments
    assert (recipe["epochs"], recipe["batches"], recipe["test_pairs"]) == (5, 100, 2000)
    assert found["scaling"][0].arguments["pairs"] == 10
    assert found["roofline"][-1].arguments["images"] == 1638
    assert all(t.arguments["device"] == "cpu" for t in found["recipe"])
    tiny = tasks("cpu", 1e-6)
    assert tiny["recipe"][0].arguments["batches"] == 1
    assert [t.arguments["pairs"] for t in tiny["scaling"]] == [2] * len(PRECISIONS)


def test_parity_is_about_the_device() -> None:
    """What is compiled for the CPU takes minutes, and shows nothing of a device."""
    (task,) = tasks()["parity"]
    assert task.arguments["chosen"] == "not (cpu and compiled)"
    assert task.arguments["seconds"] < task.seconds
    assert task.arguments["report"] == "/out/parity.md"
    for name in task.arguments["tests"]:
        assert (Path(__file__).parents[3] / f"parity_tests/test_{name}.py").exists()
