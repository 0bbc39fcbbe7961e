"""Folders: which files are the data set, and what is not one is told plainly."""

import gzip

import numpy as np
import pytest

from numpy_siamese import data
from numpy_siamese.data.folder import CSV_FILES, IDX_FILES
from numpy_siamese.errors import InputError
from numpy_siamese.tests.support.written import (
    assert_rejects,
    csv_of,
    csv_rows,
    csv_text,
    idx_images,
    idx_labels,
    write_csv_folder,
    write_idx_folder,
)


@pytest.mark.parametrize(("suffix", "pack"), [("", bytes), (".gz", gzip.compress), (".gz", bytes)])
def test_folder_of_idx_files_loads(tmp_path, digits, suffix, pack):
    write_idx_folder(tmp_path, *digits, suffix, pack)
    dataset = data.load(tmp_path)
    assert dataset.name == str(tmp_path)
    for split in (dataset.train, dataset.test):
        np.testing.assert_array_equal(split.images, digits[0], strict=True)
        np.testing.assert_array_equal(split.labels, digits[1], strict=True)


def test_folder_of_csv_files_loads(tmp_path, digits):
    write_csv_folder(tmp_path, *digits)
    dataset = data.load(str(tmp_path))
    for split in (dataset.train, dataset.test):
        np.testing.assert_array_equal(split.images, digits[0], strict=True)
        np.testing.assert_array_equal(split.labels, digits[1], strict=True)


def test_train_and_test_are_not_swapped(tmp_path, digits):
    images, labels = digits
    for folder, write in (
        (tmp_path / "csv", write_csv_folder),
        (tmp_path / "idx", write_idx_folder),
    ):
        folder.mkdir()
        write(folder, images, labels)
    (tmp_path / "csv" / "mnist_test.csv").write_text(csv_of(images[:2], labels[:2]))
    (tmp_path / "idx" / "t10k-images-idx3-ubyte").write_bytes(idx_images(images[:2]))
    (tmp_path / "idx" / "t10k-labels-idx1-ubyte").write_bytes(idx_labels(labels[:2]))
    for folder in ("csv", "idx"):
        dataset = data.load(tmp_path / folder)
        assert (len(dataset.train.labels), len(dataset.test.labels)) == (6, 2)


def test_csv_comes_before_idx_and_plain_before_gzip(tmp_path, digits):
    images, labels = digits
    write_idx_folder(tmp_path, images[:4], labels[:4], ".gz", gzip.compress)
    assert len(data.load(tmp_path).train.labels) == 4
    write_idx_folder(tmp_path, images[:5], labels[:5])
    assert len(data.load(tmp_path).train.labels) == 5
    write_csv_folder(tmp_path, images, labels)
    assert len(data.load(tmp_path).train.labels) == 6


@pytest.mark.parametrize("name", CSV_FILES)
def test_half_a_csv_folder_says_what_was_found_and_is_missing(tmp_path, digits, name):
    write_csv_folder(tmp_path, *digits)
    (tmp_path / name).unlink()
    (kept,) = set(CSV_FILES) - {name}
    assert_rejects(data.load, tmp_path, f"found {kept}, expected", name)


@pytest.mark.parametrize("name", IDX_FILES)
def test_idx_folder_without_one_file_says_so(tmp_path, digits, name):
    write_idx_folder(tmp_path, *digits)
    (tmp_path / name).unlink()
    assert_rejects(data.load, tmp_path, name)


def test_folder_without_data_is_rejected(tmp_path):
    assert_rejects(data.load, tmp_path, "found none of the files", "mnist_train.csv", "(each plain")


def test_file_in_place_of_a_folder_is_rejected(tmp_path):
    path = tmp_path / "mnist_train.csv"
    path.write_text(csv_text(csv_rows()))
    assert_rejects(data.load, path, "not a folder", "mnist_train.csv")


@pytest.mark.parametrize("write", [write_csv_folder, write_idx_folder])
def test_one_class_only_is_rejected_because_no_pair_could_differ(tmp_path, digits, write):
    write(tmp_path, digits[0], np.full(6, 7))
    with pytest.raises(InputError, match=r"train.*: found only class 7, expected .* two classes"):
        data.load(tmp_path)


def test_idx_of_no_images_is_rejected(tmp_path):
    write_idx_folder(tmp_path, np.zeros((0, 28, 28), np.uint8), np.zeros(0))
    with pytest.raises(InputError, match=r"train-labels.*: found no images, expected"):
        data.load(tmp_path)


def test_fewer_labels_than_images_are_rejected(tmp_path, digits):
    write_idx_folder(tmp_path, *digits)
    path = tmp_path / "t10k-labels-idx1-ubyte"
    path.write_bytes(idx_labels(digits[1][:5]))
    with pytest.raises(InputError) as caught:
        data.load(tmp_path)
    assert f"{path}: found 5 labels, expected 6" in str(caught.value)


# Names that relatives and unpackers give


def idx_names(before: str = "", test: str = "t10k", dash: str = "-") -> list[str]:
    """Return four names in the order of `IDX_FILES`."""
    return [
        f"{before}{half}-{part}{dash}{kind}-ubyte"
        for half in ("train", test)
        for part, kind in (("images", "idx3"), ("labels", "idx1"))
    ]


def write_idx(folder, names, digits, pack=bytes) -> None:
    """Write six images to train and four to test."""
    folder.mkdir(exist_ok=True)
    for name, count in zip(names, (6, 6, 4, 4), strict=True):
        images, labels = digits[0][:count], digits[1][:count]
        content = idx_images(images) if "images" in name.lower() else idx_labels(labels)
        (folder / name).write_bytes(pack(content))


def write_csv(folder, names, digits, pack=bytes) -> None:
    """Write six images to train and four to test."""
    folder.mkdir(exist_ok=True)
    for name, count in zip(names, (6, 4), strict=True):
        content = csv_of(digits[0][:count], digits[1][:count])
        (folder / name).write_bytes(pack(content.encode()))


def assert_loads(folder, digits) -> None:
    dataset = data.load(folder)
    for split, count in ((dataset.train, 6), (dataset.test, 4)):
        np.testing.assert_array_equal(split.images, digits[0][:count], strict=True)
        np.testing.assert_array_equal(split.labels, digits[1][:count], strict=True)


@pytest.mark.parametrize(
    "names",
    [
        idx_names(dash="."),
        idx_names(dash="_"),
        idx_names("emnist-digits-", "test"),
        idx_names("emnist-letters-", "test", "."),
        [name.upper() for name in idx_names()],
        [name.removesuffix("-ubyte") for name in idx_names(dash=".")],
    ],
    ids=lambda names: names[0],
)
@pytest.mark.parametrize(("suffix", "pack"), [("", bytes), (".gz", gzip.compress)])
def test_idx_files_of_other_names_load(tmp_path, digits, names, suffix, pack):
    """Broken otherwise: what another program unpacked, or EMNIST, is "none of the files"."""
    write_idx(tmp_path, [name + suffix for name in names], digits, pack)
    assert_loads(tmp_path, digits)


@pytest.mark.parametrize(
    "names",
    [
        ("train.csv", "test.csv"),
        ("fashion-mnist_train.csv", "fashion-mnist_test.csv"),
        ("emnist-letters-train.csv", "emnist-letters-test.csv"),
        ("MNIST_train.CSV", "MNIST_test.csv"),
        ("train_digits.csv", "test_digits.csv"),
        ("mnist_training.csv", "mnist_testing.csv"),
        ("mnisttrain.csv", "mnisttest.csv"),
        ("latest_train.csv", "latest_test.csv"),
    ],
)
@pytest.mark.parametrize(("suffix", "pack"), [("", bytes), (".gz", gzip.compress), (".gz", bytes)])
def test_csv_files_of_other_names_load(tmp_path, digits, names, suffix, pack):
    """Broken otherwise: Kaggle's files have to be renamed, or unpacked."""
    write_csv(tmp_path, [name + suffix for name in names], digits, pack)
    (tmp_path / "sample_submission.csv").write_text("ImageId,Label\n")
    assert_loads(tmp_path, digits)


@pytest.mark.parametrize(
    "names",
    [
        ("constrain.csv", "contest.csv"),
        ("mnist_train_100.csv", "mnist_test_10.csv"),
        ("a_train.csv", "b_test.csv"),
        ("train.csv.bak", "test.csv.bak"),
    ],
)
def test_files_of_no_data_set_are_not_taken_together(tmp_path, digits, names):
    """Broken otherwise: a network is tested on another data set than it was trained on."""
    write_csv(tmp_path, names, digits)
    assert_rejects(data.load, tmp_path, *names, "(or other names alike but for train and test)")


def test_the_official_names_come_first(tmp_path, digits):
    """Broken otherwise: another file in the folder makes MNIST ambiguous, or takes its place."""
    others = digits[0][::-1], digits[1][::-1]
    write_csv(tmp_path, ("train.csv", "test.csv"), others)
    write_idx(tmp_path, idx_names("emnist-digits-", "test"), others)
    assert_rejects(
        data.load, tmp_path, "found 2 data sets (emnist-digits-… in IDX, … in CSV)", "folder of its"
    )
    write_idx(tmp_path, idx_names(), digits)
    assert_loads(tmp_path, digits)
    write_csv(tmp_path, CSV_FILES, others)
    np.testing.assert_array_equal(data.load(tmp_path).train.labels, others[1])


def test_several_data_sets_are_listed(tmp_path, digits):
    """Broken otherwise: one of EMNIST's six parts is trained on by chance."""
    for part in ("balanced", "byclass", "bymerge", "digits", "letters", "mnist"):
        write_idx(tmp_path, idx_names(f"emnist-{part}-", "test"), digits)
    said = "found 6 data sets (emnist-balanced-… in IDX, ", "emnist-mnist-… in IDX)"
    assert_rejects(data.load, tmp_path, *said, "expected one: move it to a folder of its own")


@pytest.mark.parametrize("name", ["train-images.idx3-ubyte", "train_images-idx3-ubyte.gz"])
def test_one_file_under_two_names_is_refused(tmp_path, digits, name):
    """Broken otherwise: which of two files was trained on depends on their names."""
    write_idx(tmp_path, idx_names(), digits)
    (tmp_path / name).write_bytes(idx_images(digits[0][::-1]))
    said = f"found {', '.join(sorted([IDX_FILES[0], name.removesuffix('.gz')]))}, expected one"
    assert_rejects(data.load, tmp_path, said)


def test_a_folder_that_is_called_like_a_file_is_not_one(tmp_path, digits):
    """Broken otherwise: a Kaggle download, with files and folders of these names, is refused."""
    write_idx(tmp_path, idx_names(dash="."), digits)
    for name in IDX_FILES:
        (tmp_path / name).mkdir()
    assert_loads(tmp_path, digits)


def test_labels_of_qmnist_are_told(tmp_path, digits):
    """Broken otherwise: QMNIST's files are "none of the files"."""
    names = [name.replace("idx1-ubyte", "idx2-int") for name in idx_names("qmnist-", "test")]
    write_idx(tmp_path, names, digits)
    (tmp_path / names[1]).write_bytes(b"\0\0\x0c\x02" + bytes(100))
    found = f"{tmp_path / names[1]}: found magic number 0x00000c02, expected 0x00000801"
    with pytest.raises(InputError) as caught:
        data.load(tmp_path)
    assert str(caught.value).startswith(found)


def test_what_lies_in_a_folder_without_data_is_listed(tmp_path):
    """Broken otherwise: the user does not see that the files are a folder deeper, or packed."""
    (tmp_path / "archive").mkdir()
    (tmp_path / "archive.zip").touch()
    assert_rejects(data.load, tmp_path, "found none of the files (but archive.zip, archive/), exp")
    for number in range(9):
        (tmp_path / f"{number}.png").touch()
    assert_rejects(data.load, tmp_path, "(but 0.png, 1.png, 2.png, 3.png, 4.png, 5.png and 5 more)")


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("digits.zip", b"PK\x03\x04" + bytes(40), "found a zip archive (unpack it), not a folder"),
        ("mnist_train.csv", b"5,0\n", "found text (CSV?), not a folder"),
        ("other", b"\x01\x02", "found a file, not a folder"),
    ],
)
def test_a_file_in_place_of_a_folder_says_what_to_give(tmp_path, name, content, said):
    """Broken otherwise: the path of the table itself ends in a line without a way on."""
    path = tmp_path / name
    path.write_bytes(content)
    assert_rejects(data.load, path, said, "give the folder of these files")


@pytest.mark.parametrize("write", [write_csv_folder, write_idx_folder])
@pytest.mark.parametrize("most", [0, 1])
def test_no_pixel_above_1_is_told(tmp_path, digits, write, most):
    """Broken otherwise: images of 0 and 1 train to 0.693 and nobody knows why."""
    write(tmp_path, digits[0] % (most + 1), digits[1])
    with pytest.raises(InputError) as caught:
        data.load(tmp_path)
    path = tmp_path / (CSV_FILES if write is write_csv_folder else IDX_FILES)[0]
    assert str(caught.value).startswith(f"{path}: found no pixel above 1: scaled to 0..1? expected")


def test_one_pixel_above_1_is_enough(tmp_path, digits):
    """Broken otherwise: dark images are refused."""
    images = digits[0] % 2
    images[5, 27, 27] = 2
    write_idx_folder(tmp_path, images, digits[1])
    np.testing.assert_array_equal(data.load(tmp_path).train.images, images)


@pytest.mark.parametrize("start", [0, 1])
def test_an_index_in_place_of_labels_is_told(tmp_path, digits, start):
    """Broken otherwise: every image is a class of its own, and pairs of it with itself are all."""
    write_csv_folder(tmp_path, digits[0], np.arange(start, start + 6))
    found = f"mnist_train.csv: found labels that count the images, from {start} to {start + 5}"
    with pytest.raises(InputError) as caught:
        data.load(tmp_path)
    assert found in str(caught.value)
    assert "(an index column?), expected" in str(caught.value)


@pytest.mark.parametrize("labels", [[1, 2, 3, 1, 2, 3], [0, 7, 0, 7, 900, 900]])
def test_labels_may_begin_anywhere_and_have_gaps(tmp_path, digits, labels):
    """Broken otherwise: EMNIST's letters, which are 1 to 26, are refused."""
    write_csv_folder(tmp_path, digits[0], labels)
    np.testing.assert_array_equal(data.load(tmp_path).train.labels, labels)


def test_a_folder_that_may_not_be_listed_is_told(tmp_path, monkeypatch):
    """Broken otherwise: missing permission ends in a traceback."""

    def refuse(folder):
        raise PermissionError(13, "Permission denied", folder)

    monkeypatch.setattr(type(tmp_path), "iterdir", refuse)
    assert_rejects(data.load, tmp_path, "Permission denied")
