/* How a stream or a file begins and ends. The blocks that a footer names are kept in the spill
 * file, some at a time, so memory does not follow the number of record batches. */
#include "format/arrow/write.h"

#include "column/arrow_own.h"
#include "column/arrow_schema.h"

enum {
    BLOCKS = 1024,
    BLOCK = 24,
    FOOTER_VERSION = 0,
    FOOTER_SCHEMA,
    FOOTER_DICTIONARIES,
    FOOTER_BATCHES
};

static const char magic[8] = "ARROW1";

static nrw_status note_pairs(ipc_writer *w, note_pair **out, nrw_error *err)
{
    TRY(arena_alloc(w->a, w->o.n_key_values * sizeof **out + 1, (void **)out, err));
    for (uint32_t i = 0; i < w->o.n_key_values; i++) {
        const key_value *kv = &w->o.key_values[i];
        (*out)[i] = (note_pair){kv->key, kv->value ? kv->value : "", kv->value ? kv->value_len : 0};
    }
    return NRW_OK;
}

static nrw_status put(ipc_writer *w, const void *p, size_t n, nrw_error *err)
{
    return target_write(w->target, (span){p, n}, err);
}

nrw_status ipc_write_head(ipc_writer *w, nrw_error *err)
{
    bytes out = bytes_init(w->m, INT32_MAX);
    note_pair *pairs;
    nrw_status st;

    TRY(note_pairs(w, &pairs, err));
    st = w->stream || w->taker ? NRW_OK : put(w, magic, sizeof magic, err);
    if (st >= 0)
        st = arrow_schema_write(&w->written, pairs, w->o.n_key_values, ARROW_ALONE, &out, err);
    if (st >= 0)
        st = w->taker ? ipc_arrays_head(w, (span){out.data, out.len}, err)
                      : put(w, out.data, out.len, err);
    bytes_release(&out);
    return st;
}

/* ---- blocks ---- */

static nrw_status spill_blocks(ipc_writer *w, nrw_error *err)
{
    span all = {(const uint8_t *)w->blocks, w->n_blocks * sizeof *w->blocks};
    spill_block b;

    TRY(spill_write(w->spill, all, true, &b, err));
    TRY(bytes_append(&w->spilled, &b, sizeof b, err));
    w->n_blocks = 0;
    return NRW_OK;
}

nrw_status ipc_block_add(ipc_writer *w, ipc_block b, nrw_error *err)
{
    void *p;

    w->batches++;
    if (w->stream)
        return NRW_OK;
    if (!w->blocks) {
        TRY(mem_alloc(w->m, BLOCKS * sizeof *w->blocks, &p, err));
        w->blocks = p;
        w->spilled = bytes_init(w->m, (size_t)1 << 40);
    }
    if (w->n_blocks == BLOCKS)
        TRY(spill_blocks(w, err));
    w->blocks[w->n_blocks++] = b;
    return NRW_OK;
}

void ipc_blocks_release(ipc_writer *w)
{
    const spill_block *b = (const spill_block *)(const void *)w->spilled.data;

    for (size_t i = 0; i < w->spilled.len / sizeof *b; i++)
        spill_free(w->spill, &b[i]);
    if (w->spilled.m)
        bytes_release(&w->spilled);
    mem_free(w->m, w->blocks, w->blocks ? BLOCKS * sizeof *w->blocks : 0);
    w->blocks = NULL;
}

static nrw_status put_blocks(ipc_writer *w, const ipc_block *at, uint32_t n, nrw_error *err)
{
    for (uint32_t i = 0; i < n; i++) {
        uint8_t b[BLOCK] = {0};
        store_u64(b, at[i].at);
        store_u32(b + 8, (uint32_t)at[i].meta_len);
        store_u64(b + 16, at[i].body_len);
        TRY(put(w, b, sizeof b, err));
    }
    return NRW_OK;
}

static nrw_status put_spilled(ipc_writer *w, nrw_error *err)
{
    const spill_block *b = (const spill_block *)(const void *)w->spilled.data;
    const size_t n = w->spilled.len / sizeof *b;
    nrw_status st = NRW_OK;
    void *p;

    if (n == 0)
        return NRW_OK;
    TRY(mem_alloc(w->m, BLOCKS * sizeof(ipc_block), &p, err));
    for (size_t i = 0; st >= 0 && i < n; i++) {
        st = spill_read(w->spill, &b[i], p, err);
        if (st >= 0)
            st = put_blocks(w, p, BLOCKS, err);
    }
    mem_free(w->m, p, BLOCKS * sizeof(ipc_block));
    return st;
}

/* ---- the end ---- */

/* All of the footer but the blocks of record batches, which come last. */
static nrw_status put_footer(ipc_writer *w, const bytes *dictionaries, bytes *out, nrw_error *err)
{
    flat_field f[] = {{.id = FOOTER_VERSION, .bytes = 2, .value = ARROW_VERSION_5},
                      {.id = FOOTER_SCHEMA},
                      {.id = FOOTER_DICTIONARIES},
                      {.id = FOOTER_BATCHES}};
    note_pair *pairs;

    TRY(note_pairs(w, &pairs, err));
    TRY(flat_put_root(out, f, 4, err));
    TRY(arrow_schema_put(&w->written, pairs, w->o.n_key_values, ARROW_ALONE, out,
                         f[FOOTER_SCHEMA].at, err));
    TRY(flat_put_structs(out, f[FOOTER_DICTIONARIES].at, w->n_dictionaries, err));
    TRY(bytes_append(out, dictionaries->data, dictionaries->len, err));
    if (w->batches > UINT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "more record batches than a footer can name");
    return flat_put_structs(out, f[FOOTER_BATCHES].at, (uint32_t)w->batches, err);
}

static nrw_status write_footer(ipc_writer *w, const bytes *dictionaries, bytes *out, nrw_error *err)
{
    uint64_t at = target_size(w->target);
    uint8_t end[4 + 6];

    TRY(put_footer(w, dictionaries, out, err));
    TRY(put(w, out->data, out->len, err));
    TRY(put_spilled(w, err));
    TRY(put_blocks(w, w->blocks, w->n_blocks, err));
    at = target_size(w->target) - at;
    if (at > INT32_MAX)
        return err_set(err, NRW_E_UNSUPPORTED, "a footer of more than 2 GiB");
    store_u32(end, (uint32_t)at);
    memcpy(end + 4, magic, 6);
    return put(w, end, sizeof end, err);
}

/* Of a file, dictionaries are whole: they come when all rows have. */
static nrw_status write_dictionaries(ipc_writer *w, bytes *blocks, nrw_error *err)
{
    codec_ctx ctx = codec_ctx_init(w->o.codec, w->m);
    nrw_status st = NRW_OK;
    ipc_pack *p = NULL;

    if (w->n_dictionaries)
        TRY(ipc_pack_new(w, &p, err));
    for (uint32_t i = 0; st >= 0 && i < w->n_dictionaries; i++) {
        uint8_t b[BLOCK] = {0};
        st = ipc_encode_dictionary(w, i, p, w->o.codec ? &ctx : NULL, err);
        store_u64(b, target_size(w->target));
        store_u32(b + 8, (uint32_t)p->meta.len);
        store_u64(b + 16, p->body.len);
        if (st >= 0)
            st = bytes_append(blocks, b, sizeof b, err);
        if (st >= 0)
            st = put(w, p->out.data, p->out.len, err);
    }
    ipc_pack_free(w, p);
    codec_ctx_release(&ctx);
    return st;
}

static nrw_status end_file(ipc_writer *w, nrw_error *err)
{
    bytes blocks = bytes_init(w->m, (size_t)1 << 40), out = bytes_init(w->m, INT32_MAX);
    static const uint8_t end[8] = {0xff, 0xff, 0xff, 0xff};
    nrw_status st = write_dictionaries(w, &blocks, err);

    if (st >= 0)
        st = put(w, end, sizeof end, err);
    if (st >= 0)
        st = write_footer(w, &blocks, &out, err);
    bytes_release(&blocks);
    bytes_release(&out);
    return st;
}

nrw_status ipc_write_end(ipc_writer *w, nrw_error *err)
{
    static const uint8_t end[8] = {0xff, 0xff, 0xff, 0xff};

    return w->stream ? put(w, end, sizeof end, err) : end_file(w, err);
}
