"""The published data sets that `fetch` knows: where their files are, what they weigh, how to cite them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class PublishedFile:
    """One file of a published set.

    Attributes
    ----------
    name
        Name under which it is kept.
    url
        Where its authors published it.
    size
        In bytes.
    md5
        Checksum as recorded by the repository.
    """

    name: str
    url: str
    size: int
    md5: str


@dataclass(frozen=True)
class PublishedSet:
    """A data set as its authors published it.

    Attributes
    ----------
    name, version, doi
        Identity.
    level
        Level of theory of the labels.
    licence, citation
        Recorded beside the files, and carried into every file made from them.
    files
        All of its files.
    """

    name: str
    version: str
    doi: str
    level: str
    licence: str
    citation: str
    files: tuple[PublishedFile, ...]


def _figshare(name: str, identifier: int, size: int, md5: str) -> PublishedFile:
    return PublishedFile(name, f"https://ndownloader.figshare.com/files/{identifier}", size, md5)


OPENREACT = PublishedSet(
    name="OpenREACT-CHON-EFH",
    version="1",
    doi="10.6084/m9.figshare.29189858",
    level="wB97X-D/6-31G(d)",
    licence="CC BY 4.0",
    citation=(
        "OpenREACT-CHON-EFH, figshare, doi:10.6084/m9.figshare.29189858; the data set of "
        "'Does Hessian Data Improve the Performance of Machine Learning Potentials?'"
    ),
    files=(
        _figshare("molecules-RTP.h5", 54948350, 638951022, "4d34660019b4236947c96c5d649af517"),
        _figshare("molecules-IRC.h5", 54948347, 454849726, "46a23e9ee940a6ec64569d66f5d4d977"),
        _figshare("molecules-NMS.h5", 54948356, 811695384, "1af1f28889df510bb0adf0bebdd71bc1"),
    ),
)
"""Reactants, transition states and products; their IRC paths; and normal mode samples from these."""
