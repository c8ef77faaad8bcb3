-- What stands in the way of either way to restore: what belongs to another role. Follows rehearse.sql, in its transaction.
CREATE TEMP TABLE obstacle (about text, way text DEFAULT 'either') ON COMMIT DROP;
SELECT rolsuper AS is_super, CASE WHEN :SERVER_VERSION_NUM >= 150000 THEN 'has_parameter_privilege(name, ''SET'')' ELSE 'false' END AS may_set
FROM pg_roles WHERE rolname = current_user \gset

INSERT INTO obstacle
SELECT format('%s belongs to the role %s: it would go with what it depends on, and %s cannot bring it back',
        CASE WHEN contype = 'f' THEN replace(told, 'constraint ', 'foreign key ') ELSE told END, owner::regrole, current_user), 'transaction'
FROM victim v LEFT JOIN pg_constraint c ON classid = 'pg_constraint'::regclass AND c.oid = objid, pg_describe_object(classid, objid, objsubid) AS told;

-- The entries of others, as a person would name them: "table app.orders".
CREATE TEMP TABLE of_another ON COMMIT DROP AS
SELECT t.*, coalesce(nullif(owner, ''), (SELECT name FROM our_role WHERE oid = 10), pg_get_userbyid(10)) AS role,
    CASE WHEN words IS NULL THEN whole
        ELSE CASE words WHEN 'TABLE DATA' THEN 'table' WHEN 'SEQUENCE SET' THEN 'the value of the sequence' WHEN 'ACL' THEN 'grants on' WHEN 'COMMENT' THEN 'comment on'
                WHEN 'SECURITY LABEL' THEN 'security label of' ELSE lower(words) END
            || CASE WHEN about IS NOT NULL THEN ' ' || lower(about[2]) || ' ' || coalesce(nullif(about[1], '-') || '.', '') || about[3]
                WHEN rest LIKE ' - %' THEN substr(rest, 3)
                ELSE regexp_replace(rest, '^( [^ ]+) ', '\1.') END END AS told
FROM toc t,
    LATERAL (SELECT CASE WHEN owner IS NULL THEN rtrim(entry) ELSE left(entry, -length(owner) - 1) END AS whole) e,
    LATERAL (SELECT substring(whole FROM '^(TABLE DATA|SEQUENCE SET|SECURITY LABEL|PUBLICATION TABLES IN SCHEMA|PUBLICATION TABLE|MATERIALIZED VIEW DATA|MATERIALIZED VIEW|FOREIGN TABLE|FOREIGN DATA WRAPPER|FK CONSTRAINT|CHECK CONSTRAINT|TEXT SEARCH [A-Z]+|OPERATOR CLASS|OPERATOR FAMILY|EVENT TRIGGER|ACCESS METHOD|DEFAULT ACL|USER MAPPING|ROW SECURITY|[A-Z]+) ') AS words) w,
    LATERAL (SELECT substr(whole, length(words) + 1) AS rest) r,
    -- Grants, comments and labels name the type of their object behind its schema.
    LATERAL (SELECT CASE WHEN words IN ('ACL', 'COMMENT', 'SECURITY LABEL') THEN regexp_match(rest,
        '^ ([^ ]+) (MATERIALIZED VIEW|FOREIGN TABLE|FOREIGN DATA WRAPPER|FOREIGN SERVER|LARGE OBJECT|TEXT SEARCH [A-Z]+|OPERATOR CLASS|OPERATOR FAMILY|EVENT TRIGGER|ACCESS METHOD|[A-Z]+) (.*)$') END AS about) m
WHERE NOT ours AND NOT (classid = 'pg_rewrite'::regclass AND entry LIKE '% \_RETURN %'); -- a part of a view

INSERT INTO obstacle
SELECT format('%s belongs to the role %s: %s cannot put its rows back', told, role, current_user)
FROM of_another toc
WHERE kind IN ('TABLE DATA', 'BLOBS', 'BLOB', 'BLOB METADATA')
    AND id NOT IN (SELECT id FROM configured);

INSERT INTO obstacle
SELECT format('the rows of %s would go with the extension %I: they belong to the role %s, and %s cannot put them back', shown, extname, owner::regrole, current_user), 'transaction'
FROM configured
WHERE is_made_anew AND NOT comes_back AND kind = 'TABLE DATA' AND rows_then IS DISTINCT FROM 0;

INSERT INTO obstacle
SELECT format('%s of the role %s is in the archive, and not in the database: %s cannot create it', told, role, current_user),
    'transaction'
FROM of_another
WHERE classid <> 0 AND kind IS DISTINCT FROM 'BLOB' AND kind IS DISTINCT FROM 'BLOB METADATA'
    AND CASE WHEN kind = 'DEFAULT ACL' THEN entry NOT IN ( -- each change gives these another OID
            SELECT translate(format('DEFAULT ACL %s DEFAULT PRIVILEGES FOR %s %s', coalesce(nspname, '-'),
                CASE defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' WHEN 'L' THEN 'LARGE OBJECTS' END,
                rolname), E'\n\r', '  ')
            FROM pg_default_acl JOIN pg_roles r ON r.oid = defaclrole LEFT JOIN pg_namespace n ON n.oid = defaclnamespace)
        ELSE pg_describe_object(classid, objid, 0) IS NULL END;

INSERT INTO obstacle
SELECT format('%s belongs to the role %s: %s cannot create it in a new database', told, role, current_user), 'swap'
FROM of_another;

-- What there is, with the names under which pg_dump lists it: of a restored database no OID is that of the archive.
CREATE TEMP TABLE there ON COMMIT DROP AS
SELECT o.classid, o.objid, o.owner, i.type, coalesce(i.schema, '-') AS schema,
    CASE WHEN p.prokind = 'a' THEN 'AGGREGATE' WHEN p.prokind = 'p' THEN 'PROCEDURE' WHEN t.typtype = 'd' THEN 'DOMAIN'
        WHEN i.type = 'statistics object' THEN 'STATISTICS' ELSE upper(i.type) END AS kind,
    CASE WHEN p.oid IS NOT NULL THEN format('%s(%s)', p.proname, CASE WHEN p.prokind = 'a' AND p.pronargs = 0 THEN '*'
            ELSE (SELECT string_agg(format_type(type, NULL), ', ' ORDER BY place) FROM unnest(p.proargtypes::oid[]) WITH ORDINALITY AS argument(type, place)) END)
        ELSE coalesce(c.relname::text, t.typname::text, n.nspname::text, (SELECT oprname::text FROM pg_operator WHERE o.classid = 'pg_operator'::regclass AND oid = o.objid), i.name, i.identity) END AS name
FROM owner o CROSS JOIN pg_identify_object(o.classid, o.objid, 0) AS i
    LEFT JOIN pg_proc p ON o.classid = 'pg_proc'::regclass AND p.oid = o.objid
    LEFT JOIN pg_type t ON o.classid = 'pg_type'::regclass AND t.oid = o.objid
    LEFT JOIN pg_class c ON o.classid = 'pg_class'::regclass AND c.oid = o.objid
    LEFT JOIN pg_namespace n ON o.classid = 'pg_namespace'::regclass AND n.oid = o.objid
WHERE (whole = 0 OR o.classid = 'pg_class'::regclass) AND i.identity IS NOT NULL;

-- What was of another role, and has been given to one of ours: it goes, and only the other could make it what it was.
INSERT INTO obstacle
SELECT format('%s was of the role %s in the archive, and belongs to the role %s now: %s cannot give it back', told, role, s.owner::regrole, current_user), 'transaction'
FROM of_another t JOIN there s ON replace(left(t.entry, -length(t.owner) - 1), '"', '') = s.kind || ' ' || translate(replace(format('%s %s', s.schema, s.name), '"', ''), E'\n\r', '  ')
WHERE t.classid <> 0 AND s.owner IN (SELECT oid FROM our_role)
    AND (s.kind <> 'OPERATOR' OR t.objid = s.objid); -- several have one name

-- What has been given to another role, or has been made by one under a name of the archive: it stays, and is in the way.
INSERT INTO obstacle
WITH stays AS MATERIALIZED (
    SELECT * FROM there s
    WHERE owner NOT IN (SELECT oid FROM our_role) AND NOT EXISTS (SELECT FROM gone g WHERE g.classid = s.classid AND g.objid = s.objid AND g.objsubid = 0)),
wanted AS MATERIALIZED (
    SELECT classid, objid, owner, replace(left(entry, -length(owner) - 1), '"', '') AS listed FROM replayed WHERE classid <> 0),
clash AS (
    SELECT s.*, w.owner AS rightful
    FROM stays s
        CROSS JOIN unnest(CASE -- a relation and a type share their names, and so does all that can be called
            WHEN classid IN ('pg_class'::regclass, 'pg_type'::regclass) THEN '{TABLE,VIEW,MATERIALIZED VIEW,SEQUENCE,FOREIGN TABLE,INDEX,TYPE,DOMAIN}'
            WHEN classid = 'pg_proc'::regclass THEN '{FUNCTION,PROCEDURE,AGGREGATE}' ELSE ARRAY[kind] END::text[]) AS made
        JOIN wanted w ON w.listed = made || ' ' || translate(replace(format('%s %s', schema,
            CASE made WHEN 'AGGREGATE' THEN regexp_replace(name, '\(\)$', '(*)') ELSE regexp_replace(name, '\(\*\)$', '()') END), '"', ''), E'\n\r', '  ')
    -- Of these several may have one name, and the list does not tell which is meant.
    WHERE kind NOT IN ('OPERATOR', 'OPERATOR CLASS', 'OPERATOR FAMILY')
    UNION ALL
    SELECT s.*, w.owner
    FROM stays s JOIN wanted w USING (classid, objid)
    WHERE kind IN ('OPERATOR', 'OPERATOR CLASS', 'OPERATOR FAMILY') AND starts_with(w.listed, kind || ' ' || translate(replace(schema, '"', ''), E'\n\r', '  ') || ' '))
SELECT DISTINCT format('%s belongs to the role %s now, and has the name of what the archive would bring back: that role must give it to %s, rename it or drop it',
        pg_describe_object(classid, objid, 0), owner::regrole, rightful), 'transaction'
FROM clash;
