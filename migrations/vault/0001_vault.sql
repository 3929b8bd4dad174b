-- The schema of a key vault, one per customer. Edited in place until the first release, frozen then.

-- One row: the customer's data key, wrapped under a key that derives from the master key (docs/FORMATS.md).
CREATE TABLE vault (
  one      INTEGER PRIMARY KEY CHECK (one = 1),
  wrapped  BLOB    NOT NULL CHECK (length(wrapped) = 77)
) STRICT;
