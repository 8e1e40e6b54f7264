/* Avro as an output: its options from a job's words. */
#include "api/move.h"
#include "api/output.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

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

/* ---- a file that rows are added to ---- */

/* Whether there is one; a device or a pipe is written as if it were new. */
static bool is_file(const char *path)
{
    struct stat is;

    return stat(path, &is) == 0 && S_ISREG(is.st_mode);
}

static nrw_status look(output *o, const schema *s, nrw_error *err)
{
    io_file *f;
    nrw_status st;

    TRY(file_open(o->job->words_mem, o->name, NULL, &f, err));
    st = avro_append_look(o->job->a, f, s, &o->append, err);
    file_close(f);
    TRY(st);
    o->avro.append = &o->append;
    o->schema = o->append.schema;
    return NRW_OK;
}

/* The header stays as it is: what is asked for must be there. */
static nrw_status check_header(const output *o, const char *word, nrw_error *err)
{
    const avro_append *a = &o->append;

    if (word && o->avro.codec != a->codec)
        return err_set(err, NRW_E_ARG, "--compression: the file has %s", a->codec->name);
    for (uint32_t i = 0; i < o->avro.n_key_values; i++) {
        const key_value *k = &o->avro.key_values[i];
        uint32_t at = 0;
        while (at < a->n_key_values && strcmp(a->key_values[at].key, k->key) != 0)
            at++;
        if (at == a->n_key_values || a->key_values[at].value_len != k->value_len ||
            memcmp(a->key_values[at].value, k->value, k->value_len) != 0)
            return err_set(err, NRW_E_ARG, "--kv-metadata: the file has not %.100s=%.100s", k->key,
                           k->value);
    }
    return NRW_OK;
}

static nrw_status choose_codec(output *o, nrw_error *err)
{
    const char *word = job_last(o->job, "compression");
    const char *level = job_last(o->job, "compression-level");

    TRY(output_codec(&codecs, word ? word : "deflate", &o->avro.codec, &o->avro.level,
                     err)); /* all readers have deflate */
    if (o->avro.append) {
        nrw_status st = check_header(o, word, err);
        if (st < 0) {
            err_at_object(err, o->name);
            err_next(err, "what is there stays as it is; --on-exists replace writes a new file");
            return st;
        }
    }
    if (o->avro.append && !word) {
        o->avro.codec = o->append.codec;
        o->avro.level = o->avro.codec->default_level;
    }
    if (level && o->avro.codec != codec_named("none"))
        TRY(output_level(level, o->avro.codec, &o->avro.level, err));
    return NRW_OK;
}

nrw_status output_avro_words(output *o, const schema *s, const carried *c, nrw_error *err)
{
    const bool append = o->on_exists == EXISTS_APPEND && is_file(o->name);
    uint64_t block;

    if (append)
        TRY(look(o, s, err));
    TRY(metadata(o->job, append ? NULL : c, &o->avro, err));
    TRY(choose_codec(o, err));
    TRY(job_size(o->job, "block-size", 0, AVRO_BLOCK_BYTES, &block, err));
    if (block < 1024 || block > (64 << 20))
        return err_set(err, NRW_E_ARG, "--block-size is from 1KiB to 64MiB");
    o->avro.block_bytes = (size_t)block;
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
