-- What a new database must be made with (:locale) to sort, compare and store text as the one of the name :live does.
-- The columns differ from 14 to 18.
SELECT concat_ws(' ', format('ENCODING %L LC_COLLATE %L LC_CTYPE %L', pg_encoding_to_char(d.encoding), d.datcollate, d.datctype),
    CASE props ->> 'datlocprovider'
        WHEN 'c' THEN 'LOCALE_PROVIDER libc'
        WHEN 'b' THEN format('LOCALE_PROVIDER builtin BUILTIN_LOCALE %L', props ->> 'datlocale')
        WHEN 'i' THEN format('LOCALE_PROVIDER icu ICU_LOCALE %L', coalesce(props ->> 'datlocale', props ->> 'daticulocale'))
    END,
    'ICU_RULES ' || quote_literal(props ->> 'daticurules')) AS locale
FROM pg_database d, to_jsonb(d) AS props
WHERE d.datname = :'live' \gset
