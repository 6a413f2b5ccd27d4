"""Small copies of figures."""

import io

import pytest
from PIL import Image

from sphereconn.draw.preview import WIDTH, preview
from sphereconn.errors import InputError


def test_a_wide_png_becomes_a_small_copy_of_the_same_shape(tmp_path):
    Image.new("RGBA", (2 * WIDTH, 600), (255, 0, 0, 255)).save(tmp_path / "wide.png")
    copy = Image.open(io.BytesIO(preview(tmp_path / "wide.png").content))
    assert (copy.format, copy.size) == ("WEBP", (WIDTH, 300))


@pytest.mark.parametrize("whole", [True, False])
def test_a_png_that_is_broken_is_named(tmp_path, whole):
    Image.effect_noise((300, 300), 50).save(tmp_path / "figure.png")
    content = (tmp_path / "figure.png").read_bytes()
    (tmp_path / "figure.png").write_bytes(b"\0" * len(content) if whole else content[:5000])
    with pytest.raises(
        InputError, match=r"figure\.png: not a readable png \(.*\); delete it, and it is drawn again\.$"
    ):
        preview(tmp_path / "figure.png")
