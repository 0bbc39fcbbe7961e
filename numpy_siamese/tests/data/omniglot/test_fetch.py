"""Omniglot is fetched from a server on this machine, and checked by what its archives hold."""

import dataclasses

import pytest

from numpy_siamese.data import download
from numpy_siamese.data.omniglot import catalogue
from numpy_siamese.data.omniglot.catalogue import EVALUATION
from numpy_siamese.errors import InputError
from numpy_siamese.tests.support import omniglot_files
from numpy_siamese.tests.support.folders import contents
from numpy_siamese.tests.support.mirrors import running


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with running() as server:
        yield server


@pytest.fixture
def small_omniglot(server, tmp_path, monkeypatch):
    """A server with a small Omniglot, which is the official one; returns its archives."""
    folder = omniglot_files.write(tmp_path / "served")
    monkeypatch.setattr(catalogue, "OFFICIAL", omniglot_files.SMALL)
    right = omniglot_files.checksums(folder)
    known = dataclasses.replace(omniglot_files.SMALL, contents=right)
    monkeypatch.setattr(catalogue, "OFFICIAL", known)
    files = contents(folder)
    places = {("one-shot-classification/" * ("runs" in name)) + name: files[name] for name in files}
    mirrors = (server.mirror("damaged", damaged(places)), server.mirror("right", places))
    monkeypatch.setitem(
        download.DOWNLOADS, "omniglot", dataclasses.replace(OMNIGLOT, mirrors=mirrors)
    )
    server.requests.clear()
    return files


OMNIGLOT = download.DOWNLOADS["omniglot"]


def damaged(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return files of which the first is cut and the others hold something else."""
    other = omniglot_files.packed(
        {
            **omniglot_files.files(EVALUATION),
            "images_evaluation/Angelic/character01/0903_01.png": omniglot_files.png(
                omniglot_files.ink_of(999)
            ),
        }
    )
    names = sorted(files)
    return {names[0]: files[names[0]][:-30], names[1]: other, names[2]: other}


def test_omniglot_is_checked_by_what_its_archives_hold(small_omniglot, server, tmp_path):
    """Broken otherwise: a damaged archive is kept, or runs are looked for in the wrong folder."""
    folder = download.fetch("omniglot", tmp_path / "here")
    assert contents(folder) == small_omniglot
    names = [path.rpartition("/")[2] for path in server.requests]
    assert names == [name for name in OMNIGLOT.checksums for _ in range(2)]
    server.requests.clear()
    download.fetch("omniglot", folder)
    assert server.requests == []


def test_archives_of_omniglot_may_be_packed_anew(small_omniglot, server, tmp_path):
    """Broken otherwise: what one had is downloaded again, though it holds the same."""
    folder = tmp_path / "here"
    folder.mkdir()
    mine = omniglot_files.packed({"__MACOSX/x": b"", **omniglot_files.files(EVALUATION)})
    (folder / "images_evaluation.zip").write_bytes(mine)
    (folder / "all_runs.zip").write_bytes(mine)
    download.fetch("omniglot", folder)
    assert contents(folder) == {**small_omniglot, "images_evaluation.zip": mine}


def test_what_is_wrong_with_an_archive_of_a_mirror_is_told(small_omniglot, server, tmp_path):
    """Broken otherwise: nobody learns why a mirror was left."""
    bad = f"http://127.0.0.1:{server.server_port}/damaged/"
    with pytest.raises(InputError) as caught:
        download.fetch("omniglot", tmp_path / "here", mirrors=[bad])
    message = str(caught.value)
    assert message.startswith(f"{tmp_path / 'here' / 'images_background.zip'}: no mirror gave")
    assert "/damaged/: images_background.zip: found no" in message
    assert not (tmp_path / "here").exists()
