-- Of a list of more than two words IN makes a temporary tree whenever the CHECK runs, which was half
-- of what storing a report took. The same words as comparisons. A CHECK is changed as in version 6.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(sql,
    'kind IN (''sweep'', ''trial'', ''epoch'')',
    'kind = ''sweep'' OR kind = ''trial'' OR kind = ''epoch''')
  WHERE type = 'table' AND name = 'events';
UPDATE sqlite_schema SET sql = replace(sql,
    'state IN (''active'', ''paused'', ''completed'', ''cancelled'')',
    'state = ''active'' OR state = ''paused'' OR state = ''completed'' OR state = ''cancelled''')
  WHERE type = 'table' AND name = 'sweeps';
UPDATE sqlite_schema SET sql = replace(sql,
    'state IN' || char(10) || '    (''pending'', ''leased'', ''running'', ''completed'', ''stopped'', ''failed'', ''cancelled'', ''on_hold'')',
    'state = ''pending'' OR state = ''leased'' OR state = ''running'' OR state = ''completed'' OR' || char(10) ||
    '    state = ''stopped'' OR state = ''failed'' OR state = ''cancelled'' OR state = ''on_hold''')
  WHERE type = 'table' AND name = 'trials';
UPDATE sqlite_schema SET sql = replace(sql,
    'outcome IN' || char(10) || '    ('''', ''completed'', ''failed'', ''lost'', ''given_back'', ''cancelled'', ''stopped'', ''held'')',
    'outcome = '''' OR outcome = ''completed'' OR outcome = ''failed'' OR outcome = ''lost'' OR' || char(10) ||
    '    outcome = ''given_back'' OR outcome = ''cancelled'' OR outcome = ''stopped'' OR outcome = ''held''')
  WHERE type = 'table' AND name = 'attempts';
PRAGMA writable_schema = RESET;
