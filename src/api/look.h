/* Verbs that look: one file each, printing through one door to standard output. */
#ifndef API_LOOK_H
#define API_LOOK_H

#include "api/move.h"
#include "io/target.h"

typedef struct look {
    nrw_job *job;
    target *out; /* standard output */
    bytes line;  /* being put together */
    bool json;   /* -f json */
    path_list files;
} look;

nrw_status look_printf(look *l, nrw_error *err, const char *fmt, ...) PRINTF_LIKE(3, 4);
nrw_status look_write(look *l, const void *text, size_t len, nrw_error *err) NRW_CHECKED;
/* A string of JSON, with its quotes. Text that is no UTF-8 has its wrong bytes replaced. */
nrw_status look_json_string(look *l, const char *text, size_t len, nrw_error *err) NRW_CHECKED;
/* What was put into l->line goes out; the line is empty afterwards. */
nrw_status look_flush_line(look *l, nrw_error *err) NRW_CHECKED;

/* An open Parquet file, to look at its metadata. */
typedef struct look_file {
    io_file *file;
    pq_meta *meta;
} look_file;

/* Takes the file, also on failure. */
nrw_status look_meta(look *l, const char *path, io_file *file, look_file *out,
                     nrw_error *err) NRW_CHECKED;
void look_close(look_file *f); /* all zero is fine */

/* inspect of a file whose reader tells facts; `columns`: a line each, where they are told. */
nrw_status look_facts(look *l, const char *path, reader *r, bool columns,
                      nrw_error *err) NRW_CHECKED;
struct look_table;
/* As a line among others: format, rows, parts, columns, bytes, codec. */
nrw_status look_facts_row(struct look_table *t, const char *path, reader *r,
                          nrw_error *err) NRW_CHECKED;

/* Takes its sources as they were typed. */
nrw_status look_recover(look *l, nrw_error *err) NRW_CHECKED;
/* The verbs; l->files are there. */
nrw_status look_schema(look *l, nrw_error *err) NRW_CHECKED;
nrw_status look_inspect(look *l, nrw_error *err) NRW_CHECKED;
nrw_status look_verify(look *l, nrw_error *err) NRW_CHECKED;
nrw_status look_stats(look *l, nrw_error *err) NRW_CHECKED;
nrw_status look_stats_plan(look *l, nrw_error *err) NRW_CHECKED;

#endif
