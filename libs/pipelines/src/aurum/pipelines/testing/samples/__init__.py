"""One small file of each dataset under its publisher's name, in the publisher's layout; all places and numbers are invented.

Days are such that day and month can be exchanged (4 July), so that a spreadsheet's mistake gives another valid day.
"""

from .agencies import AGENCIES
from .caiso import CAISO
from .desks import DESKS
from .eia import EIA
from .entsoe import ENTSOE
from .ercot import ERCOT
from .exchanges import EXCHANGES
from .isone import ISONE
from .nyiso import NYISO
from .other_markets import OTHERS
from .pjm import PJM
from .sample import Sample

SAMPLES = (*PJM, *ISONE, *NYISO, *CAISO, *ERCOT, *OTHERS, *ENTSOE, *EIA, *AGENCIES, *EXCHANGES, *DESKS)

__all__ = ["SAMPLES", "Sample"]
