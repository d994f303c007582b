"""Makes test/golden/images/svhn-digits.json: two images and digits in SVHN's format 2, as SciPy writes MAT-files of level 5, compressed and not,
in base64. Run with any SciPy >= 1.10: python test/golden/make_mat.py
"""

import base64
import io
import json
import pathlib

import numpy as np
import scipy
from scipy.io import savemat

row, column, channel, image = np.meshgrid(
    np.arange(32), np.arange(32), np.arange(3), np.arange(2), indexing="ij"
)
# The level of test/unit/data/svhn-digits.test.ts.
images = ((7 * image + 85 * channel + 3 * row + column) % 251).astype(np.uint8)


def written(compressed, labels):
    file = io.BytesIO()
    savemat(file, {"X": images, "y": labels}, do_compression=compressed)
    return base64.b64encode(file.getvalue()).decode()


path = pathlib.Path(__file__).parent / "images" / "svhn-digits.json"
path.parent.mkdir(exist_ok=True)
path.write_text(
    json.dumps(
        {
            "scipy": scipy.__version__,
            "compressed": written(True, np.array([[10], [3]], dtype=np.uint8)),
            "plain": written(False, np.array([[10], [3]], dtype=np.uint8)),
            "doubles": written(True, np.array([[10.0], [3.0]])),
        },
        indent=1,
    )
    + "\n"
)
