/* What stands before the blocks. */
#include "format/avro/write_own.h"
#include "format/avro/write_schema.h"
#include "format/avro/write_value.h"

#include "base/hash.h"

static nrw_status put_bytes(bytes *out, const void *p, size_t n, nrw_error *err)
{
    TRY(av_put_long(out, (int64_t)n, err));
    return bytes_append(out, p, n, err);
}

static nrw_status put_pair(bytes *out, const char *key, const void *value, size_t n, nrw_error *err)
{
    TRY(put_bytes(out, key, strlen(key), err));
    return put_bytes(out, value, n, err);
}

/* Everything in front of the marker. */
static nrw_status put_header(av_writer *w, bytes *out, span schema_text, nrw_error *err)
{
    const avro_write_options *o = w->opts;
    const char *codec = av_codec_name(o->codec);

    TRY(bytes_append(out, "Obj\1", 4, err));
    TRY(av_put_long(out, 2 + (int64_t)o->n_key_values, err));
    TRY(put_pair(out, "avro.schema", schema_text.data, schema_text.len, err));
    TRY(put_pair(out, "avro.codec", codec, strlen(codec), err));
    for (uint32_t i = 0; i < o->n_key_values; i++)
        TRY(put_pair(out, o->key_values[i].key, o->key_values[i].value, o->key_values[i].value_len,
                     err));
    return av_put_long(out, 0, err);
}

/* The marker follows from schema, metadata and options: the same rows give the same file. */
static void make_marker(av_writer *w, const bytes *header)
{
    uint64_t hash = hash_bytes(header->data, header->len);

    for (int i = 0; i < 2; i++) {
        hash = hash_combine(hash, (uint64_t)w->opts->level << 32 | w->opts->block_bytes);
        memcpy(w->sync + 8 * i, &hash, 8);
    }
}

static nrw_status write_header(av_writer *w, nrw_error *err)
{
    bytes text = bytes_init(w->m, INT32_MAX), header = text;
    nrw_status st;

    TRY_OUT(av_schema_write(w->m, w->schema, &text, err));
    TRY_OUT(put_header(w, &header, (span){text.data, text.len}, err));
    make_marker(w, &header);
    TRY_OUT(target_write(w->target, (span){header.data, header.len}, err));
    st = target_write(w->target, (span){w->sync, AV_SYNC}, err);
out:
    bytes_release(&text);
    bytes_release(&header);
    return st;
}

/* What the target begins with was looked at before: it must still be that file. */
static nrw_status check_prior(av_writer *w, nrw_error *err)
{
    const avro_append *a = w->opts->append;
    const uint64_t size = target_began(w->target);
    uint8_t first[AV_SYNC] = {0}, last[AV_SYNC];

    if (a && size >= a->header) {
        TRY(target_read(w->target, a->header - AV_SYNC, first, AV_SYNC, err));
        TRY(target_read(w->target, size - AV_SYNC, last, AV_SYNC, err));
        memcpy(w->sync, a->sync, AV_SYNC);
        if (memcmp(first, a->sync, AV_SYNC) == 0 && memcmp(last, a->sync, AV_SYNC) == 0)
            return NRW_OK;
    }
    err_next(err, "run it again");
    return err_set(err, NRW_E_CHANGED, "was changed by another program, nothing was written");
}

nrw_status av_write_begin(av_writer *w, nrw_error *err)
{
    return w->opts->append || target_began(w->target) ? check_prior(w, err) : write_header(w, err);
}
