/**
 * What our SQL is made of, and what else could run it. A word in capitals that is not here fails the check, so that a construct is looked
 * up for the engines before it is used. Sources are in `sources`; what is said of an engine without one follows from its being MySQL.
 */
export interface Construct {
  readonly what: string;
  /** Any of these in a statement is its use. */
  readonly words: readonly string[];
  readonly vitess: string;
  readonly tidb: string;
}

/** MySQL 5.6 had them all, and every engine here has. */
export const plainWords: ReadonlySet<string> = new Set(
  `SELECT FROM WHERE AND OR NOT IN IS NULL AS ON BY ORDER GROUP HAVING LIMIT DISTINCT DESC LIKE EXISTS JOIN LEFT
   INSERT INTO VALUES UPDATE SET DELETE UNION ALL CASE WHEN THEN ELSE END INTERVAL MICROSECOND SECOND HOUR DAY WEEK
   START TRANSACTION COMMIT ROLLBACK SUM COUNT MIN MAX COALESCE IF NULLIF LEAST GREATEST LENGTH FIELD POW CAST SIGNED FALSE
   CONCAT_WS SUBSTRING SUBSTRING_INDEX DATE_FORMAT NOW UTC_DATE TIMESTAMPDIFF DATABASE DEFAULT SESSION`
    .trim()
    .split(/\s+/),
);

const asMysql = 'as MySQL';

export const constructs: readonly Construct[] = [
  {
    what: '`INSERT … ON DUPLICATE KEY UPDATE`, with `VALUES()`',
    words: ['DUPLICATE', 'KEY'],
    vitess: asMysql,
    tidb: asMysql,
  },
  { what: '`INSERT IGNORE`', words: ['IGNORE'], vitess: asMysql, tidb: asMysql },
  { what: '`SELECT … FOR UPDATE`', words: ['FOR'], vitess: asMysql, tidb: 'yes, in a transaction [2]' },
  {
    what: '`LOCK IN SHARE MODE`',
    words: ['LOCK', 'SHARE', 'MODE'],
    vitess: asMysql,
    tidb: '**refused** by default; `tidb_enable_shared_lock_promotion = ON` (8.3) makes it `FOR UPDATE`, which is right here [2]. Never `tidb_enable_noop_functions`: it would lock nothing',
  },
  {
    what: '`FORCE INDEX`, `STRAIGHT_JOIN`',
    words: ['FORCE', 'INDEX', 'PRIMARY', 'STRAIGHT_JOIN'],
    vitess: asMysql,
    tidb: 'parsed; its plans were not looked at',
  },
  { what: '`FROM DUAL`', words: ['DUAL'], vitess: asMysql, tidb: asMysql },
  {
    what: '`JSON_MERGE_PATCH`, `JSON_LENGTH`, on text',
    words: ['JSON_MERGE_PATCH', 'JSON_LENGTH'],
    vitess: asMysql,
    tidb: 'parsed; not tried',
  },
  {
    what: '`PARTITION BY RANGE`, `REORGANIZE`, `DROP PARTITION`, information_schema.PARTITIONS',
    words: [
      ...['ALTER', 'TABLE', 'PARTITION', 'REORGANIZE', 'LESS', 'THAN', 'MAXVALUE', 'DROP'],
      ...['PARTITION_NAME', 'TABLE_NAME', 'TABLE_SCHEMA'],
    ],
    vitess: 'sent to MySQL as it is [1]',
    tidb: 'REORGANIZE since 7.0 [3]; an ALTER doesn’t wait for transactions, it makes their commits fail [2], and they are tried again only after 1213 and 1205',
  },
  {
    what: '`SET SESSION`: READ COMMITTED, time zone, `sql_mode`, lock time-outs',
    words: ['ISOLATION', 'LEVEL', 'READ', 'COMMITTED'],
    vitess: 'on one shard; across shards always READ COMMITTED [1]',
    tidb: 'READ COMMITTED in pessimistic transactions [2]',
  },
  {
    what: '`SHOW GLOBAL VARIABLES`: is a commit flushed?',
    words: ['SHOW', 'GLOBAL', 'VARIABLES'],
    vitess: 'not tried',
    tidb: 'says nothing of TiKV',
  },
  {
    what: '`EXPLAIN SELECT`: an estimate of rows',
    words: ['EXPLAIN'],
    vitess: 'not tried',
    tidb: '**another form** of output [4]: estimates would be missing',
  },
];

/** Looks like words, and is data: what a statement compares with, or names of modes. */
export function wordsOf(text: string): readonly string[] {
  const bare = text.replace(/'[^']*'|"[^"]*"|\/\*.*?\*\//g, ' ');
  return bare.match(/(?<![\w.`])[A-Z][A-Z_]+\b/g) ?? [];
}

export function constructsOf(text: string): readonly Construct[] {
  const words = new Set(wordsOf(text));
  return constructs.filter((construct) => construct.words.some((word) => words.has(word)));
}

/** Words that are in no list; user variables; and what TiDB's grammar refuses where MySQL's does not: `until` as a bare name, INTERVAL (…). */
export function unknownIn(text: string, known: ReadonlySet<string> = knownWords): readonly string[] {
  const refused = text.match(/(?<!\w)@+\w+|(?<![\w.`])until\b|\bINTERVAL \(/g) ?? [];
  return [...wordsOf(text).filter((word) => !known.has(word)), ...refused];
}

const knownWords = new Set([...plainWords, ...constructs.flatMap(({ words }) => words)]);

/** What migrations are made of besides. No foreign keys, triggers, procedures, generated columns or full-text indexes. */
export const schemaWords: ReadonlySet<string> = new Set([
  ...knownWords,
  ...`CREATE ADD COLUMN UNIQUE AUTO_INCREMENT CHARSET CHARACTER COLLATE ENGINE RANGE
      BIGINT INT MEDIUMINT SMALLINT TINYINT UNSIGNED DATE DATETIME VARCHAR BINARY VARBINARY TEXT MEDIUMTEXT BLOB MEDIUMBLOB`
    .trim()
    .split(/\s+/),
]);
