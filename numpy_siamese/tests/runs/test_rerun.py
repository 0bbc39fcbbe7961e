"""A run again from its config.json, and what going on refuses."""

import json
import shutil

import pytest

from numpy_siamese.tests.support.folders import contents
from numpy_siamese.tests.support.processes import assert_one_line
from numpy_siamese.tests.support.same_run import assert_same_run
from numpy_siamese.tests.support.tiny import csv_folder

FLAGS = ("--epochs", 1, "--batches", 4, "--batch-size", 4, "--test-pairs", 10, "--window", 3)


@pytest.fixture(scope="module")
def whole(server, twelve_images, tmp_path_factory):
    """A finished run."""
    out = tmp_path_factory.mktemp("whole") / "run"
    argv = ("train", "--data", twelve_images, "--out", out, *FLAGS, "--lr", 0.0003, "--seed", 5)
    assert server.run(*argv) == (0, "")
    return out


@pytest.mark.parametrize("threads", [1, 2, 4])
def test_the_config_of_a_run_gives_the_run_again(server, whole, tmp_path, threads):
    """Broken otherwise: config.json does not say all that a result depends on."""
    again = ("train", "--config", whole / "config.json", "--threads", threads)
    assert server.run(*again, "--out", tmp_path / "again") == (0, "")
    assert_same_run(tmp_path / "again", whole)


def test_flags_override_the_config(server, whole, tmp_path):
    """Broken otherwise: a flag is accepted and ignored."""
    out = tmp_path / "other"
    argv = ("train", "--config", whole / "config.json", "--out", out, "--seed", 6)
    assert server.run(*argv) == (0, "")
    found, expected = (json.loads((run / "config.json").read_text()) for run in (out, whole))
    assert found == expected | {"seed": 6}
    assert (out / "model.safetensors").read_bytes() != (whole / "model.safetensors").read_bytes()


@pytest.mark.parametrize("flags", [(), ("--quiet",)], ids=["", "quiet"])
@pytest.mark.parametrize("verb", ["--config", "--resume"])
def test_another_kernel_than_recorded_is_told(server, whole, tmp_path, verb, flags):
    """Broken otherwise: a run is repeated on another machine, its last bits differ, and nobody
    learns why; or everybody is told whose machine is the same.
    """
    run = shutil.copytree(whole, tmp_path / "run")
    found = json.loads((run / "config.json").read_text())
    here = found["environment"]["blas"]
    found["environment"] |= {"blas": "openblas 0.1 (Z80)", "processor": "Z80", "threads": 64}
    (run / "config.json").write_text(json.dumps(found))
    place = (run,) if verb == "--resume" else (run / "config.json", "--out", tmp_path / "again")
    note = (
        "numpy-siamese: note: last bits may differ, for there is "
        f"blas {here} (recorded: openblas 0.1 (Z80))\n"
    )
    assert server.run("train", verb, *place, *flags) == (0, "" if flags else note)


@pytest.mark.parametrize("verb", ["--config", "--resume"])
def test_other_data_than_recorded_are_refused(server, whole, tmp_path, verb):
    """Broken otherwise: a run goes on, or is repeated, with images that it never saw."""
    (tmp_path / "other").mkdir()
    other = csv_folder(tmp_path / "other", [4, 4, 5])
    recorded = json.loads((whole / "config.json").read_text())["data_sha256"]
    argv = ("train", verb, whole / "config.json" if verb == "--config" else whole)
    before = contents(whole)
    assert_one_line(server.start(*argv, "--data", other), f"--data {other}", recorded)
    assert contents(whole) == before


def test_the_same_data_may_have_moved(server, twelve_images, whole, tmp_path):
    """Broken otherwise: a run cannot go on once its data stand elsewhere."""
    moved = tmp_path / "moved"
    moved.symlink_to(twelve_images)
    run = shutil.copytree(whole, tmp_path / "run")
    assert server.run("train", "--resume", run, "--data", moved) == (0, "")


def test_a_finished_run_goes_on_to_itself(server, whole, tmp_path):
    """Broken otherwise: a script that goes on until all is done spoils what is done, or a picture
    that was lost stays so.
    """
    run = shutil.copytree(whole, tmp_path / "run")
    (run / "predictions.png").unlink()
    assert server.run("train", "--resume", run) == (0, "")
    assert_same_run(run, whole)


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        (["--lr", 0.1], "expected no --lr"),
        (["--test-pairs", 20], "expected no --test-pairs other than its 10"),
        (["--seed", 6], "expected no --seed other than its 5"),
        (["--keep-checkpoints"], "config.json, expected no --keep-checkpoints; --checkpoint-every"),
        (["--out", "elsewhere"], "--out"),
        (["--config", "config.json"], "--config"),
    ],
    ids=lambda part: "",
)
def test_going_on_takes_no_flag_of_another_run(server, whole, flags, said):
    """Broken otherwise: half of a run has one rate and half another."""
    assert_one_line(server.start("train", "--resume", whole, *flags), "--resume", said)


def test_a_command_can_be_repeated_with_resume(server, whole, tmp_path, twelve_images):
    """Broken otherwise: who repeats the command of a run, to go on with it, has to take out every
    flag that is as it was.
    """
    run = shutil.copytree(whole, tmp_path / "run")
    same = (*FLAGS, "--lr", "3e-4", "--seed", 5, "--data", twelve_images, "--dtype", "float32")
    assert server.run("train", *same, "--quiet", "--resume", run) == (0, "")
    assert_same_run(run, whole)


@pytest.mark.parametrize("place", ["missing", "."])
def test_a_folder_without_a_run_is_refused(server, tmp_path, place):
    """Broken otherwise: a slip in the path ends in a traceback, or begins a run there."""
    run = tmp_path / place
    assert_one_line(server.start("train", "--resume", run), run / "config.json")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "found no JSON"),
        ("[" * 100_000, "found no JSON"),
        ("[]", "expected a JSON object"),
        ('{"lr": "fast"}', "lr: found 'fast', expected a number"),
        ('{"lr": null}', "lr: found null"),
        ('{"lr": 1' + 400 * "0" + "}", "lr: found"),
        ('{"lr": NaN}', "--lr: found nan"),
        ('{"epochs": 1.5}', "epochs: found 1.5, expected a whole number"),
        ('{"epochs": true}', "epochs: found True, expected a whole number"),
        ('{"epochs": 0}', "--epochs: found 0"),
        ('{"data": 5}', "data: found 5, expected a name"),
        ('{"learning_rate": 1}', "unknown setting 'learning_rate'"),
        ('{"data_sha256": 5}', "data_sha256: found 5"),
        ('{"environment": []}', "environment: found [], expected an object"),
        ('{"class_names": []}', "class_names: found [], expected names by label"),
        ('{"class_names": {"a": "b"}}', "class_names: found {'a': 'b'}, expected names by label"),
        ('{"class_names": {"-1": "b"}}', "class_names: found {'-1': 'b'}"),
        ('{"class_names": {"1": ""}}', "class_names: found {'1': ''}"),
        ('{"class_names": {"1": 1}}', "class_names: found {'1': 1}"),
        ('{"preparation": "light"}', "preparation: found 'light', expected"),
        ('{"preparation": {"ground": "red"}}', "preparation: found {'ground': 'red'}, expected"),
    ],
)
def test_a_config_that_cannot_be_is_one_line(server, tmp_path, text, said):
    """Broken otherwise: an edited config.json ends in a traceback, or trains something else."""
    (tmp_path / "config.json").write_text(text)
    argv = ("train", "--config", tmp_path / "config.json", "--out", tmp_path / "run")
    assert_one_line(server.start(*argv), said)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_config_by_hand_needs_only_what_differs(server, twelve_images, tmp_path, dtype):
    """Broken otherwise: a config.json of an older version, or a short one, is refused."""
    settings = {"data": str(twelve_images), "epochs": 1, "batches": 1, "test_pairs": 10}
    settings |= {"dtype": dtype, "batch_size": 4, "lr": 1, "device": "cuda"}
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(settings))
    assert server.run("train", "--config", path, "--out", tmp_path / "run") == (0, "")
    found = json.loads((tmp_path / "run" / "config.json").read_text())
    assert (found["dtype"], found["lr"], found["momentum"]) == (dtype, 1.0, 0.1)


@pytest.mark.parametrize(
    ("part", "fault"),
    [
        ("tensors", "weights"),
        ("place", "epoch 9"),
        ("dtype", "float64"),
        ("rows", "rows"),
        ("momentum", "momentum"),
        ("progress", "progress"),
    ],
)
def test_the_checkpoint_of_another_run_is_one_line(server, whole, tmp_path, part, fault):
    """Broken otherwise: a run goes on with weights, or a place, that are not its own."""
    from safetensors.numpy import load_file, save_file

    run = shutil.copytree(whole, tmp_path / "run")
    path = run / "checkpoint.safetensors"
    tensors, progress = load_file(path), {"epoch": 1, "batch": 0, "seconds": 1.0}
    if part == "tensors":
        tensors["model.fc2.bias"] = tensors.pop("model.fc1.bias")
    elif part == "place":
        progress["epoch"] = 9
    elif part == "dtype":
        tensors["model.fc1.bias"] = tensors["model.fc1.bias"].astype("float64")
    elif part == "rows":
        tensors["history.train"] = tensors["history.train"][:-1]
    elif part == "momentum":
        del tensors["momentum.fc1.bias"]
    else:
        progress["batch"] = -1
    save_file(tensors, path, {"progress": json.dumps(progress)})
    assert_one_line(server.start("train", "--resume", run), path, fault)


def test_a_run_without_its_checkpoint_is_not_begun_anew(server, whole, tmp_path):
    """Broken otherwise: a lost checkpoint costs the weights as well."""
    run = shutil.copytree(whole, tmp_path / "run")
    (run / "checkpoint.safetensors").unlink()
    assert_one_line(server.start("train", "--resume", run), "checkpoint.safetensors: No such file")
    weights = [(folder / "model.safetensors").read_bytes() for folder in (run, whole)]
    assert weights[0] == weights[1]
