/* The verbs and options there are: the one table behind argument checks, help and man pages. */
#include "api/job.h"

static const nrw_verb verbs[] = {
    {"copy", "copy SRC... DST",
     "Moves rows from files to one target: rewrites, merges, converts, takes columns.",
     "narrows copy in.parquet out.parquet --compression zstd:9\n"
     "narrows copy 'in/*.parquet' all.parquet --select id,price --memory 64MiB\n"
     "narrows copy in.parquet new.parquet --where \"day >= '2025-01-01'\"\n"
     "narrows copy in.parquet - -f json | jq .id",
     1},
    {"sample", "sample SRC... DST",
     "Takes the first rows, or the first ids with all of their rows, of every group.",
     "narrows sample in.parquet out.parquet --first 10 --of id --per group\n"
     "narrows sample in.parquet out.parquet --first 100 --per country,year\n"
     "narrows sample in.parquet - --first 3 --of id",
     1},
    {"gen", "gen DST", "Makes test data: a cross join of ranges, and columns of seeded values.",
     "narrows gen data.parquet --range group=1000 --range id=1000 --range row=1000\n"
     "narrows gen a.parquet --range id=1000:string --column 'price=decimal(12,2)' --shuffle\n"
     "narrows gen b.parquet --rows 100 --column note=string:8..40 --nulls note=0.1",
     1},
    {"compact", "compact DIR", "Merges a dataset's small files in place.",
     "narrows compact ds/\n"
     "narrows compact ds/ --file-size-bytes 512MiB --memory 128MiB\n"
     "narrows compact ds/ --compression zstd:9",
     1},
    {"sql", "sql 'QUERY'", "Answers a query in SQL over files: to the terminal, a pipe, or a file.",
     "narrows sql \"SELECT country, sum(price) FROM 'in/*.parquet' GROUP BY 1 ORDER BY 2 DESC\"\n"
     "narrows sql \"SELECT *, a + 1 AS b FROM 'in.parquet' WHERE a > 3\" -o out.parquet\n"
     "narrows sql --file query.sql --param day=2025-01-01 -f json",
     0},
    {"head", "head SRC...", "Prints the first rows.",
     "narrows head in.parquet\n"
     "narrows head in.parquet -n 3 --select id,price\n"
     "narrows head in.parquet -n 1 -f json | jq",
     0},
    {"tail", "tail SRC...", "Prints the last rows.",
     "narrows tail in.parquet\n"
     "narrows tail in.parquet -n 3 --select id,price\n"
     "narrows tail 'in/*.parquet' -n 1 -f csv",
     0},
    {"count", "count SRC...",
     "Prints the number of rows of all sources, taken from their footers; or of rows that pass.",
     "narrows count in.parquet\n"
     "n=$(narrows count 'in/*.parquet')\n"
     "narrows count in.parquet --where \"price > 100 and note like 'a%'\"\n"
     "find . -name '*.parquet' | narrows count --files-from -",
     0},
    {"schema", "schema SRC...",
     "Prints columns and types; of several sources those that all have, and who differs.",
     "narrows schema in.parquet\n"
     "narrows schema in.parquet -f sql\n"
     "narrows schema 'in/*.parquet' >/dev/null && echo all alike",
     0},
    {"stats", "stats SRC...", "Reads all rows and prints a summary of each column.",
     "narrows stats in.parquet\n"
     "narrows stats in.parquet --select price,note\n"
     "narrows stats in.parquet -f json | jq 'select(.nulls > 0)'",
     0},
    {"inspect", "inspect SRC...",
     "Prints what the metadata say: row groups, pages, encodings, sizes.",
     "narrows inspect in.parquet\n"
     "narrows inspect 'in/*.parquet'\n"
     "narrows inspect in.parquet --pages -f json | jq '.pages[] | select(.column == \"id\")'",
     0},
    {"verify", "verify SRC...",
     "Checks every page, count and statistic; the exit code is 1 if something is wrong.",
     "narrows verify in.parquet\n"
     "narrows verify 'in/*.parquet' && echo sound\n"
     "narrows verify in.parquet -f json | jq '.faults[].message'",
     0},
    {"recover", "recover DIR...",
     "Finishes or undoes what a killed run left of a dataset: says what it did.",
     "narrows recover out/\n"
     "narrows recover out/ && narrows count out/",
     0},
};

#define MOVE    " copy sample gen sql "
#define WRITE   " copy sample gen sql compact "
#define COPY    " copy sample "
#define PRINT   " head tail "
#define LOOK    " count stats inspect verify "
#define SOURCES " copy sample sql compact head tail count schema stats inspect verify "
#define DATA    " copy sample sql head tail count stats "
#define ANY     " copy sample gen sql compact head tail count schema stats inspect verify recover "

static const nrw_option options[] = {
    {"select", "LIST", "rows", "*", "columns and expressions, as \"*, a + 1 AS b\"", " copy head ",
     0},
    {"select", "LIST", "rows", "*", "columns to take, in this order", " sample tail stats ", 0},
    {"where", "COND", "rows", "all", "rows to keep, a condition of SQL; given again: and",
     " copy sample head tail count ", 0},
    {"order-by", "LIST", "rows", "input order", "expressions to sort by, as \"day DESC, id\"",
     " copy head ", 0},
    {"limit", "N", "rows", NULL, "at most so many rows", " copy ", 0},
    {"first", "N", "rows", NULL, "how many ids (or rows) of every group", " sample ", 0},
    {"of", "LIST", "rows", NULL, "columns that make the id; without it rows are counted",
     " sample ", 0},
    {"per", "LIST", "rows", NULL, "columns that make the group; without it all is one group",
     " sample ", 0},
    {"rows", "N", "rows", "10", "how many rows", PRINT, 'n'},
    {"rows", "N", "rows", NULL, "at most so many rows; without a range exactly so many", " gen ",
     'n'},
    {"range", "NAME=COUNT[:TYPE]", "rows", NULL,
     "a range; several are joined crosswise, the last one fastest", " gen ", 0},
    {"column", "NAME=TYPE[:MIN..MAX]", "rows", NULL,
     "a column of seeded values; MIN and MAX are lengths of text", " gen ", 0},
    {"nulls", "[COL=]P", "rows", "0", "share of nulls, as 0.05 or id=5%", " gen ", 0},
    {"shuffle", NULL, "rows", NULL, "rows in a seeded pseudo-random order", " gen ", 0},
    {"seed", "N", "rows", "0", "another seed gives other values and another order", " gen ", 0},

    {"file", "FILE", "rows", NULL, "the query is in this file; - is standard input", " sql ", 0},
    {"param", "NAME=VALUE", "rows", NULL, "a value for $NAME in the query", " sql ", 0},
    {"attach", "NAME=FILE", "read", NULL, "a file or glob that the query calls by this name",
     " sql ", 0},
    {"pipe", "COMMAND", "rows", NULL,
     "rows go through this program, as Arrow IPC streams on its input and output; given again: "
     "through the next one, too",
     MOVE, 0},
    {"output", "DST", "write", "-", "where the rows go", " sql ", 'o'},
    {"max-rows", "N", "write", "40", "a table on a terminal shows so many", " sql ", 0},

    {"read", "NAME=VALUE", "read", NULL,
     "int96=us: INT96 as microseconds, for dates outside the years 1677 to 2262; of folders "
     "hive_partitioning=false, hive_types={'dt': DATE}, filename=true; "
     "schema=FILE.avsc: Avro by another schema than its own",
     SOURCES, 0},
    {"on-schema-change", "WHAT", "read", "widen",
     "of files that differ: fail, add columns, widen types too", DATA, 0},
    {"process-by", "WHAT", "read", "auto",
     "auto, file: each file whole by one thread, or batch; the rows are the same", DATA, 0},
    {"files-from", "FILE", "read", NULL, "sources, a path a line; - is standard input",
     " copy sample head tail count schema stats inspect verify ", 0},
    {"on-bad-row", "WHAT", "read", "fail",
     "fail, or quarantine: leave the rows of damaged pages and blocks out and say so", COPY, 0},
    {"quarantine", "FILE", "read", "DST.rejected.jsonl",
     "where the places of rejected rows are written", COPY, 0},
    {"max-bad-rows", "N|P%", "read", NULL, "fail when more rows are rejected", COPY, 0},

    {"format", "NAME", "write", "by extension", "parquet arrow avro table csv json",
     " copy sample gen ", 'f'},
    {"format", "NAME", "look", "table on a terminal, else csv", "table csv json parquet arrow avro",
     " sql head tail ", 'f'},
    {"format", "NAME", "look", "text", "text json", LOOK, 'f'},
    {"format", "NAME", "look", "text", "text json sql avsc", " schema ", 'f'},
    {"on-exists", "WHAT", "write", "fail",
     "fail replace skip append; of a dataset also replace-partitions overwrite-or-ignore", MOVE, 0},
    {"partition-by", "LIST", "write", NULL,
     "folders key=value by these columns and expressions, as \"year(day) AS year\"", " copy sql ",
     0},
    {"write-partition-columns", NULL, "write", "off", "keys stay in the files, too", " copy sql ",
     0},
    {"file-size-bytes", "SIZE", "write", NULL,
     "a dataset's file ends where another row group would make it larger", WRITE, 0},
    {"row-groups-per-file", "N", "write", NULL, "so many row groups in a dataset's file", MOVE, 0},
    {"filename-pattern", "PATTERN", "write", "part-{i:05}",
     "names of a dataset's files: {i} is a number, {i:05} with zeros, {uuid} random", MOVE, 0},
    {"common-metadata", NULL, "write", "off", "_common_metadata: the schema of a dataset", MOVE, 0},
    {"full-metadata", NULL, "write", "off", "_metadata: all row groups of a dataset", MOVE, 0},
    {"compression", "[COL=]NAME[:LEVEL]", "write", "zstd:3, Avro deflate",
     "zstd snappy gzip lz4 brotli none; of Avro zstd snappy deflate bzip2 xz null", WRITE, 0},
    {"compression-level", "LEVEL", "write", NULL, "level of --compression", WRITE, 0},
    {"row-group-size", "ROWS", "write", "1048576", "at most so many rows in a row group", WRITE, 0},
    {"row-group-size-bytes", "SIZE", "write", "128MiB",
     "at most so many bytes in a row group, after encoding and before compression", WRITE, 0},
    {"block-size", "SIZE", "write", "128KiB", "bytes of a block of Avro, before compression", MOVE,
     0},
    {"batch-size", "ROWS", "write", "65536", "at most so many rows in a record batch of Arrow",
     MOVE, 0},
    {"encoding", "COL=NAME", "write", NULL,
     "plain dictionary delta_binary_packed delta_length_byte_array delta_byte_array "
     "byte_stream_split rle",
     WRITE, 0},
    {"data-page-size-limit", "SIZE", "write", "128KiB", "at most so many bytes of values in a page",
     WRITE, 0},
    {"dictionary-size-limit", "SIZE", "write", "1MiB", "a larger dictionary is given up", WRITE, 0},
    {"parquet-version", "1|2", "write", "1", "2: v2 data pages and delta encodings", WRITE, 0},
    {"data-page-version", "1|2", "write", "as --parquet-version",
     "2: levels lie uncompressed before the values", WRITE, 0},
    {"kv-metadata", "K=V", "write", NULL, "a key and value for the footer", WRITE, 0},
    {"statistics", NULL, "write", "on", "least, greatest and null counts", WRITE, 0},
    {"statistics-truncate-length", "BYTES", "write", "64",
     "least and greatest texts are cut to so many bytes", WRITE, 0},
    {"page-index", NULL, "write", "on", "column and offset index", WRITE, 0},
    {"bloom-filter", "LIST", "write", NULL,
     "columns that get a bloom filter, for looking up single values", WRITE, 0},
    {"bloom-filter-false-positive-ratio", "P", "write", "0.01",
     "how often a filter may say maybe of a value that is not there", WRITE, 0},
    {"page-checksum", NULL, "write", "on", "CRC-32 of every page", WRITE, 0},
    {"dictionary", NULL, "write", "on", "dictionary encoding", WRITE, 0},
    {"keep-pages", NULL, "write", "on, where they fit",
     "pages that need no change are copied undecoded; given: or it is an error", " copy compact ",
     0},

    {"columns", NULL, "look", NULL, "a line each column", " inspect ", 0},
    {"row-groups", NULL, "look", NULL, "a line each row group, record batch", " inspect ", 0},
    {"pages", NULL, "look", NULL, "a line each page", " inspect ", 0},
    {"metadata", NULL, "look", NULL, "keys and values, the schema as the file has it", " inspect ",
     0},

    {"memory", "SIZE", "run", "70%", "ceiling of the whole process", ANY, 0},
    {"threads", "N", "run", "CPUs", "how many threads work", ANY, 0},
    {"spill-dir", "DIR", "run", "$TMPDIR, else /var/tmp", "where memory's overflow goes", ANY, 0},
    {"resume", NULL, "run", NULL, "go on with this run, which was killed: its finished files stay",
     MOVE, 0},
    {"spill-limit", "SIZE", "run", "50% of free", "how much of it there may be", ANY, 0},
};

const nrw_verb *nrw_verb_at(size_t i)
{
    return i < sizeof verbs / sizeof *verbs ? &verbs[i] : NULL;
}

const nrw_option *nrw_option_at(size_t i)
{
    return i < sizeof options / sizeof *options ? &options[i] : NULL;
}
