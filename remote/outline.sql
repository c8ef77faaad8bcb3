-- What is installed beside the tables, and how many locks one transaction may count on.
BEGIN READ ONLY;
SET LOCAL statement_timeout = '30s';
SELECT 'max_locks=' || current_setting('max_locks_per_transaction');
SELECT 'extension=' || translate(format('%s %s of %s', extname, extversion, pg_get_userbyid(extowner)), E'\n\r', '  ')
FROM pg_extension
ORDER BY extname;
COMMIT;
