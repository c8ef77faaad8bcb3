-- Whatever somebody who may create in the schema public can put there to answer for a name in a query of ours. Each answers as
-- pg_catalog would, so that who falls for it goes on, and leaves a mark in the server's log: which no rollback takes away, and a
-- transaction that only reads can write. `used` holds the words and operators of our SQL, and which of them
-- have arguments there; :better asks for more than copies.
SET client_min_messages = error;
SET check_function_bodies = off;
SET search_path = pg_catalog, pg_temp;

CREATE FUNCTION public.mark(what text) RETURNS bool IMMUTABLE LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    RAISE LOG 'MARK % % as % of %', current_setting('application_name'), what, current_user, session_user;
    RETURN true;
END $$;

CREATE TEMP TABLE wanted (word text, what text, statement text);
CREATE TEMP TABLE made (word text, what text);
CREATE TEMP TABLE failed (what text, why text);

-- Of which no function in SQL can be made.
CREATE TEMP VIEW unspeakable AS
SELECT oid FROM pg_type WHERE typtype = 'p' AND typname IN ('any', 'cstring', 'internal', 'trigger', 'event_trigger', 'language_handler',
    'fdw_handler', 'index_am_handler', 'table_am_handler', 'tsm_handler', 'pg_ddl_command', 'unknown', 'void');

-- Copies: of the same arguments. They answer where the role has put public before pg_catalog.
INSERT INTO wanted
SELECT proname, what, format('CREATE FUNCTION public.%I(%s) RETURNS %s %s LANGUAGE sql AS %L', proname, pg_get_function_arguments(oid),
        pg_get_function_result(oid), CASE provolatile WHEN 'i' THEN 'IMMUTABLE' WHEN 's' THEN 'STABLE' ELSE 'VOLATILE' END,
        CASE WHEN proretset OR proallargtypes IS NOT NULL THEN format('SELECT * FROM %s WHERE public.mark(%L)', call, what)
            ELSE format('SELECT CASE WHEN public.mark(%L) THEN %s END', what, call) END)
FROM (
    SELECT p.*, format('function %s(%s)', proname, pg_get_function_identity_arguments(p.oid)) AS what,
        format('pg_catalog.%I(%s)', proname, (SELECT string_agg(CASE WHEN n = pronargs AND provariadic <> 0 THEN 'VARIADIC ' ELSE '' END || '$' || n, ', ' ORDER BY n)
            FROM generate_series(1, pronargs) n)) AS call
    FROM pg_proc p JOIN used ON word = proname
    WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f'
        AND NOT (proargtypes::oid[] || prorettype && ARRAY(SELECT oid FROM unspeakable))) p;

-- Those that take whatever they are given: with as many texts.
INSERT INTO wanted
SELECT proname, what, format('CREATE FUNCTION public.%I(%s) RETURNS %s IMMUTABLE LANGUAGE sql AS %L', proname, arguments, prorettype::regtype,
    format('SELECT CASE WHEN public.mark(%L) THEN pg_catalog.%I(%s) END', what, proname, (SELECT string_agg('$' || n, ', ') FROM generate_series(1, number) n)))
FROM (
    SELECT proname, prorettype, number, arguments, format('function %s(%s)', proname, arguments) AS what
    FROM pg_proc p JOIN used ON word = proname CROSS JOIN generate_series(1, 9) AS number
        CROSS JOIN LATERAL (SELECT string_agg('text', ', ') AS arguments FROM generate_series(1, number)) a
    WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND provariadic = '"any"'::regtype AND number >= pronargs) p;

-- An aggregate with the steps of the real one, each with a mark. One whose state is a server's own only leaves marks, and so
-- does one in place of a window function.
INSERT INTO wanted
SELECT proname, format('aggregate %s(%s)', proname, arguments), format('CREATE FUNCTION public.%I(%s) RETURNS %s IMMUTABLE LANGUAGE sql AS %L', step,
        concat_ws(', ', state, nullif(arguments, '*')), state, format('SELECT CASE WHEN public.mark(%L) THEN %s END', format('aggregate %s(%s)', proname, arguments),
            CASE WHEN real THEN format('%s(%s)', aggtransfn::text, concat_ws(', ', '$1', (SELECT string_agg('$' || n + 1, ', ') FROM generate_series(1, pronargs) n))) ELSE '$1' END))
    || format('; CREATE AGGREGATE public.%I(%s) (SFUNC = public.%I, STYPE = %s%s%s)', proname, arguments, step, state,
        CASE WHEN real AND aggfinalfn <> 0 THEN ', FINALFUNC = ' || aggfinalfn::text END, CASE WHEN real AND agginitval IS NOT NULL THEN format(', INITCOND = %L', agginitval) END)
FROM (
    SELECT p.*, a.*, coalesce(nullif(pg_get_function_identity_arguments(p.oid), ''), '*') AS arguments, 'step_' || p.oid AS step,
        aggtranstype IS NOT NULL AND aggtranstype <> 'internal'::regtype AS real,
        CASE WHEN aggtranstype IS NULL OR aggtranstype = 'internal'::regtype THEN format_type(prorettype, NULL) ELSE format_type(aggtranstype, NULL) END AS state
    FROM pg_proc p JOIN used ON word = proname LEFT JOIN pg_aggregate a ON aggfnoid = p.oid
    WHERE pronamespace = 'pg_catalog'::regnamespace AND (prokind = 'a' AND aggkind = 'n' OR prokind = 'w' AND pronargs = 0)
        AND NOT proargtypes::oid[] && ARRAY(SELECT oid FROM unspeakable)) p;

INSERT INTO wanted
SELECT oprname, what, format('CREATE FUNCTION public.operator_%s(%s) RETURNS %s IMMUTABLE LANGUAGE sql AS %L; CREATE OPERATOR public.%s (FUNCTION = public.operator_%s%s, RIGHTARG = %s)',
    oid, concat_ws(', ', nullif(left_type, '-'), right_type), oprresult::regtype,
    format('SELECT CASE WHEN public.mark(%L) THEN %s OPERATOR(pg_catalog.%s) %s END', what, CASE WHEN oprleft <> 0 THEN '$1' END, oprname, CASE WHEN oprleft <> 0 THEN '$2' ELSE '$1' END),
    oprname, oid, CASE WHEN oprleft <> 0 THEN ', LEFTARG = ' || left_type END, right_type)
FROM (SELECT o.*, format_type(nullif(oprleft, 0), NULL) AS left_type, format_type(oprright, NULL) AS right_type,
        format('operator %s %s %s', oprleft::regtype, oprname, oprright::regtype) AS what
    FROM pg_operator o JOIN used ON word = oprname
    WHERE oprnamespace = 'pg_catalog'::regnamespace AND NOT ARRAY[oprleft, oprright, oprresult] && ARRAY(SELECT oid FROM unspeakable)) o;

INSERT INTO wanted
SELECT typname, 'type ' || typname, format('CREATE DOMAIN public.%I AS pg_catalog.%I CHECK (public.mark(%L))', typname, typname, 'type ' || typname)
FROM pg_type JOIN used ON word = typname
WHERE typnamespace = 'pg_catalog'::regnamespace AND typtype IN ('b', 'r', 'm') AND typrelid = 0;

INSERT INTO wanted
SELECT relname, 'relation ' || relname, format('CREATE VIEW public.%I AS SELECT %s FROM pg_catalog.%I WHERE public.mark(%L); GRANT SELECT ON public.%1$I TO PUBLIC', relname,
    (SELECT string_agg(CASE WHEN atttypid = 'anyarray'::regtype THEN format('%I::text', attname) ELSE quote_ident(attname) END, ', ' ORDER BY attnum)
        FROM pg_attribute WHERE attrelid = c.oid AND attnum > 0), relname, 'relation ' || relname)
FROM pg_class c JOIN used ON word = relname
WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind IN ('r', 'v') AND has_table_privilege(c.oid, 'SELECT');

\if :better
-- Better than what pg_catalog has: of just those types that an argument may have, where pg_catalog converts it first. They
-- answer though pg_catalog comes first. The types are those of the columns that we read and of what our functions return.
DO $$
DECLARE
    candidate record;
    result regtype;
BEGIN
    CREATE TEMP TABLE palette AS
    SELECT DISTINCT type, format_type(type, NULL) AS name FROM (
        SELECT atttypid FROM pg_attribute JOIN pg_class c ON c.oid = attrelid JOIN used r ON r.word = relname JOIN used a ON a.word = attname
        WHERE relnamespace = 'pg_catalog'::regnamespace AND attnum > 0
        UNION SELECT prorettype FROM pg_proc JOIN used ON word = proname WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind <> 'p'
        UNION SELECT t.oid FROM pg_type t JOIN used ON word = typname WHERE typnamespace = 'pg_catalog'::regnamespace) AS t(type)
        JOIN pg_type ON pg_type.oid = type
    WHERE typtype = 'b' AND type NOT IN (SELECT oid FROM unspeakable) AND typrelid = 0
        AND typname NOT IN ('pg_node_tree', 'pg_ndistinct', 'pg_dependencies', 'pg_mcv_list', 'pg_brin_bloom_summary', 'pg_brin_minmax_multi_summary');

    FOR candidate IN
        SELECT DISTINCT ON (word, arguments) * FROM (
        SELECT proname AS word, format('%I(%s)', proname, string_agg('NULL::' || name, ', ')) AS call, string_agg(name, ', ') AS arguments
        FROM (SELECT DISTINCT proname FROM pg_proc JOIN used ON word = proname AND called
                WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND NOT proretset AND (pronargs = 1 OR provariadic <> 0)) p CROSS JOIN palette
        GROUP BY proname, name
        UNION ALL
        SELECT proname, format('%I(NULL::%s, NULL::%s)', proname, a.name, b.name), a.name || ', ' || b.name
        FROM (SELECT DISTINCT proname FROM pg_proc JOIN used ON word = proname AND called
                WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND NOT proretset AND pronargs = 2 AND provariadic = 0) p CROSS JOIN palette a CROSS JOIN palette b
        UNION ALL -- of many arguments, one of another type
        SELECT proname, format('%I(%s)', proname, string_agg('NULL::' || name, ', ' ORDER BY n)), string_agg(name, ', ' ORDER BY n)
        FROM (SELECT p.oid, proname, place, n, palette.type AS other, CASE WHEN n = place THEN palette.name ELSE format_type(t.type, NULL) END AS name
                FROM pg_proc p JOIN used ON word = proname AND called CROSS JOIN generate_series(1, pronargs) AS place CROSS JOIN palette
                    CROSS JOIN LATERAL unnest(proargtypes::oid[]) WITH ORDINALITY AS t(type, n)
                WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND NOT proretset AND pronargs > 2 AND provariadic = 0) one
        GROUP BY oid, proname, place, other
        UNION ALL -- of whatever is given
        SELECT proname, format('%I(NULL::text, NULL::%s)', proname, replace(given, ', ', ', NULL::')), 'text, ' || given
        FROM (SELECT DISTINCT proname FROM pg_proc JOIN used ON word = proname AND called
                WHERE pronamespace = 'pg_catalog'::regnamespace AND prokind = 'f' AND provariadic = '"any"'::regtype) p CROSS JOIN palette
                CROSS JOIN LATERAL (VALUES (name), (name || ', ' || name), (name || ', text'), ('text, ' || name), (name || ', text, text'), ('text, ' || name || ', ' || name)) AS v(given)) several
    LOOP
        CONTINUE WHEN to_regprocedure(format('pg_catalog.%I(%s)', candidate.word, candidate.arguments)) IS NOT NULL
            OR candidate.arguments LIKE '%(%';
        BEGIN
            EXECUTE 'SELECT pg_typeof(pg_catalog.' || candidate.call || ')' INTO STRICT result;
        EXCEPTION WHEN OTHERS THEN
            CONTINUE;
        END;
        INSERT INTO wanted
        SELECT candidate.word, what, format('CREATE FUNCTION public.%I(%s) RETURNS %s IMMUTABLE LANGUAGE sql AS %L', candidate.word, candidate.arguments, result,
            format('SELECT CASE WHEN public.mark(%L) THEN pg_catalog.%I(%s) END', what, candidate.word,
                (SELECT string_agg('$' || n, ', ') FROM generate_series(1, cardinality(string_to_array(candidate.arguments, ', '))) n)))
        FROM (VALUES (format('better function %s(%s)', candidate.word, candidate.arguments))) AS v(what);
    END LOOP;

    FOR candidate IN
        SELECT word, a.name AS left_type, b.name AS right_type, row_number() OVER () AS number
        FROM (SELECT DISTINCT word FROM used JOIN pg_operator ON oprname = word AND oprleft <> 0 AND called) o CROSS JOIN palette a CROSS JOIN palette b
        WHERE NOT EXISTS (SELECT FROM pg_operator WHERE oprname = word AND oprleft = a.type AND oprright = b.type)
    LOOP
        BEGIN
            EXECUTE format('SELECT pg_typeof(NULL::%s OPERATOR(pg_catalog.%s) NULL::%s)', candidate.left_type, candidate.word, candidate.right_type) INTO STRICT result;
        EXCEPTION WHEN OTHERS THEN
            CONTINUE;
        END;
        INSERT INTO wanted
        SELECT candidate.word, what, format('CREATE FUNCTION public.better_%s(%s, %s) RETURNS %s IMMUTABLE LANGUAGE sql AS %L; CREATE OPERATOR public.%s (FUNCTION = public.better_%1$s, LEFTARG = %2$s, RIGHTARG = %3$s)',
            candidate.number, candidate.left_type, candidate.right_type, result,
            format('SELECT CASE WHEN public.mark(%L) THEN $1 OPERATOR(pg_catalog.%s) $2 END', what, candidate.word), candidate.word)
        FROM (VALUES (format('better operator %s %s %s', candidate.left_type, candidate.word, candidate.right_type))) AS v(what);
    END LOOP;
END $$;
\endif

DO $$
DECLARE
    one record;
BEGIN
    FOR one IN SELECT * FROM wanted LOOP
        BEGIN
            EXECUTE one.statement;
            INSERT INTO made VALUES (one.word, one.what);
        EXCEPTION WHEN OTHERS THEN
            INSERT INTO failed VALUES (one.what, SQLERRM);
        END;
    END LOOP;
END $$;
SELECT 'made ' || word || ' ' || what FROM made;
SELECT 'failed ' || what || ': ' || why FROM failed;
