/* Rows as text: CSV, JSON lines, and tables for terminals, spelled as DuckDB spells them. */
#ifndef TEXT_TEXT_H
#define TEXT_TEXT_H

#include "format/format.h"

typedef enum text_kind { TEXT_CSV, TEXT_JSON, TEXT_TABLE } text_kind;

/* All zero is the default. */
typedef struct text_options {
    char delim;          /* CSV; 0: comma */
    bool no_header;      /* CSV */
    const char *null;    /* CSV's text of a null; NULL: empty */
    uint64_t max_rows;   /* table: rows shown; 0: all */
    bool ascii;          /* table: no box-drawing characters */
} text_options;

nrw_status text_write_budget(const schema *s, text_kind kind, const text_options *opts,
                             uint32_t workers, budget *out, nrw_error *err);
/* t stays the caller's; schema and options outlive the writer. Batches may have more columns than
 * the schema: the first ones are written. */
nrw_status text_writer_open(mem *grant, target *t, const schema *s, text_kind kind,
                            const text_options *opts, uint32_t workers, writer **out,
                            nrw_error *err);

#endif
