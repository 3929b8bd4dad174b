-- What limits a customer beyond its plan, and how much it was used.

-- One row: the policies that an administrator set in place of the plan's or beside it, and those that the customer
-- set for itself, each a JSON list (docs/LIMITS.md).
CREATE TABLE limits (
  one          INTEGER PRIMARY KEY CHECK (one = 1),
  policies     TEXT    NOT NULL CHECK (json_valid(policies)),
  by_customer  TEXT    NOT NULL CHECK (json_valid(by_customer))
) STRICT;

-- One row: the state of the limits while it is too large to ride in an audit entry, which many leases make it.
CREATE TABLE limiter (
  one    INTEGER PRIMARY KEY CHECK (one = 1),
  state  BLOB    NOT NULL
) STRICT;

-- Requests by day (days since 1970-01-01 UTC), route and outcome; at most 31 days are kept. The number of rows
-- does not grow with traffic.
CREATE TABLE usage (
  day      INTEGER NOT NULL,
  route    TEXT    NOT NULL,
  outcome  TEXT    NOT NULL,
  count    INTEGER NOT NULL CHECK (count >= 1),
  PRIMARY KEY (day, route, outcome)
) STRICT, WITHOUT ROWID;
