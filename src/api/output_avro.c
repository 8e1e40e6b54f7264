/* Avro as an output: its options from a job's words. */
#include "api/move.h"
#include "api/output.h"

#include <stdio.h>
#include <string.h>

static const output_codecs codecs = {.format = "Avro",
                                     .why_one = "a block of Avro holds all columns",
                                     .names = "zstd snappy deflate bzip2 xz null",
                                     .find = avro_codec};

/* Keys that begin so are the format's own. */
static bool is_own(const char *key)
{
    return strncmp(key, "avro.", 5) == 0;
}

static nrw_status metadata(nrw_job *job, const carried *c, avro_write_options *a, nrw_error *err)
{
    key_value *all;
    uint32_t n, kept = 0;

    for (size_t i = 0; job_each(job, "kv-metadata", i); i++)
        if (is_own(job_each(job, "kv-metadata", i)->value))
            return err_set(err, NRW_E_ARG, "--kv-metadata: keys that begin with avro. are Avro's");
    TRY(job_key_values(job, c ? c->key_values : NULL, c ? c->n_key_values : 0, &all, &n, err));
    for (uint32_t i = 0; i < n; i++)
        if (!is_own(all[i].key))
            all[kept++] = all[i];
    a->key_values = all;
    a->n_key_values = kept;
    return NRW_OK;
}

static nrw_status check_schema(mem *m, const schema *s, nrw_error *err)
{
    bytes text = bytes_init(m, INT32_MAX);
    nrw_status st = avro_schema_text(m, s, &text, err);

    bytes_release(&text);
    return st;
}

nrw_status output_avro_words(output *o, const schema *s, const carried *c, nrw_error *err)
{
    const char *word = job_last(o->job, "compression");
    const char *level = job_last(o->job, "compression-level");
    uint64_t block;

    TRY(output_codec(&codecs, word ? word : "deflate", &o->avro.codec, &o->avro.level,
                     err)); /* all readers have deflate */
    if (level && o->avro.codec != codec_named("none"))
        TRY(output_level(level, o->avro.codec, &o->avro.level, err));
    TRY(job_size(o->job, "block-size", 0, AVRO_BLOCK_BYTES, &block, err));
    if (block < 1024 || block > (64 << 20))
        return err_set(err, NRW_E_ARG, "--block-size is from 1KiB to 64MiB");
    o->avro.block_bytes = (size_t)block;
    TRY(metadata(o->job, c, &o->avro, err));
    return check_schema(o->job->words_mem, s, err);
}

nrw_status output_avro_room(const output *o, uint32_t workers, budget *out, nrw_error *err)
{
    return avro_write_budget(o->schema, &o->avro, workers, out, err);
}

budget output_avro_held(const output *o)
{
    return avro_write_held(o->schema);
}

nrw_status output_avro_begin(output *o, mem *grant, uint32_t workers, nrw_error *err)
{
    return avro_writer_open(grant, o->target, o->schema, &o->avro, workers, &o->writer, err);
}
