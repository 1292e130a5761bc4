"""The known error codes of Snowflake: the meaning of each, its remedy, and the class of error it becomes.

Sources: [C] the installed connector (network.py, errorcode.py); [G] errors.go of Snowflake's own gosnowflake; [D]
Snowflake's documentation; [R] reports of users of Snowflake's drivers, with code, state and message. None was observed
on a real account of this project; tests/unit/warehouse/snowflake sends each to the real connector.
"""

from __future__ import annotations

from dataclasses import dataclass

from snowflake.connector import errorcode
from snowflake.connector.network import CREDENTIAL_REJECTION_GS_CODES

from hnintel.errors import HnIntelError, WarehouseBusy, WarehouseError, WarehouseLost

_CORTEX = "grant DATABASE ROLE SNOWFLAKE.CORTEX_USER, and USE AI FUNCTIONS ON ACCOUNT, to the role"
_DOCTOR = "python -m hnintel doctor --warehouse snowflake prints the grant"
AGAIN = "run it again to continue"


@dataclass(frozen=True, slots=True)
class Meaning:
    """The meaning of an error, its remedy, and the class of the error raised, which decides what the runner does."""

    happened: str
    mend: str
    kind: type[HnIntelError] = WarehouseError
    #: The only part of Snowflake's message that may be shown: the group of this pattern, the name of an object.
    names: str | None = None


#: An object's name as messages write it. Anything else between quotes is not shown.
_NAME = r"['\"]*([A-Za-z0-9_$.:!-]{1,255})['\"]*"
LOST = Meaning("the session has ended", AGAIN, WarehouseLost)

BY_CODE: dict[int, Meaning] = {
    # Logging in
    390100: Meaning("wrong user or password", "check SNOWFLAKE_USER and what logs in"),  # [C] AUTHORIZATION_FAILURE
    390144: Meaning(  # [C] JWT_TOKEN_INVALID
        "the private key is not this user's",
        "check SNOWFLAKE_USER and SNOWFLAKE_ACCOUNT, then the user's RSA_PUBLIC_KEY and this machine's clock",
    ),
    390303: Meaning("the OAuth token is refused", "give a token for this account in SNOWFLAKE_TOKEN"),  # [C]
    390318: Meaning("the OAuth token has expired", "give a new token in SNOWFLAKE_TOKEN"),  # [C]
    390186: Meaning("the user may not take the role", "grant it, or set SNOWFLAKE_ROLE", names=f"Role {_NAME}"),  # [R]
    390189: Meaning("there is no such role", "set SNOWFLAKE_ROLE to a role of the user", names=f"Role {_NAME}"),  # [G]
    390201: Meaning(  # [G] ErrObjectNotExistOrAuthorized; asked for by the argument validate_default_parameters
        "it does not exist, or the role may not use it",
        "check SNOWFLAKE_DATABASE with HNINTEL_ENVIRONMENT, SNOWFLAKE_WAREHOUSE and SNOWFLAKE_ROLE; " + _DOCTOR,
        names=r"requested (database|warehouse|schema|role)",
    ),
    # Snowflake's warehouses
    606: Meaning(  # [R] 57P03
        "no Snowflake warehouse to run on", "set SNOWFLAKE_WAREHOUSE to a warehouse that the role may use"
    ),
    608: Meaning(  # [R] 57P03
        "the Snowflake warehouse is suspended", "resume it, or set AUTO_RESUME on it", names=f"Warehouse {_NAME}"
    ),
    90073: Meaning(  # [R] 22000
        "the resource monitor leaves the Snowflake warehouse no credits",
        "raise its quota, or wait for its next period",
        names=f"Warehouse {_NAME}",
    ),
    # Statements
    904: Meaning(  # [D] 42000
        "it names a column that does not exist", "correct the name", names=rf"invalid identifier {_NAME}"
    ),
    2003: Meaning(  # [D] 02000, 42S02
        "it does not exist, or the role may not see it", _DOCTOR, names=rf"{_NAME} does not exist or not authorized"
    ),
    2043: Meaning("it does not exist, or the role may not use it", _DOCTOR),  # [R] 02000
    3001: Meaning(  # [D] 42501
        "the role may not do that", _DOCTOR, names=rf"privileges to operate on [\w -]{{1,60}} '{_NAME}"
    ),
    3013: Meaning(  # [R] 42501
        "the user may not take the role", "grant it, or set SNOWFLAKE_ROLE", names=f"role {_NAME}"
    ),
    # [R] 42601; Snowflake reports a function without a privilege as unknown
    2140: Meaning("the role has no such function", f"{_CORTEX}; {_DOCTOR}", names=f"Unknown function {_NAME}"),
    2141: Meaning("the role has no such function", f"{_CORTEX}; {_DOCTOR}", names=f"user-defined function {_NAME}"),
    630: Meaning(  # [R] 57014
        "the statement reached its time limit",
        "set a longer HNINTEL_STATEMENT_TIMEOUT or a smaller HNINTEL_ENRICH_CHUNK; the account may have a limit too",
    ),
    604: Meaning("the statement was cancelled", "run it again, unless somebody cancelled it on purpose"),  # [R] 57014
    625: Meaning(  # [R] 57014
        "another transaction holds the table", "run it again when that transaction has ended", WarehouseBusy
    ),
    # Sessions
    390104: LOST,  # [R] the token belongs to no session
    390110: LOST,  # [C] ID_TOKEN_EXPIRED
    390111: LOST,  # [G] ErrSessionGone: killed, or idle for too long
    390112: LOST,  # [C] SESSION_EXPIRED, where the connector could not renew it
    390113: LOST,  # [C] MASTER_TOKEN_NOTFOUND
    390114: LOST,  # [C] MASTER_TOKEN_EXPIRED, after four idle hours
    390115: LOST,  # [C] MASTER_TOKEN_INVALID
    errorcode.ER_CONNECTION_IS_CLOSED: LOST,  # [C] 250002
    errorcode.ER_FAILED_TO_RENEW_SESSION: LOST,  # [C] 252007
}
#: Codes that reject a key pair's token: 390144 and 3943xx. [C]
JWT = {int(code) for code in CREDENTIAL_REJECTION_GS_CODES} - {390100}
