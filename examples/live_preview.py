"""A notebook as a script: the thumbnails of a card, then live view. Open it in Jupyter or VS Code.

python examples/live_preview.py 192.168.1.1
"""

# %% Connect
import io
import sys
from contextlib import closing
from itertools import islice

from PIL import Image

import ptpfast

address = sys.argv[1] if len(sys.argv) > 1 else "192.168.1.1"
show = globals().get("display", print)  # `display` is there in a notebook

# %% The thumbnails of the card, as one sheet
with ptpfast.connect(address) as session:
    found = session.thumbnails(session.objects(formats="jpeg"))
    pictures = [Image.open(io.BytesIO(data)) for _, data in found if isinstance(data, bytes)]
columns, (width, height) = 4, (160, 120)
sheet = Image.new("RGB", (columns * width, -(-len(pictures) // columns) * height))
for number, picture in enumerate(pictures):
    row, column = divmod(number, columns)
    sheet.paste(picture.resize((width, height)), (column * width, row * height))
show(sheet)

# %% Live view: twenty frames
with ptpfast.connect(address, role="remote") as session, closing(session.live_view()) as frames:
    for data in islice(frames, 20):
        show(Image.open(io.BytesIO(data)))
