/* Arrow as an output: its options from a job's words. */
#include "api/move.h"
#include "api/output.h"

#include <stdio.h>
#include <string.h>

static const output_codecs codecs = {.format = "Arrow",
                                     .why_one = "Arrow has one codec for all columns",
                                     .names = "none lz4 zstd",
                                     .find = arrow_codec,
                                     .none = true};

nrw_status output_arrow_words(output *o, const schema *s, const carried *c, nrw_error *err)
{
    const char *word = job_last(o->job, "compression");
    const char *level = job_last(o->job, "compression-level");
    uint64_t rows;
    key_value *all;

    (void)s;
    if (word)
        TRY(output_codec(&codecs, word, &o->arrow.codec, &o->arrow.level, err));
    if (level && o->arrow.codec)
        TRY(output_level(level, o->arrow.codec, &o->arrow.level, err));
    TRY(job_count(o->job, "batch-size", 1, INT32_MAX, ARROW_BATCH_ROWS, &rows, err));
    o->arrow.batch_rows = (uint32_t)rows;
    o->arrow.no_dictionary = !job_switch(o->job, "dictionary", true);
    TRY(job_key_values(o->job, c ? c->key_values : NULL, c ? c->n_key_values : 0, &all,
                       &o->arrow.n_key_values, err));
    o->arrow.key_values = all;
    return NRW_OK;
}

nrw_status output_arrow_room(const output *o, uint32_t workers, budget *out, nrw_error *err)
{
    return arrow_write_budget(o->schema, &o->arrow, workers, out, err);
}

budget output_arrow_held(const output *o)
{
    return arrow_write_held(o->schema);
}

/* A name that ends so is a stream, too. */
static bool names_stream(const char *name)
{
    size_t n = strlen(name), e = strlen(".arrows");

    return n > e && strcmp(name + n - e, ".arrows") == 0;
}

nrw_status output_arrow_begin(output *o, mem *grant, uint32_t workers, nrw_error *err)
{
    return arrow_writer_open(grant, o->job->spill, o->target, o->schema, &o->arrow,
                             names_stream(o->name), workers, &o->writer, err);
}
