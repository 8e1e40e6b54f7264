/* The formats that can be written, a row each. */
#include "api/move.h"
#include "api/output.h"

#include <string.h>

/* ---- Parquet ---- */

static nrw_status parquet_words(output *o, const schema *s, const carried *c, nrw_error *err)
{
    return job_write_options(o->job, s, c ? c->key_values : NULL, c ? c->n_key_values : 0,
                             &o->write, err);
}

static nrw_status parquet_needs(const output *o, uint32_t workers, budget *out, nrw_error *err)
{
    return parquet_write_budget(o->schema, &o->write, workers, out, err);
}

static nrw_status parquet_begin(output *o, mem *grant, uint32_t workers, nrw_error *err)
{
    return parquet_writer_open(grant, o->job->spill, o->target, o->schema, &o->write, workers,
                               &o->writer, err);
}

/* ---- text ---- */

static nrw_status text_words(output *o, const schema *s, const carried *c, nrw_error *err)
{
    uint64_t most;

    (void)s;
    (void)c;
    TRY(job_count(o->job, "max-rows", 1, UINT32_MAX, 40, &most, err));
    const nrw_job *asked = o->job->feeder ? o->job->feeder : o->job;
    if (o->format->text == TEXT_TABLE && strcmp(asked->verb->name, "sql") == 0)
        o->text.max_rows = (uint32_t)most;
    return NRW_OK;
}

static nrw_status text_needs(const output *o, uint32_t workers, budget *out, nrw_error *err)
{
    return text_write_budget(o->schema, o->format->text, &o->text, workers, out, err);
}

static budget text_held(const output *o)
{
    return text_write_held(o->schema);
}

static nrw_status text_begin(output *o, mem *grant, uint32_t workers, nrw_error *err)
{
    return text_writer_open(grant, o->target, o->schema, o->format->text, &o->text, workers,
                            &o->writer, err);
}

/* ---- the table ---- */

#define TEXT(kind) false, false, false, "", kind, text_words, text_needs, text_held, text_begin

static const output_format formats[] = {
    {"parquet",
     "Parquet",
     {".parquet", ".pq"},
     true,
     true,
     false,
     NULL,
     0,
     parquet_words,
     parquet_needs,
     NULL,
     parquet_begin},
    {"arrow",
     "Arrow",
     {".arrow", ".arrows", ".feather", ".ipc"},
     true,
     false,
     false,
     " compression compression-level batch-size kv-metadata dictionary ",
     0,
     output_arrow_words,
     output_arrow_room,
     output_arrow_held,
     output_arrow_begin},
    {"avro",
     "Avro",
     {".avro"},
     true,
     false,
     true,
     " compression compression-level block-size kv-metadata ",
     0,
     output_avro_words,
     output_avro_room,
     output_avro_held,
     output_avro_begin},
    {"csv", "CSV", {".csv"}, TEXT(TEXT_CSV)},
    {"json", "JSON", {".json", ".jsonl", ".ndjson"}, TEXT(TEXT_JSON)},
    {"table", "A table", {".txt"}, TEXT(TEXT_TABLE)},
};

#define FORMATS (sizeof formats / sizeof *formats)

static bool ends_in(const char *s, const char *end)
{
    size_t n = strlen(s), e = strlen(end);

    return n > e && strcmp(s + n - e, end) == 0;
}

const output_format *output_format_of(const char *path)
{
    for (size_t i = 0; i < FORMATS; i++)
        for (size_t k = 0; k < 4 && formats[i].extensions[k]; k++)
            if (ends_in(path, formats[i].extensions[k]))
                return &formats[i];
    return NULL;
}

const output_format *output_format_named(const char *name)
{
    if (strcmp(name, "jsonl") == 0 || strcmp(name, "ndjson") == 0)
        name = "json";
    for (size_t i = 0; i < FORMATS; i++)
        if (strcmp(formats[i].name, name) == 0)
            return &formats[i];
    return NULL;
}

const output_format *output_format_plain(bool terminal)
{
    return output_format_named(terminal ? "table" : "csv");
}
