"""Which files are images that can be read, by their names, and what the others are."""

from __future__ import annotations

import re

_READ = re.compile(r"\.nii(\.gz)?$", re.IGNORECASE)
# The longest that a name ends in counts.
_OTHERS = {
    ".img": "half of a pair of header and image; merge them into one .nii.gz file",
    ".hdr": "half of a pair of header and image; merge them into one .nii.gz file",
    ".img.gz": "half of a pair of header and image; merge them into one .nii.gz file",
    ".mgz": "a FreeSurfer volume; convert it with mri_convert",
    ".mgh": "a FreeSurfer volume; convert it with mri_convert",
    ".gii": "a GIFTI surface; seeds are spheres in a volume",
    ".dtseries.nii": "a CIFTI file, of surfaces; take the volume instead",
    ".dscalar.nii": "a CIFTI file, of surfaces; take the volume instead",
    ".ptseries.nii": "a CIFTI file, of parcels; take the volume instead",
    ".brik": "half of an AFNI data set; convert it with 3dAFNItoNIFTI",
    ".brik.gz": "half of an AFNI data set; convert it with 3dAFNItoNIFTI",
    ".head": "half of an AFNI data set; convert it with 3dAFNItoNIFTI",
    ".mnc": "a MINC file; convert it with mnc2nii",
    ".nrrd": "an NRRD file; convert it to .nii.gz",
    ".dcm": "a DICOM file; convert it with dcm2niix",
    ".nii.bz2": "compressed by bzip2; compress it with gzip instead",
    ".nii.xz": "compressed by xz; compress it with gzip instead",
    ".nii.zst": "compressed by Zstandard; compress it with gzip instead",
    ".nii.z": "compressed by compress; compress it with gzip instead",
    ".zip": "a zip archive; take the image out of it",
    ".tar.gz": "an archive; take the image out of it",
    ".json": "a sidecar, not an image",
    ".tsv": "a table, not an image",
}


def other_format(path: str) -> str | None:
    """Say what a file is that is, by its name, no image of a format that is read; None for one that is."""
    endings = [ending for ending in _OTHERS if path.lower().endswith(ending)]
    if endings:
        return f"this is {_OTHERS[max(endings, key=len)]} (supported: .nii and .nii.gz)"
    return None if _READ.search(path) else "images must be .nii or .nii.gz files"


def sidecar_of(image: str) -> str:
    """Give the path of the sidecar beside an image."""
    return _READ.sub("", image) + ".json"
