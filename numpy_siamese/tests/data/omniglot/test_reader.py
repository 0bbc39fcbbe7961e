"""Omniglot becomes a data set with Koch's splits, from archives, folders or the cache."""

import dataclasses
import os
import shutil
import stat

import numpy as np
import pytest

from numpy_siamese.data import load
from numpy_siamese.data.omniglot import archives, catalogue, ink, reader, stored
from numpy_siamese.data.omniglot.catalogue import BACKGROUND, EVALUATION, OFFICIAL, RUNS
from numpy_siamese.errors import InputError
from numpy_siamese.tests.support import omniglot_files
from numpy_siamese.tests.support.omniglot_files import ANSWERS, SMALL, ink_of
from numpy_siamese.tests.support.written import assert_rejects

CHARACTERS = ["Greek/character01", "Greek/character02", "Latin/character01"]
CHARACTERS += ["Angelic/character01", "Angelic/character02"]
CHARACTERS += ["Tengwar/character01", "Tengwar/character02", "Tengwar/character03"]


def drawn(characters, drawers) -> np.ndarray:
    """Return these characters by these drawers, counted from 0 and 1, as they were drawn."""
    numbers = [20 * character + drawer - 1 for character in characters for drawer in drawers]
    return np.array([ink_of(number) * np.uint8(255) for number in numbers])


@pytest.mark.parametrize(
    ("split", "characters", "drawers"),
    [
        ("train", range(3), range(1, 13)),
        ("validation", range(3, 5), range(13, 17)),
        ("test", range(5, 8), range(17, 21)),
    ],
)
def test_splits_are_kochs(small, split, characters, drawers):
    """Broken otherwise: a run is tested on characters or drawers that it was trained on."""
    images, labels = getattr(load(small, image_size=105), split)
    np.testing.assert_array_equal(images, drawn(characters, drawers), strict=True)
    assert labels.tolist() == np.repeat(characters, len(drawers)).tolist()


def test_every_character_has_a_name_and_an_alphabet(small):
    """Broken otherwise: characters of one number count as one class, or are called the same."""
    found = load(small)
    assert found.class_names == dict(enumerate(CHARACTERS))
    assert found.alphabets == {n: name.split("/")[0] for n, name in enumerate(CHARACTERS)}
    assert found.remarks == ()
    assert found.name == str(small)


@pytest.mark.parametrize(("half", "characters"), [("validation", [3, 4]), ("test", [5, 6, 7])])
def test_one_shot_images_are_all_drawings_of_the_half(small, half, characters):
    """Broken otherwise: a trial mixes drawers or alphabets."""
    found = getattr(load(small, image_size=105).one_shot, half)
    np.testing.assert_array_equal(found.images, drawn(characters, range(1, 21)), strict=True)
    assert found.labels.tolist() == np.repeat(characters, 20).tolist()
    assert found.drawers.tolist() == [*range(1, 21)] * len(characters)
    assert set(found.alphabets) == {2 if half == "validation" else 3}


def test_official_runs_are_read_with_their_answers(small):
    """Broken otherwise: the 400 trials of the literature are others here."""
    runs = load(small, image_size=105).one_shot.runs
    assert [run.alphabet for run in runs] == ["Tengwar", "Tengwar"]
    for number, (run, answers) in enumerate(zip(runs, ANSWERS, strict=True), 1):
        assert run.answers.tolist() == [*answers]
        expected = drawn([5 + answer for answer in answers], [number + 1])
        np.testing.assert_array_equal(run.test, expected, strict=True)
        expected = drawn([5, 6, 7], [number + 8])
        np.testing.assert_array_equal(run.training, expected, strict=True)


def test_small_images_are_those_of_the_same_drawings(small):
    """Broken otherwise: 28×28 and 105×105 are in another order."""
    large, little = load(small, image_size=105), load(small)
    packed = np.packbits(large.test.images > 0, axis=2)
    np.testing.assert_array_equal(little.test.images, ink.images(packed, 28), strict=True)
    assert large.test.labels.tolist() == little.test.labels.tolist()
    assert large.checksum() != little.checksum()


@pytest.mark.parametrize("runs", ["all_runs", "", None])
def test_a_folder_may_be_unpacked(small, tmp_path, runs):
    """Broken otherwise: who has unpacked Omniglot for another project downloads it again."""
    folder = tmp_path / "unpacked"
    for archive in (BACKGROUND, EVALUATION):
        omniglot_files.unpack(folder, archive)
        (folder / archive / ".DS_Store").touch()
    if runs is not None:
        omniglot_files.unpack(folder, RUNS, runs)
    found = load(folder)
    assert found.checksum() == load(small).checksum()
    assert len(found.one_shot.runs) == (0 if runs is None else 2)
    assert found.remarks == (("without all_runs.zip: no official runs",) * (runs is None))


def test_by_name_it_is_read_where_it_was_fetched_to(tmp_path, monkeypatch):
    """Broken otherwise: what was fetched is not found, or other contents pass for Omniglot."""
    omniglot_files.use(monkeypatch, tmp_path)
    with pytest.raises(InputError, match=r"omniglot: not all of it found in .*fetch omniglot"):
        load("omniglot")
    folder = omniglot_files.write(tmp_path / "omniglot")
    right = omniglot_files.checksums(folder)
    monkeypatch.setattr(catalogue, "OFFICIAL", dataclasses.replace(SMALL, contents=right))
    assert load("omniglot").name == "omniglot"
    wrong = right | {EVALUATION: "0" * 64}
    monkeypatch.setattr(catalogue, "OFFICIAL", dataclasses.replace(SMALL, contents=wrong))
    with pytest.raises(InputError, match=r"evaluation\.zip: found contents of SHA-256 .*official"):
        load("omniglot")
    assert load(folder).name == str(folder)


# The cache


def test_what_was_read_once_is_read_from_the_cache(small, tmp_path, monkeypatch):
    """Broken otherwise: each process decodes 32,460 images."""
    before = [load(small, image_size=side) for side in (28, 105)]
    monkeypatch.setattr(archives, "packed_ink", None)
    for old, side in zip(before, (28, 105), strict=True):
        found = load(small, image_size=side)
        assert found.checksum() == old.checksum()
        np.testing.assert_array_equal(found.one_shot.runs[1].test, old.one_shot.runs[1].test)
    assert len([*(tmp_path / "cache" / "arrays").iterdir()]) == 2


@pytest.mark.parametrize("at", [0, 9, 500, -30_000, -1])
def test_a_damaged_cache_is_built_anew(small, tmp_path, at):
    """Broken otherwise: a run trains on what a bad disk made of the images."""
    right = load(small).checksum()
    (path,) = (tmp_path / "cache" / "arrays").iterdir()
    whole = path.read_bytes()
    damaged = bytearray(whole)
    damaged[at] ^= 1
    for content in (bytes(damaged), whole[:at], b""):
        path.write_bytes(content)
        assert load(small).checksum() == right
        assert len(path.read_bytes()) == len(whole)


def test_other_sources_are_not_taken_from_the_cache(small):
    """Broken otherwise: a folder whose files have changed is still the old data set."""
    right = load(small)
    changed = {**omniglot_files.files(BACKGROUND)}
    first = min(changed)
    changed[first] = omniglot_files.png(ink_of(999))
    (small / f"{BACKGROUND}.zip").write_bytes(omniglot_files.packed(changed))
    assert load(small).checksum() != right.checksum()


def test_a_cache_of_another_version_is_built_anew(small, monkeypatch):
    """Broken otherwise: arrays that mean something else pass for these."""
    load(small)
    monkeypatch.setattr(stored, "VERSION", "0")
    read = []
    monkeypatch.setattr(reader, "read_archive", lambda *a: read.append(a) or original(*a))
    original = archives.read_archive
    load(small)
    assert len(read) == 3


def test_without_a_place_for_the_cache_data_are_read_all_the_same(small, tmp_path):
    """Broken otherwise: a read-only home ends the run."""
    (tmp_path / "cache").write_bytes(b"")
    (remark,) = load(small).remarks
    assert remark.startswith("not kept for the next time: ")
    assert "arrays" in remark


# Refusals


def test_other_sizes_are_refused_with_what_there_is(small, tmp_path):
    """Broken otherwise: a network for 105×105 is given images of 28×28."""
    with pytest.raises(InputError, match="mnist-5k: found 28×28 data, expected 105×105, which omn"):
        load("mnist-5k", image_size=105)
    with pytest.raises(InputError, match="found no images of 64×64, expected 28×28 or 105×105"):
        load(small, image_size=64)
    with pytest.raises(InputError, match="has images to test"):
        load(small, test_share=0.3)


@pytest.mark.parametrize("missing", [BACKGROUND, EVALUATION])
def test_one_half_alone_is_refused(small, missing):
    """Broken otherwise: the folder is taken for one of pictures, and nothing says why."""
    (small / f"{missing}.zip").unlink()
    assert_rejects(load, small, f"expected {missing}.zip or the folder {missing}")


def test_links_out_of_a_folder_are_refused(small, tmp_path):
    """Broken otherwise: an unpacked archive makes the reader read any file."""
    shutil.rmtree(small)
    for archive in (BACKGROUND, EVALUATION):
        omniglot_files.unpack(small, archive)
    place = small / BACKGROUND / "Greek" / "character01"
    (place / "link.png").symlink_to("/etc/passwd")
    assert_rejects(load, small, "link.png: found a link, expected a file")
    assert stat.S_ISLNK(os.lstat(place / "link.png").st_mode)


def test_the_official_catalogue_is_that_of_the_literature():
    """Broken otherwise: the splits are not Koch's.

    Lake, Salakhutdinov & Tenenbaum (2015): 964 and 659 characters of 30 and 20 alphabets.
    """
    assert (len(OFFICIAL.background), sum(OFFICIAL.background.values())) == (30, 964)
    assert (len(OFFICIAL.validation), len(OFFICIAL.test)) == (10, 10)
    assert sum(OFFICIAL.alphabets(EVALUATION).values()) == 659
    assert len(OFFICIAL.numbers()[0]) == 32_460
    assert len(OFFICIAL.characters()) == 1623
