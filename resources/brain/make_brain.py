"""Make the brain outlines and the brain surface of the figures from the MNI152 template.

    python resources/brain/make_brain.py TEMPLATES

``TEMPLATES`` is the folder that holds ``mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz`` (ICBM 2009a nonlinear
symmetric, 1 mm, skull-stripped). Written beside this script: ``outlines.json``, ``surface.npz`` and
``template.nii.gz``; README.md says what they hold. The template is symmetric: one lateral outline and one hemisphere
are enough, the left is their mirror.
"""

from __future__ import annotations

import gzip
import heapq
import json
import sys
from itertools import pairwise, permutations
from pathlib import Path

import nibabel
import numpy as np
from contourpy import FillType, contour_generator
from scipy import ndimage
from scipy.signal import fftconvolve

TEMPLATE = "mni_icbm152_t1_tal_nlin_sym_09a_converted.nii.gz"
HERE = Path(__file__).resolve().parent

CORTEX_LEVEL = 0.58  # of the T1's maximum: between grey matter (0.7) and the fluid in the sulci (0.4)
LEVEL_PER_MM = 0.07  # how fast the blurred T1 falls across that border
PADDING = 15  # voxels of air around the template, so that closing and contours never meet its edge

OUTLINE_TOLERANCE = 0.1  # mm
SULCUS_DEPTH = 5.0  # mm below the hull where the surface stops: what is deeper only clutters a glass brain
GRID = 1.5  # mm, of the surface before decimation
VERTICES_PER_HEMISPHERE = 9000
VERTEX_UNIT = 0.01  # mm


def main(templates: Path) -> None:
    """Write the assets."""
    write_template(templates / TEMPLATE)
    cortex, origin = read_cortex(templates / TEMPLATE)
    outlines = {view: make_outline(cortex, origin, *seen) for view, seen in VIEWS.items()}
    text = json.dumps({"unit_mm": OUTLINE_TOLERANCE, "views": outlines}, separators=(",", ":"))
    (HERE / "outlines.json").write_text(text + "\n", encoding="utf-8")

    vertices, faces = make_right_surface(cortex, origin)
    np.savez_compressed(
        HERE / "surface.npz",
        unit_mm=VERTEX_UNIT,
        vertices=np.round(vertices / VERTEX_UNIT).astype(np.int16),
        faces=faces.astype(np.uint16),
    )


def write_template(path: Path) -> None:
    """Write the template at 2 mm, each voxel the mean of eight, as bytes from 0 to 255."""
    image = nibabel.load(path)
    t1 = np.asarray(image.dataobj, dtype=np.float64)
    t1 = np.pad(t1, [(0, n % 2) for n in t1.shape])
    x, y, z = (n // 2 for n in t1.shape)
    halved = t1.reshape(x, 2, y, 2, z, 2).mean(axis=(1, 3, 5))
    affine = image.affine.copy()
    affine[:3, :3] *= 2
    affine[:3, 3] += 0.5
    small = nibabel.Nifti1Image(np.round(255 * halved / halved.max()).astype(np.uint8), affine)
    small.header.set_sform(affine, code=4)
    small.header.set_xyzt_units("mm")
    (HERE / "template.nii.gz").write_bytes(gzip.compress(small.to_bytes(), compresslevel=9, mtime=0))


def read_cortex(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return a field that is about the signed distance (mm) to the cortex within 2 mm of it, positive inside.

    Also the MNI coordinates of its first voxel; the voxels are 1 mm, in the order of x, y, z.
    """
    image = nibabel.load(path)
    if not np.array_equal(image.affine[:3, :3], np.eye(3)):
        raise ValueError(f"{path}: 1 mm voxels in the order of x, y, z are expected")
    t1 = np.asarray(image.dataobj, dtype=np.float32)
    t1 = ndimage.gaussian_filter(t1 / t1.max(), 0.8)
    field = np.pad(t1 - CORTEX_LEVEL, PADDING, constant_values=-CORTEX_LEVEL) / LEVEL_PER_MM
    return keep_largest(np.clip(field, -2, 2)), image.affine[:3, 3] - PADDING


def keep_largest(field: np.ndarray) -> np.ndarray:
    """Make every part of the inside but the largest outside."""
    parts, _ = ndimage.label(field > 0)
    largest = np.bincount(parts.ravel())[1:].argmax() + 1
    return np.where((parts > 0) & (parts != largest), -0.5, field)


def closed(mask: np.ndarray, radius: float) -> np.ndarray:
    """Close gaps narrower than twice the radius (grid units), through distance maps."""
    grown = ndimage.distance_transform_edt(~mask) <= radius
    return mask | (ndimage.distance_transform_edt(grown) > radius)


# Outlines ------------------------------------------------------------------------------------------------------------

# What is seen: the axis along which one looks, whether from its positive end, whether the horizontal axis is reversed.
VIEWS = {
    "right": (0, True, False),  # horizontal y, vertical z
    "back": (1, False, False),  # horizontal x, vertical z
    "front": (1, True, True),  # horizontal -x, vertical z
    "top": (2, True, False),  # horizontal x, vertical y
}


def make_outline(
    cortex: np.ndarray, origin: np.ndarray, axis: int, from_positive: bool, mirrored: bool
) -> dict[str, list[list[int]]]:
    """Draw the brain as seen along an axis: closed contours of its silhouette and of its sulci, flat x, y lists."""
    seen, depth = first_hit(cortex, axis, from_positive)
    silhouette = closed(seen, 2.5)
    groove = relief(seen, depth, 3.5)
    groove[silhouette & ~seen] = groove.max()  # where one looks right through the fissure between the hemispheres

    horizontal, vertical = (origin[other] for other in range(3) if other != axis)
    x = horizontal + np.arange(seen.shape[0] * 2 - 1) / 2
    y = vertical + np.arange(seen.shape[1] * 2 - 1) / 2
    fine = np.meshgrid(np.arange(x.size) / 2, np.arange(y.size) / 2, indexing="ij")

    def refined(values: np.ndarray) -> np.ndarray:
        return ndimage.map_coordinates(values, fine, order=1)

    inside = refined(ndimage.gaussian_filter(silhouette.astype(float), 1.2)) - 0.5
    strokes = pen_strokes(refined(groove), ndimage.distance_transform_edt(inside > 0))
    if mirrored:
        x, inside, strokes = -x[::-1], inside[::-1], strokes[::-1]
    return {"silhouette": contours(x, y, inside), "sulci": contours(x, y, strokes)}


def first_hit(cortex: np.ndarray, axis: int, from_positive: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return where a line of sight meets the brain, and how near to the eye (mm, to a fraction of a voxel)."""
    field = np.moveaxis(cortex, axis, 0)
    field = field[::-1] if from_positive else field
    seen = (field > 0).any(axis=0)
    hit = np.maximum((field > 0).argmax(axis=0), 1)
    rows, columns = np.indices(hit.shape)
    after, before = field[hit, rows, columns], field[hit - 1, rows, columns]
    return seen, np.where(seen, after / np.where(after > before, after - before, 1) - hit, 0.0)


def relief(seen: np.ndarray, nearness: np.ndarray, sigma: float) -> np.ndarray:
    """Return how far (mm, at most 2.5) each point lies below the smoothed surface, measured across that surface.

    Measured along the line of sight, the flanks of the brain would be all groove.
    """
    weight = np.maximum(ndimage.gaussian_filter(seen.astype(float), sigma), 1e-6)
    smooth = ndimage.gaussian_filter(np.where(seen, nearness, 0.0), sigma) / weight
    slope = np.gradient(smooth)
    below = (smooth - nearness) / np.sqrt(1 + slope[0] ** 2 + slope[1] ** 2)
    return np.where(seen, np.clip(below, 0, 2.5), 0.0)


def pen_strokes(groove: np.ndarray, from_edge: np.ndarray, low: float = 0.22, high: float = 0.35) -> np.ndarray:
    """Return a field, positive within strokes that follow the grooves; the grid is 0.5 mm.

    Elongated second-derivative filters in 16 directions join what is interrupted and drop what has no direction;
    parts that are short, blunt or nowhere strong are left out, and strokes fade out next to the silhouette.
    """
    response = np.max([fftconvolve(groove, line_filter(angle), mode="same") for angle in np.arange(16) * np.pi / 16], 0)
    response *= np.clip((from_edge - 2) / 4, 0, 1)
    parts, number = ndimage.label(response > low, structure=np.ones((3, 3)))
    keep = np.zeros(number + 1, dtype=bool)
    for part, box in enumerate(ndimage.find_objects(parts), start=1):
        shape = parts[box] == part
        extent = np.hypot(*shape.shape)
        keep[part] = extent > 18 and shape.sum() < 0.4 * extent**2 and response[box][shape].max() > high
    field = np.where(keep[parts] | (parts == 0), response, 0.9 * low) - low
    return ndimage.gaussian_filter(field, 0.6)


def line_filter(angle: float, length: float = 4.0, width: float = 1.5) -> np.ndarray:
    """Return a Gaussian along a direction times a negative second Gaussian derivative across it."""
    reach = int(3 * length)
    x, y = np.mgrid[-reach : reach + 1, -reach : reach + 1]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    values = np.exp(-(along**2) / (2 * length**2) - across**2 / (2 * width**2)) * (1 - across**2 / width**2)
    values -= values.mean()
    return values / np.abs(values).sum()


def contours(x: np.ndarray, y: np.ndarray, field: np.ndarray) -> list[list[int]]:
    """Return the closed contours (holes run the other way round) of where the field is positive, in outline units."""
    generator = contour_generator(x, y, field.T, fill_type=FillType.OuterOffset)
    lines = []
    for points, offsets in zip(*generator.filled(0, np.inf), strict=True):
        for start, stop in pairwise(offsets):
            line = np.round(simplified(points[start:stop]) / OUTLINE_TOLERANCE).astype(int)
            if len(line) > 3:
                lines.append(line[:-1].ravel().tolist())
    return lines


def simplified(line: np.ndarray) -> np.ndarray:
    """Drop the points that lie within the tolerance of the line without them (Douglas-Peucker)."""
    keep = np.zeros(len(line), dtype=bool)
    middle = int(np.linalg.norm(line - line[0], axis=1).argmax())  # a closed line has no chord: cut it in two
    keep[[0, middle, -1]] = True
    spans = [(0, middle), (middle, len(line) - 1)]
    while spans:
        first, last = spans.pop()
        if last - first < 2:
            continue
        chord = line[last] - line[first]
        offset = line[first + 1 : last] - line[first]
        away = np.abs(chord[0] * offset[:, 1] - chord[1] * offset[:, 0]) / max(float(np.hypot(*chord)), 1e-9)
        farthest = first + 1 + int(away.argmax())
        if away.max() > OUTLINE_TOLERANCE:
            keep[farthest] = True
            spans += [(first, farthest), (farthest, last)]
    return line[keep]


# Surface -------------------------------------------------------------------------------------------------------------


def make_right_surface(cortex: np.ndarray, origin: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices (mm) and outward-facing triangles of the right half of the brain, closed at the midline."""
    x = origin[0] + np.arange(cortex.shape[0])
    start = int(np.flatnonzero(x >= -PADDING)[0])
    half = keep_largest(np.minimum(cortex[start:], (x[start:] - 0.2)[:, None, None]))
    below_hull = ndimage.distance_transform_edt(closed(half > 0, 6.0)) - SULCUS_DEPTH
    half = np.maximum(half, ndimage.gaussian_filter(np.clip(below_hull, -3, 3), 1))
    half = np.where(ndimage.binary_fill_holes(half > 0) & (half <= 0), 0.5, half)

    axes = [np.arange(0, size - 1, GRID) for size in half.shape]
    vertices, faces = marching_tetrahedra(ndimage.map_coordinates(half, np.meshgrid(*axes, indexing="ij"), order=1))
    return decimate(vertices * GRID + [x[start], origin[1], origin[2]], faces, VERTICES_PER_HEMISPHERE)


def marching_tetrahedra(field: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices (grid units) and outward-facing triangles of the zero surface of a field, positive inside.

    Each cell is cut into the six tetrahedra that walk from its first to its last corner along one axis after another;
    neighbours then agree on every diagonal, and the surface is closed and without branches.
    """
    values = field.ravel()
    strides = np.array(field.strides) // field.itemsize
    cells = np.ravel_multi_index(np.indices(np.array(field.shape) - 1).reshape(3, -1), field.shape)
    tetrahedra = np.concatenate(
        [np.cumsum([0, *strides[list(walk)]]) + cells[:, None] for walk in permutations(range(3))]
    )
    n_inside = (values[tetrahedra] > 0).sum(axis=1)
    tetrahedra, n_inside = tetrahedra[(n_inside > 0) & (n_inside < 4)], n_inside[(n_inside > 0) & (n_inside < 4)]
    outside = values[tetrahedra] <= 0
    tetrahedra = np.take_along_axis(tetrahedra, np.argsort(outside, axis=1, kind="stable"), axis=1)

    # Corners that are inside come first; a triangle's corners lie on three of the edges from inside to outside.
    cuts = {1: [[0, 1, 0, 2, 0, 3]], 2: [[0, 2, 0, 3, 1, 3], [0, 2, 1, 3, 1, 2]], 3: [[0, 3, 1, 3, 2, 3]]}
    edges = np.concatenate([tetrahedra[n_inside == n][:, cut] for n, some in cuts.items() for cut in some])
    edges, faces = np.unique(edges.reshape(-1, 2), axis=0, return_inverse=True)
    faces = faces.reshape(-1, 3)
    inner, outer = (np.stack(np.unravel_index(end, field.shape), axis=1) for end in edges.T)
    part = values[edges[:, 0]] / (values[edges[:, 0]] - values[edges[:, 1]])
    vertices = inner + part[:, None] * (outer - inner)

    one, two, three = (vertices[faces[:, corner]] for corner in range(3))
    outward = (outer - inner)[faces].sum(axis=1)
    inverted = (np.cross(two - one, three - one) * outward).sum(axis=1) < 0
    faces[inverted] = faces[inverted][:, ::-1]
    return vertices, faces


def decimate(vertices: np.ndarray, faces: np.ndarray, n_vertices: int) -> tuple[np.ndarray, np.ndarray]:
    """Collapse edges in the order of their quadric error (Garland and Heckbert 1997) until few vertices are left."""
    points = [tuple(point) for point in vertices.tolist()]
    triangles: list[tuple[int, int, int] | None] = [tuple(face) for face in faces.tolist()]
    around: list[set[int]] = [set() for _ in points]
    quadrics = np.zeros((len(points), 10))
    normals = np.cross(vertices[faces[:, 1]] - vertices[faces[:, 0]], vertices[faces[:, 2]] - vertices[faces[:, 0]])
    area = np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    plane = np.hstack([normals / area, -(normals / area * vertices[faces[:, 0]]).sum(axis=1, keepdims=True)])
    upper = np.triu_indices(4)
    for corner in range(3):
        np.add.at(quadrics, faces[:, corner], plane[:, upper[0]] * plane[:, upper[1]] * area)
        for face, vertex in enumerate(faces[:, corner].tolist()):
            around[vertex].add(face)
    quadric = [tuple(row) for row in quadrics.tolist()]
    version = [0] * len(points)

    def neighbours(vertex: int) -> set[int]:
        return {other for face in around[vertex] for other in triangles[face] or ()} - {vertex}

    def push(one: int, two: int) -> None:
        total = tuple(a + b for a, b in zip(quadric[one], quadric[two], strict=True))
        place = best_place(total, points[one], points[two])
        length = sum((a - b) ** 2 for a, b in zip(points[one], points[two], strict=True))
        # The length keeps triangles of flat parts compact.
        cost = error_at(total, place) + 0.02 * length
        heapq.heappush(queue, (cost, one, two, version[one], version[two], place))

    queue: list[tuple[float, int, int, int, int, tuple[float, float, float]]] = []
    edges = np.unique(np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1), axis=0)
    for one, two in edges.tolist():
        push(one, two)
    left = len(points)
    while left > n_vertices and queue:
        _, one, two, version_one, version_two, place = heapq.heappop(queue)
        if version[one] != version_one or version[two] != version_two:
            continue
        shared = around[one] & around[two]
        if len(shared) != 2 or len(neighbours(one) & neighbours(two)) != 2:
            continue  # the surface would pinch
        if any(
            flips(triangles[face], vertex, place, points) for vertex in (one, two) for face in around[vertex] - shared
        ):
            continue
        for face in shared:
            for vertex in triangles[face] or ():
                around[vertex].discard(face)
            triangles[face] = None
        for face in around[two]:
            triangles[face] = tuple(one if vertex == two else vertex for vertex in triangles[face] or ())
        around[one] |= around[two]
        around[two] = set()
        quadric[one] = tuple(a + b for a, b in zip(quadric[one], quadric[two], strict=True))
        points[one] = place
        version[one] += 1
        version[two] = -1
        left -= 1
        for other in neighbours(one):
            push(one, other)

    kept = np.array([face for face in triangles if face is not None])
    used, kept = np.unique(kept, return_inverse=True)
    return np.array(points)[used], kept.reshape(-1, 3)


def error_at(q: tuple[float, ...], p: tuple[float, float, float]) -> float:
    """Return the quadric error of a point."""
    x, y, z = p
    return (
        q[0] * x * x + 2 * q[1] * x * y + 2 * q[2] * x * z + 2 * q[3] * x + q[4] * y * y + 2 * q[5] * y * z
        + 2 * q[6] * y + q[7] * z * z + 2 * q[8] * z + q[9]
    )  # fmt: skip


def best_place(
    q: tuple[float, ...], one: tuple[float, float, float], two: tuple[float, float, float]
) -> tuple[float, float, float]:
    """Return the point of least quadric error, or the best of ends and middle where it is not well defined."""
    a, b, c, d, e, f, g, h, i = q[0], q[1], q[2], q[3], q[4], q[5], q[6], q[7], q[8]
    determinant = a * (e * h - f * f) - b * (b * h - f * c) + c * (b * f - e * c)
    middle = ((one[0] + two[0]) / 2, (one[1] + two[1]) / 2, (one[2] + two[2]) / 2)
    if abs(determinant) > 1e-3 * (a + e + h) ** 3:
        x = -(d * (e * h - f * f) - b * (g * h - f * i) + c * (g * f - e * i)) / determinant
        y = -(a * (g * h - i * f) - d * (b * h - f * c) + c * (b * i - g * c)) / determinant
        z = -(a * (e * i - f * g) - b * (b * i - g * c) + d * (b * f - e * c)) / determinant
        if sum((p - m) ** 2 for p, m in zip((x, y, z), middle, strict=True)) < 4:
            return x, y, z
    return min((one, two, middle), key=lambda place: error_at(q, place))


def flips(
    face: tuple[int, int, int] | None, vertex: int, place: tuple[float, float, float], points: list[tuple[float, ...]]
) -> bool:
    """Tell whether moving one corner of a triangle would turn it by more than about 70 degrees."""
    before = [points[corner] for corner in face or ()]
    after = [place if corner == vertex else points[corner] for corner in face or ()]
    old, new = cross(*before), cross(*after)
    dot = sum(a * b for a, b in zip(old, new, strict=True))
    return dot <= 0.3 * (sum(a * a for a in old) * sum(b * b for b in new)) ** 0.5


def cross(a: tuple[float, ...], b: tuple[float, ...], c: tuple[float, ...]) -> tuple[float, float, float]:
    """Return the normal of a triangle, as long as twice its area."""
    ux, uy, uz = b[0] - a[0], b[1] - a[1], b[2] - a[2]
    vx, vy, vz = c[0] - a[0], c[1] - a[1], c[2] - a[2]
    return uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx


if __name__ == "__main__":
    main(Path(sys.argv[1]))
