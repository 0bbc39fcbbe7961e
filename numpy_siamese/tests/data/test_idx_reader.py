"""IDX: what is read is what was written, and no header is believed."""

import gzip
import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from numpy_siamese.data import idx_reader, raw_images
from numpy_siamese.data.idx_reader import read_idx_images, read_idx_labels
from numpy_siamese.errors import InputError
from numpy_siamese.tests.support.written import assert_rejects, idx_images, idx_labels

images_of_any_count = hnp.arrays(np.uint8, st.tuples(st.integers(1, 4), st.just(28), st.just(28)))
labels_of_any_count = hnp.arrays(np.uint8, st.integers(1, 9))


@given(
    images=images_of_any_count,
    labels=labels_of_any_count,
    pack=st.sampled_from([bytes, gzip.compress]),
)
@settings(max_examples=25, deadline=None)
def test_idx_gives_back_what_was_written(tmp_path_factory, images, labels, pack):
    folder = tmp_path_factory.mktemp("idx")
    (folder / "images").write_bytes(pack(idx_images(images)))
    (folder / "labels").write_bytes(pack(idx_labels(labels)))
    found = read_idx_images(folder / "images")
    np.testing.assert_array_equal(found, images, strict=True)
    assert found.flags.writeable
    np.testing.assert_array_equal(
        read_idx_labels(folder / "labels"), labels.astype(np.int64), strict=True
    )


def test_gzip_is_told_by_content_not_by_name(tmp_path, digits):
    images, _ = digits
    (tmp_path / "plain.gz").write_bytes(idx_images(images))
    (tmp_path / "zipped").write_bytes(gzip.compress(idx_images(images)))
    np.testing.assert_array_equal(read_idx_images(tmp_path / "plain.gz"), images)
    np.testing.assert_array_equal(read_idx_images(tmp_path / "zipped"), images)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_idx_truncated_at_any_byte_is_rejected(tmp_path, pack):
    whole = pack(idx_labels(np.arange(10)))
    path = tmp_path / "labels"
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        assert_rejects(read_idx_labels, path)


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_idx_images_truncated_at_any_byte_are_rejected(tmp_path_factory, draw):
    images = np.arange(2 * 784, dtype=np.uint8).reshape(2, 28, 28)
    pack = draw.draw(st.sampled_from([bytes, gzip.compress]))
    whole = pack(idx_images(images))
    path = tmp_path_factory.mktemp("idx") / "images"
    path.write_bytes(whole[: draw.draw(st.integers(0, len(whole) - 1))])
    assert_rejects(read_idx_images, path)


@pytest.mark.slow
@given(
    pack=st.sampled_from([bytes, gzip.compress]),
    flips=st.dictionaries(st.integers(0, 10**4), st.integers(1, 255), min_size=1, max_size=4),
)
@settings(max_examples=150, deadline=None)
def test_flipped_bytes_raise_nothing_but_input_errors(tmp_path_factory, pack, flips):
    images = np.random.default_rng(0).integers(0, 256, (2, 28, 28), dtype=np.uint8)
    content = bytearray(pack(idx_images(images)))
    for place, bits in flips.items():
        content[place % len(content)] ^= bits
    path = tmp_path_factory.mktemp("idx") / "images"
    path.write_bytes(content)
    try:
        found = read_idx_images(path)
    except InputError as error:
        assert str(path) in str(error)  # noqa: PT017 - passing is allowed too
    else:
        assert found.shape == images.shape
        # gzip has a checksum of what it holds; its own header, and plain IDX, have none.
        if pack is gzip.compress:
            np.testing.assert_array_equal(found, images)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (idx_labels(np.arange(784)), "found magic number 0x00000801, expected 0x00000803"),
        (struct.pack(">4I", 0x803, 2**31, 28, 28), "promises 2147483648 images"),
        (struct.pack(">4I", 0x803, 1, 28, 27) + bytes(756), "found images of 28×27 pixels"),
        (struct.pack(">4I", 0x803, 1, 32, 32) + bytes(1024), "expected 28×28"),
        (struct.pack(">4I", 0x803, 2, 28, 28) + bytes(784), "found 784 bytes after the header"),
        (struct.pack(">4I", 0x803, 1, 28, 28) + bytes(785), "found more than 784 bytes"),
        (b"", "found 0 bytes"),
        (struct.pack(">2I", 0x803, 1), "found 8 bytes"),
    ],
    ids=["magic", "count", "columns", "both sides", "short", "trailing", "empty", "header"],
)
def test_idx_images_unlike_their_header_are_rejected(tmp_path, content, said, pack):
    path = tmp_path / "images"
    path.write_bytes(pack(content))
    assert_rejects(read_idx_images, path, said)


def test_image_file_in_place_of_labels_is_rejected(tmp_path, digits):
    path = tmp_path / "labels"
    path.write_bytes(idx_images(digits[0]))
    assert_rejects(read_idx_labels, path, "found magic number 0x00000803, expected 0x00000801")


@pytest.mark.parametrize(
    "damage",
    [
        pytest.param(lambda zipped: zipped[:-9], id="truncated"),
        pytest.param(lambda zipped: zipped[:10] + b"\xff" * 20 + zipped[30:], id="no deflate"),
        pytest.param(lambda zipped: zipped[:-8] + bytes(4) + zipped[-4:], id="checksum"),
        pytest.param(lambda zipped: zipped + b"more", id="trailing bytes"),
        pytest.param(lambda zipped: zipped[:2] + b"\x07" + zipped[3:], id="method"),
    ],
)
def test_damaged_gzip_is_rejected(tmp_path, digits, damage):
    path = tmp_path / "images"
    path.write_bytes(damage(gzip.compress(idx_images(digits[0]))))
    assert_rejects(read_idx_images, path, "damaged gzip", "expected images in IDX")


@pytest.mark.slow
def test_no_promise_and_no_gzip_bomb_makes_memory_grow(tmp_path):
    """A header of a million images before nothing, and 256 MiB of zeros after one image."""
    promise = struct.pack(">4I", 0x803, raw_images.MOST_IMAGES, 28, 28)
    (tmp_path / "promise").write_bytes(promise)
    bomb = zlib.compressobj(wbits=31)
    packed = bomb.compress(struct.pack(">4I", 0x803, 1, 28, 28))
    packed += b"".join(bomb.compress(bytes(2**20)) for _ in range(256)) + bomb.flush()
    (tmp_path / "bomb").write_bytes(packed)
    for name in ("promise", "bomb"):
        tracemalloc.start()
        try:
            assert_rejects(read_idx_images, tmp_path / name)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert peak < 4 * idx_reader.CHUNK_BYTES


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(
    ("content", "said"),
    [
        (idx_labels(np.arange(784)), "this is an IDX file of labels"),
        (struct.pack("<4I", 0x803, 1, 28, 28) + bytes(784), "0x03080000, expected 0x00000803"),
        (struct.pack("<4I", 0x803, 1, 28, 28) + bytes(784), "in reverse order (little-endian)"),
        (struct.pack(">4I", 0xD03, 1, 28, 28) + bytes(784 * 4), "an IDX file of float32, 3-dim"),
        (struct.pack(">3I", 0xC02, 9, 8) + bytes(9 * 32), "an IDX file of int32, 2-dimensional"),
        (struct.pack(">5I", 0x804, 1, 28, 28, 3) + bytes(2352), "of uint8, 4-dimensional"),
        (b"5,0,0,12\n", "this is text (CSV?)"),
        (b"<html><body>404</body></html>", "this is an HTML page"),
        (b"version https://git-lfs.github.com/spec/v1\n", "this is a Git LFS pointer"),
        (b"PK\x03\x04" + bytes(40), "this is a zip archive (unpack it)"),
        (bytes(900), "this is zero bytes"),
    ],
)
def test_what_is_there_instead_of_images_is_named(tmp_path, content, said, pack):
    """Broken otherwise: the user has to look up a magic number."""
    path = tmp_path / "images"
    path.write_bytes(pack(content))
    assert_rejects(read_idx_images, path, said, "expected 0x00000803 (images in IDX)")


def test_images_in_place_of_labels_and_extended_labels_are_named(tmp_path, digits):
    """Broken otherwise: swapped files, or QMNIST's labels, are told by numbers alone."""
    path = tmp_path / "labels"
    path.write_bytes(idx_images(digits[0]))
    assert_rejects(read_idx_labels, path, "this is an IDX file of images")
    path.write_bytes(struct.pack(">3I", 0xC02, 9, 8) + bytes(9 * 32))
    assert_rejects(read_idx_labels, path, "this is an IDX file of int32, 2-dimensional")


def test_a_file_cut_short_says_so_and_a_long_one_does_not(tmp_path, digits):
    """Broken otherwise: half a download looks like a fault of its source."""
    path = tmp_path / "images"
    path.write_bytes(idx_images(digits[0])[:-9])
    assert_rejects(read_idx_images, path, "the 6 images it promises: cut short?")
    path.write_bytes(idx_images(digits[0]) + b"0")
    with pytest.raises(InputError, match="found more than 4704 bytes") as caught:
        read_idx_images(path)
    assert "cut short" not in str(caught.value)
