-- How many commits only the source has, and how many only the destination has; null if they were not counted.
ALTER TABLE refsync.held ADD COLUMN ahead int, ADD COLUMN behind int;
