"""What Omniglot consists of: its alphabets, their use, and the checksums of what archives hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import chain

import numpy as np
import numpy.typing as npt

BACKGROUND, EVALUATION, RUNS = "images_background", "images_evaluation", "all_runs"
"""Names of the archives without their ending, and of the folders that they hold."""

SIDE = 105
"""Pixels of a drawing's side."""

DRAWERS = 20
TRAIN_DRAWERS, VALIDATION_DRAWERS, TEST_DRAWERS = (1, 12), (13, 16), (17, 20)
"""First and last drawer of each split, as Koch, Zemel & Salakhutdinov (2015) have them."""


@dataclass(frozen=True)
class Catalogue:
    """Alphabets with their numbers of characters, and the official runs.

    Attributes
    ----------
    background, validation, test : mapping of str to int
        To train on, to validate on and to test on. Archives have the last two in one.
    runs, items : int
        How many official runs there are, and how many items each has to find.
    contents : mapping of str to str
        `archives.Contents.checksum` of each archive, by its name.
    """

    background: Mapping[str, int]
    validation: Mapping[str, int]
    test: Mapping[str, int]
    runs: int
    items: int
    contents: Mapping[str, str] = field(default_factory=dict)

    def alphabets(self, archive: str) -> dict[str, int]:
        """Return the alphabets of an archive of images, in their order there.

        Parameters
        ----------
        archive : str

        Returns
        -------
        dict of str to int
        """
        found = self.background if archive == BACKGROUND else {**self.validation, **self.test}
        return dict(sorted(found.items()))

    def all_alphabets(self) -> dict[str, int]:
        """Return the alphabets of both archives, in the order of their numbers.

        Returns
        -------
        dict of str to int
        """
        return self.alphabets(BACKGROUND) | self.alphabets(EVALUATION)

    def characters(self) -> list[tuple[str, str]]:
        """Return alphabet and name of each character, in the order of the labels.

        Returns
        -------
        list of (str, str)
        """
        of_each = (
            [(alphabet, f"{alphabet}/character{number:02d}") for number in range(1, count + 1)]
            for alphabet, count in self.all_alphabets().items()
        )
        return [*chain.from_iterable(of_each)]

    def numbers(self) -> tuple[npt.NDArray[np.int64], ...]:
        """Return label, number of the alphabet, and drawer of each image.

        Returns
        -------
        labels, alphabets, drawers : (n,) int64
            Drawers are counted from 1.
        """
        counts = [*self.all_alphabets().values()]
        owners = np.repeat(np.arange(len(counts)), counts)  # of each character
        return (
            np.repeat(np.arange(len(owners)), DRAWERS),
            np.repeat(owners, DRAWERS),
            np.tile(np.arange(1, DRAWERS + 1), len(owners)),
        )


OFFICIAL = Catalogue(
    background={
        "Alphabet_of_the_Magi": 20,
        "Anglo-Saxon_Futhorc": 29,
        "Arcadian": 26,
        "Armenian": 41,
        "Asomtavruli_(Georgian)": 40,
        "Balinese": 24,
        "Bengali": 46,
        "Blackfoot_(Canadian_Aboriginal_Syllabics)": 14,
        "Braille": 26,
        "Burmese_(Myanmar)": 34,
        "Cyrillic": 33,
        "Early_Aramaic": 22,
        "Futurama": 26,
        "Grantha": 43,
        "Greek": 24,
        "Gujarati": 48,
        "Hebrew": 22,
        "Inuktitut_(Canadian_Aboriginal_Syllabics)": 16,
        "Japanese_(hiragana)": 52,
        "Japanese_(katakana)": 47,
        "Korean": 40,
        "Latin": 26,
        "Malay_(Jawi_-_Arabic)": 40,
        "Mkhedruli_(Georgian)": 41,
        "N_Ko": 33,
        "Ojibwe_(Canadian_Aboriginal_Syllabics)": 14,
        "Sanskrit": 42,
        "Syriac_(Estrangelo)": 23,
        "Tagalog": 17,
        "Tifinagh": 55,
    },
    validation={
        "Angelic": 20,
        "Atemayar_Qelisayer": 26,
        "Aurek-Besh": 26,
        "Avesta": 26,
        "Keble": 26,
        "Mongolian": 30,
        "Oriya": 46,
        "Sylheti": 28,
        "Syriac_(Serto)": 23,
        "ULOG": 26,
    },
    test={
        "Atlantean": 26,
        "Ge_ez": 26,
        "Glagolitic": 45,
        "Gurmukhi": 45,
        "Kannada": 41,
        "Malayalam": 47,
        "Manipuri": 40,
        "Old_Church_Slavonic_(Cyrillic)": 45,
        "Tengwar": 25,
        "Tibetan": 42,
    },
    runs=20,
    items=20,
    contents={
        BACKGROUND: "be310458419c47ca247a8dcbcb656889f5c1aefdd292d25aec508a5cfc0fb8e4",
        EVALUATION: "da3ec862065f467db7d01177ebab2121cb0c5a30639c445ae9de579eece50bb6",
        RUNS: "8b565ecc50b2294ad33b26aa0f14cf955111b6447184b1eebc06e443adf69541",
    },
)
"""Lake, Salakhutdinov & Tenenbaum (2015). The alphabets of their runs are those to test on."""
