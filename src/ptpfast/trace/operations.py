"""The operations whose data is kept in a trace, and those whose data is pictures."""

from __future__ import annotations

from itertools import chain

from ..ptp.codes import OperationCode
from ..vendors.canon.codes import CanonOperation
from ..vendors.fujifilm.codes import FujifilmOperation
from ..vendors.nikon.codes import NikonOperation
from ..vendors.panasonic.codes import PanasonicOperation
from ..vendors.ricoh.codes import RicohOperation
from ..vendors.sony.codes import SonyOperation
from ..vendors.standard.codes import StandardOperation

# Pictures, parts of pictures, thumbnails and live view frames. A code that is another operation of
# another vendor counts as pictures, too.
PICTURES = frozenset(
    map(
        int,
        (
            OperationCode.GetObject,
            OperationCode.GetThumb,
            OperationCode.GetPartialObject,
            OperationCode.SendObject,
            StandardOperation.GetPartialObject64,
            CanonOperation.GetObjectEx,
            CanonOperation.GetPartialObjectEOS,
            CanonOperation.GetThumbEx,
            CanonOperation.GetViewFinderData,
            FujifilmOperation.GetCapturePreview,
            NikonOperation.GetLargeThumb,
            NikonOperation.GetLiveViewImg,
            NikonOperation.GetLiveViewImageEx,
            NikonOperation.GetPartialObjectEx,
            PanasonicOperation.LiveViewImage,
            RicohOperation.GetResizedImageObject,
            SonyOperation.GetPartialLargeObject,
            SonyOperation.GetContentData,
            SonyOperation.GetContentCompressedData,
        ),
    )
)
# Operations that ptpfast does not know may send anything, so their data is cut.
DATASETS = (
    frozenset(
        map(
            int,
            chain(
                OperationCode,
                CanonOperation,
                FujifilmOperation,
                NikonOperation,
                PanasonicOperation,
                RicohOperation,
                SonyOperation,
                StandardOperation,
            ),
        )
    )
    - PICTURES
)
