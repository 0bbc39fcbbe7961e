"""Files that appear whole or not at all, whatever happens while they are written."""

import gc
import itertools
import os
import stat
import sys

import numpy as np
import pytest

from numpy_siamese.files.atomic_write import leftovers, write_atomically, write_together
from numpy_siamese.runs import checkpoint
from numpy_siamese.tests.support.folders import contents


class Accident(BaseException):
    """What no `except Exception` catches, like Ctrl-C."""


@pytest.fixture(params=[None, b"old"], ids=["new file", "old file"])
def path(request, tmp_path):
    """A file's place in a folder of its own, empty or with an older file there."""
    place = tmp_path / "file.json"
    if request.param is not None:
        place.write_bytes(request.param)
    return place


@pytest.mark.parametrize("content", [b"", b"new", bytes(range(256)) * 1000])
def test_the_file_holds_the_content_and_nothing_is_left_beside_it(path, content):
    """Broken otherwise: bytes are lost, an old end stays, or temporary files pile up."""
    write_atomically(path, content)
    assert contents(path.parent) == {"file.json": content}


@pytest.mark.parametrize("step", ["fsync", "replace"])
def test_a_failure_on_the_way_leaves_what_was_there(path, step, monkeypatch):
    """Broken otherwise: a full disk or Ctrl-C costs the old file, or leaves half a new one."""
    before = contents(path.parent)

    def fail(*_):
        raise Accident

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(Accident):
        write_atomically(path, b"new")
    assert contents(path.parent) == before


def interrupt_at(moment, function, *args):
    """Call the function and raise an Accident at the given line, call or return within it.

    Returns whether the function came so far. Python checks for Ctrl-C at just such moments.
    """
    passed = 0

    def trace(*_):
        nonlocal passed
        passed += 1
        if passed == moment:
            raise Accident
        return trace

    before = sys.gettrace()
    gc.disable()  # whose callbacks would be traced, and swallow the Accident
    sys.settrace(trace)
    try:
        function(*args)
    except Accident:
        return True
    finally:
        sys.settrace(before)
        gc.enable()
    return False


@pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning")  # Python closes it then
def test_an_interrupt_at_any_moment_leaves_the_old_file_or_the_new_one(path):
    """Broken otherwise: Ctrl-C at a bad moment leaves a temporary file, or turns into a complaint
    about a missing one.
    """
    before, after = contents(path.parent), {"file.json": b"new"}
    found = []
    for moment in itertools.count(1):
        if not interrupt_at(moment, write_atomically, path, b"new"):
            break
        found.append(contents(path.parent))
        assert found[-1] in (before, after)
        if found[-1] == after:  # start again
            path.unlink()
            for name, content in before.items():
                (path.parent / name).write_bytes(content)
    assert before in found
    assert after in found


def test_an_interrupt_just_after_the_renaming_stays_an_interrupt(path, monkeypatch):
    """Broken otherwise: Ctrl-C at that moment turns into a complaint about a missing file."""
    replace = os.replace

    def replace_and_fail(*places):
        replace(*places)
        raise Accident

    monkeypatch.setattr(os, "replace", replace_and_fail)
    with pytest.raises(Accident):
        write_atomically(path, b"new")
    assert contents(path.parent) == {"file.json": b"new"}


def test_the_content_is_on_disk_before_the_file_appears_and_the_folder_after(path, monkeypatch):
    """Broken otherwise: after a power cut the new name stands for an empty file, or the renaming
    fails because it leads from one disk to another.
    """
    steps = []
    fsync, replace = os.fsync, os.replace

    def note_fsync(descriptor):
        mode = os.fstat(descriptor).st_mode
        steps.append(
            "sync folder" if stat.S_ISDIR(mode) else f"sync {os.fstat(descriptor).st_size}"
        )
        fsync(descriptor)

    def note_replace(source, target):
        steps.append(f"rename within {os.path.relpath(os.path.dirname(source), path.parent)}")
        replace(source, target)

    monkeypatch.setattr(os, "fsync", note_fsync)
    monkeypatch.setattr(os, "replace", note_replace)
    write_atomically(path, b"new")
    assert steps == ["sync 3", "rename within .", "sync folder"]


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_who_may_read_the_file_is_what_the_umask_says(path, mask):
    """Broken otherwise: results are closed to the user's group, or open to everybody."""
    old = os.umask(mask)
    try:
        write_atomically(path, b"new")
        assert os.umask(mask) == mask
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask


def test_a_missing_folder_is_told(tmp_path):
    """Broken otherwise: a result goes nowhere without a word."""
    with pytest.raises(FileNotFoundError):
        write_atomically(tmp_path / "missing" / "file", b"new")
    assert contents(tmp_path) == {}


def test_weights_are_written_atomically(path, monkeypatch):
    """Broken otherwise: Ctrl-C while saving costs the last good weights."""
    before = contents(path.parent)

    def fail(*_):
        raise Accident

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(Accident):
        checkpoint.save_model(path, {"fc1.bias": np.zeros(1, np.float32)})
    with pytest.raises(Accident):
        checkpoint.save_checkpoint(path, checkpoint.Checkpoint({}, {}, 0, 0))
    assert contents(path.parent) == before


def test_files_of_one_set_are_all_old_until_all_can_be_written(tmp_path, monkeypatch):
    """Broken otherwise: a full disk leaves files of an earlier set beside some of a new one."""
    old = {"a.csv": b"old a", "b.json": b"old b"}
    new = {tmp_path / "a.csv": b"new a", tmp_path / "b.json": b"new b", tmp_path / "c.png": b"c"}
    for name, content in old.items():
        (tmp_path / name).write_bytes(content)
    for failing in (1, 2, 3):
        count = 0

        def full(_, failing=failing):
            nonlocal count
            count += 1
            if count == failing:
                raise OSError(28, "No space left on device")

        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            with pytest.raises(OSError, match="No space left") as caught:
                write_together(new)
        assert caught.value.filename == str([*new][failing - 1])
        assert contents(tmp_path) == old
    order = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda *places: order.append(places[1]) or replace(*places))
    write_together(new)
    assert contents(tmp_path) == {path.name: content for path, content in new.items()}
    assert order == [*new]


def test_what_a_killed_process_left_is_known_by_its_name(tmp_path):
    """Broken otherwise: half-written files pile up, or a user's file is taken for one."""
    names = [".pairs.csv.12", ".validation-pairs.csv.12", ".one-shot.png.7", ".config.json.1"]
    for name in (*names, "pairs.csv", ".pairs.csv", ".notes.txt.12", ".lock", "x.json.12"):
        (tmp_path / name).touch()
    assert sorted(path.name for path in leftovers(tmp_path)) == sorted(names)
