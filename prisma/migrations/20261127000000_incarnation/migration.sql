-- A copy made by CREATE DATABASE … TEMPLATE has the server's start and the file's number of the one that it was made of,
-- and under the same name its fingerprint too. The database's own number is another one.
CREATE OR REPLACE FUNCTION maedal_incarnation() RETURNS text LANGUAGE sql STABLE
  AS 'SELECT extract(epoch FROM pg_postmaster_start_time())::text || ''/'' || pg_relation_filenode(''attempt''::regclass)::text
        || ''/'' || (SELECT oid FROM pg_database WHERE datname = current_database())::text';
