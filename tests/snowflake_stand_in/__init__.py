"""A Snowflake of a kind on loopback: fakesnow's server, mended where it falls short, with the embedded AI functions.

What runs on it shows that the adapter's SQL and plumbing are right; it shows nothing of Cortex, which is not there.
"""

from tests.snowflake_stand_in.server import StandIn as StandIn
from tests.snowflake_stand_in.server import Statement as Statement
from tests.snowflake_stand_in.server import stand_in as stand_in
