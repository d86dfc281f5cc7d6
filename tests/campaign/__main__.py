"""`python -m tests.campaign 20000 [SEED]`: read so many damaged files, print a table and the faults."""

import sys

from tests.campaign.campaign import run
from tests.campaign.inputs import kinds

report = run(kinds(), int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
print(report.table())
print(*report.faults, sep="\n")
sys.exit(bool(report.faults))
