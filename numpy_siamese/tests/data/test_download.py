"""Downloads, against a server on this machine: checked, resumable, whole or not at all."""

import hashlib
import socket
import sys

import pytest

from numpy_siamese.data import download
from numpy_siamese.data.folder import IDX_FILES
from numpy_siamese.errors import InputError
from numpy_siamese.terminal import bar
from numpy_siamese.tests.support.folders import contents
from numpy_siamese.tests.support.mirrors import running
from numpy_siamese.tests.support.streams import closed

FILES = {"images.gz": b"the images" * 20_000, "labels.gz": b"the labels"}


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    checksums = {name: hashlib.sha256(content).hexdigest() for name, content in FILES.items()}
    with running() as server:
        mirrors = (server.mirror("first", FILES), server.mirror("second", FILES))
        monkeypatch.setitem(download.DOWNLOADS, "mnist", download.Download(checksums, mirrors))
        yield server


def test_fetch_puts_every_file_in_the_folder(server, tmp_path):
    folder = download.fetch("mnist", tmp_path / "a" / "b")
    assert folder == tmp_path / "a" / "b"
    assert contents(folder) == FILES
    assert server.requests == ["/first/images.gz", "/first/labels.gz"]


def test_fetched_files_have_the_mode_of_any_new_file(server, tmp_path):
    """A folder shared by several users is no use if only one may read its files."""
    download.fetch("mnist", tmp_path)
    (tmp_path / "new").touch()
    assert len({path.stat().st_mode for path in tmp_path.iterdir()}) == 1


def test_fetch_goes_to_the_cache_folder_unless_told_otherwise(server, tmp_path, monkeypatch):
    monkeypatch.setenv("NUMPY_SIAMESE_CACHE", str(tmp_path))
    assert download.fetch("mnist") == tmp_path / "mnist" == download.cache_directory() / "mnist"
    assert contents(tmp_path / "mnist") == FILES


def test_given_mirrors_replace_the_default_ones(server, tmp_path):
    mirror = server.mirror("mine", FILES).rstrip("/")
    download.fetch("mnist", tmp_path, mirrors=[mirror])
    assert server.requests == ["/mine/images.gz", "/mine/labels.gz"]


@pytest.mark.parametrize("fault", ["absent", "broken", "other bytes", "cut", "refused"])
def test_the_second_mirror_gives_what_the_first_does_not(server, tmp_path, fault):
    files: dict[str, bytes | int] = {
        "absent": dict.fromkeys(FILES, 404),
        "broken": dict.fromkeys(FILES, 500),
        "other bytes": dict.fromkeys(FILES, b"not these"),
        "cut": FILES,
        "refused": {},
    }[fault]
    bad = server.mirror("bad", files)
    if fault == "cut":
        server.cut = {f"/bad/{file}" for file in FILES}
    if fault == "refused":
        bad = refusing_mirror()
    download.fetch("mnist", tmp_path, mirrors=[bad, server.mirror("good", FILES)])
    assert contents(tmp_path) == FILES


def refusing_mirror() -> str:
    """Return the address of a port where nobody listens: one that was free just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/mnist/"


def test_when_all_mirrors_fail_one_line_gives_the_file_and_each_reason(server, tmp_path):
    mirrors = [
        server.mirror("absent", {}),
        server.mirror("wrong", dict.fromkeys(FILES, b"not these")),
        refusing_mirror(),
        "no-address",
    ]
    with pytest.raises(InputError) as caught:
        download.fetch("mnist", tmp_path, mirrors=mirrors)
    message = str(caught.value)
    assert "\n" not in message
    assert str(tmp_path / "images.gz") in message
    reasons = ["404", "does not match the known hash", "refused", "Invalid URL"]
    for mirror, reason in zip(mirrors, reasons, strict=True):
        assert reason in message[message.index(mirror) :]


def test_a_mirror_that_sends_more_than_any_file_has_is_left(server, tmp_path, monkeypatch):
    """Broken otherwise: a mirror that never ends fills the disk."""
    monkeypatch.setattr(download, "MOST_BYTES", len(FILES["images.gz"]))
    mirror = server.mirror("endless", dict.fromkeys(FILES, FILES["images.gz"] + b"!"))
    with pytest.raises(InputError, match="endless/: found more than 200000 bytes"):
        download.fetch("mnist", tmp_path, mirrors=[mirror])
    assert contents(tmp_path) == {}
    download.fetch("mnist", tmp_path)  # exactly so many are taken


@pytest.mark.parametrize("name", ["../mnist", "/mnist", "mnist/..", "", "mnist\0"])
def test_a_name_never_leads_to_another_folder(server, tmp_path, name):
    """Broken otherwise: a name writes outside the folder of downloads."""
    with pytest.raises(InputError, match="unknown download"):
        download.fetch(name, tmp_path)
    assert server.requests == []
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("content", [b"not these", 404])
def test_a_failed_download_leaves_no_file(server, tmp_path, content):
    mirror = server.mirror("bad", dict.fromkeys(FILES, content))
    with pytest.raises(InputError):
        download.fetch("mnist", tmp_path, mirrors=[mirror])
    assert contents(tmp_path) == {}


def test_an_interrupted_download_leaves_no_file(server, tmp_path):
    mirror = server.mirror("bad", FILES)
    server.cut = {"/bad/images.gz"}
    with pytest.raises(InputError):
        download.fetch("mnist", tmp_path, mirrors=[mirror])
    assert contents(tmp_path) == {}


def test_calling_again_downloads_nothing(server, tmp_path):
    download.fetch("mnist", tmp_path)
    server.requests.clear()
    download.fetch("mnist", tmp_path)
    assert server.requests == []


def test_calling_again_after_a_failure_downloads_only_what_is_missing(server, tmp_path):
    mirror = server.mirror("half", {"images.gz": FILES["images.gz"]})
    with pytest.raises(InputError, match=r"labels\.gz"):
        download.fetch("mnist", tmp_path, mirrors=[mirror])
    server.requests.clear()
    download.fetch("mnist", tmp_path)
    assert server.requests == ["/first/labels.gz"]
    assert contents(tmp_path) == FILES


def test_a_damaged_file_is_replaced(server, tmp_path):
    download.fetch("mnist", tmp_path)
    (tmp_path / "images.gz").write_bytes(FILES["images.gz"][:-1])
    server.requests.clear()
    download.fetch("mnist", tmp_path)
    assert server.requests == ["/first/images.gz"]
    assert contents(tmp_path) == FILES


def test_unknown_download_is_answered_with_the_nearest(tmp_path):
    with pytest.raises(InputError, match=r"unknown download 'mnits' \(did you mean 'mnist'\?\)"):
        download.fetch("mnits", tmp_path)
    assert contents(tmp_path) == {}


def test_file_in_place_of_the_folder_is_named(tmp_path):
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(InputError, match="file: File exists, expected a folder"):
        download.fetch("mnist", path)


def test_progress_is_quiet_unless_on_a_terminal(server, tmp_path, capfd):
    """Bars in a log file would bury the one line that matters."""
    download.fetch("mnist", tmp_path)
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("progress", [True, False])
def test_on_a_terminal_a_bar_shows_each_file(server, tmp_path, terminal, monkeypatch, progress):
    """A long download without a sign of life looks like one that hangs.

    200,000 bytes come in pieces of 2¹⁶.
    """
    monkeypatch.setattr(bar, "PAUSE", 0)
    screen = terminal(80)
    download.fetch("mnist", tmp_path, progress=progress)
    drawn = [line for line in screen.getvalue().replace("\x1b[J", "").split("\r") if line]
    found = [(line[:4], line.split("░ ")[-1].split("█ ")[-1]) for line in drawn]
    images = [" 32%", " 65%", " 98%", "100%", "100%"]
    expected = [(share, "images.gz  0.1 of 0.2 MB") for share in images[:2]]
    expected += [(share, "images.gz  0.2 of 0.2 MB") for share in images[2:]]
    expected += [("100%", "labels.gz  0.0 of 0.0 MB")] * 2
    assert found == (expected if progress else [])
    assert screen.seen() == [""]


@pytest.mark.parametrize("stream", [None, closed()], ids=["none", "closed"])
def test_without_a_stream_files_are_fetched_all_the_same(server, tmp_path, monkeypatch, stream):
    """A program without a console has no standard error."""
    monkeypatch.setattr(sys, "stderr", stream)
    download.fetch("mnist", tmp_path)
    assert contents(tmp_path) == FILES


def test_cache_folder_is_the_users_unless_the_environment_names_one(monkeypatch):
    monkeypatch.delenv("NUMPY_SIAMESE_CACHE", raising=False)
    assert download.cache_directory().name == "numpy-siamese"
    monkeypatch.setenv("NUMPY_SIAMESE_CACHE", "elsewhere")
    assert str(download.cache_directory()) == "elsewhere"


def test_the_checksums_of_mnist_are_those_that_others_publish():
    """Broken otherwise: no mirror in the world has the file that is expected.

    TensorFlow Datasets, ``url_checksums/mnist.txt``.
    """
    assert download.DOWNLOADS["mnist"].checksums == {
        "t10k-images-idx3-ubyte.gz": (
            "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
        ),
        "t10k-labels-idx1-ubyte.gz": (
            "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
        ),
        "train-images-idx3-ubyte.gz": (
            "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
        ),
        "train-labels-idx1-ubyte.gz": (
            "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
        ),
    }


def test_the_files_that_fetch_gets_are_those_that_load_reads():
    assert set(download.DOWNLOADS["mnist"].checksums) == {f"{file}.gz" for file in IDX_FILES}
