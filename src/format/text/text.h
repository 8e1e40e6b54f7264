/* Rows as text: CSV and JSON as DuckDB's COPY writes them, and tables for people.
 *
 * CSV quotes a value only where it must be: where it holds the delimiter, a quote, a line end or
 * '#', or reads like the null string (the empty text is "", null is nothing). Columns whose name
 * came before, without regard to case, are called name_1, name_2 ...
 * JSON is one object a line: nulls are present, dates and the like are strings, decimals numbers,
 * bytes strings in \xAA escapes, JSON columns are embedded; NaN and Infinity stand as they are.
 * A table is laid out once its first rows are known; wider values further down move the border. */
#ifndef FORMAT_TEXT_TEXT_H
#define FORMAT_TEXT_TEXT_H

#include "format/format.h"

typedef enum text_kind { TEXT_CSV, TEXT_JSON, TEXT_TABLE } text_kind;

/* All zero is the default. */
typedef struct text_options {
    char delim;        /* csv; 0: comma. Not a quote, a line end or '#' */
    bool no_header;    /* csv */
    const char *null;  /* csv; NULL: the empty text */
    uint32_t max_rows; /* table: the first and the last of them, dots between; 0: all */
    bool ascii;        /* table: + - | instead of box characters */
} text_options;

/* For the writer's own account. The columns of a batch under way are charged to the batch's
 * account: text_write_held is what they take there for each worker. */
nrw_status text_write_budget(const schema *s, text_kind kind, const text_options *opts,
                             uint32_t workers, budget *out, nrw_error *err);
budget text_write_held(const schema *s);

/* The columns of s are the first columns of each batch. Texts of `opts` are copied; s must
 * outlive the writer. */
nrw_status text_writer_open(mem *grant, target *t, const schema *s, text_kind kind,
                            const text_options *opts, uint32_t workers, writer **out,
                            nrw_error *err);

#endif
