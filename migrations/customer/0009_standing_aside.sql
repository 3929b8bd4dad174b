-- In the object of an id under which a customer was once begun and not finished, after another customer took the e-mail
-- that was claimed for it: whoever began it and comes late makes no customer of the id any more. One row. The id stands
-- for whoever is found by the e-mail that it comes with, and gets rows in `alias_of` then. Only by the records of an
-- older service can it still become a customer of its own; the row goes before that.
CREATE TABLE stood_aside (
  one  INTEGER PRIMARY KEY CHECK (one = 1)
) STRICT;

CREATE TRIGGER who_stood_aside_becomes_no_customer BEFORE INSERT ON customer
WHEN EXISTS (SELECT 1 FROM stood_aside)
BEGIN
  SELECT RAISE(ABORT, 'who stood aside becomes no customer');
END;
