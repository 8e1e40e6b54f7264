/* Sets as they lie in the spill file: of keys only what differs, numbers of the owner's as short as
 * they are. Values come in the order of their rows as a rule, each once. */
#include "base/varint.h"
#include "exec/agg_set.h"

#define COUNTED 16u /* bytes of the two numbers */

uint32_t agg_set_key_of(const type *t)
{
    return type_is_view(t) ? AGG_KEY_TEXT : t->width + 1;
}

/* What stands in front of the bytes of a key that are packed: a mark, the length of a text. */
static uint32_t alike(const agg_set_kind *k)
{
    return k->key == AGG_KEY_ANY ? 0 : k->key == AGG_KEY_TEXT ? 5 : 1;
}

static bool is_fixed(const agg_set_kind *k)
{
    return k->key != AGG_KEY_ANY && k->key != AGG_KEY_TEXT;
}

/* ---- to the file ---- */

/* The ordinal as its distance from the last one, and whether it is of one row. */
static uint8_t *put_counted(uint8_t *to, const uint8_t *extra, uint64_t *before)
{
    const uint64_t rows = load_u64(extra), ordinal = load_u64(extra + 8);
    const uint64_t step = zigzag((int64_t)(ordinal - *before));

    *before = ordinal;
    to += varint_put(to, step << 1 | (rows != 1));
    return rows != 1 ? to + varint_put(to, rows) : to;
}

size_t agg_set_packed_most(const agg_set_kind *k, const agg_entry *e)
{
    return 3 * VARINT_MOST + k->extra + e->key.len;
}

nrw_status agg_set_pack(const agg_set_kind *k, const agg_entry *e, uint64_t *before, bytes *out,
                        nrw_error *err)
{
    const uint32_t left = k->counted ? COUNTED : 0, skip = alike(k);
    const size_t key = e->key.len - skip;
    uint8_t *to;

    TRY(bytes_reserve(out, agg_set_packed_most(k, e), err));
    to = out->data + out->len;
    if (!is_fixed(k))
        to += varint_put(to, key);
    if (k->counted)
        to = put_counted(to, e->extra, before);
    memcpy(to, e->extra + left, k->extra - left);
    memcpy(to + (k->extra - left), e->key.data + skip, key);
    out->len = (size_t)(to + (k->extra - left) + key - out->data);
    return NRW_OK;
}

/* ---- and back ---- */

agg_set_reader agg_set_reader_of(const agg_set_kind *k, mem *m)
{
    return (agg_set_reader){.k = k, .room = bytes_init(m, UINT32_MAX)};
}

void agg_set_reader_begin(agg_set_reader *r, span saved)
{
    r->saved = saved;
    r->at = 0;
    r->before = 0;
}

void agg_set_reader_free(agg_set_reader *r)
{
    bytes_release(&r->room);
}

static bool get_varint(agg_set_reader *r, uint64_t *out)
{
    const uint8_t *p = r->saved.data + r->at;
    const bool got = varint_get(&p, r->saved.data + r->saved.len, out) == 1;

    r->at = (size_t)(p - r->saved.data);
    return got;
}

static bool get_counted(agg_set_reader *r, uint8_t *extra)
{
    uint64_t v, rows = 1;

    if (!get_varint(r, &v) || ((v & 1) && !get_varint(r, &rows)))
        return false;
    r->before += (uint64_t)unzigzag(v >> 1);
    store_u64(extra, rows);
    store_u64(extra + 8, r->before);
    return true;
}

/* A key of so many bytes of its own at `to`, with what it has in common with all. */
static void put_key(const agg_set_kind *k, uint8_t *to, const uint8_t *from, size_t bytes)
{
    if (k->key != AGG_KEY_ANY)
        *to = 1;
    if (k->key == AGG_KEY_TEXT)
        store_u32(to + 1, (uint32_t)bytes);
    memcpy(to + alike(k), from, bytes);
}

static nrw_status cut_short(nrw_error *err)
{
    return err_set(err, NRW_E_IO, "a state in the spill file is cut short");
}

nrw_status agg_set_reader_next(agg_set_reader *r, agg_entry *out, nrw_error *err)
{
    const agg_set_kind *k = r->k;
    const uint32_t left = k->counted ? COUNTED : 0, skip = alike(k);
    uint64_t key = k->key - 1;
    size_t rest;

    if (r->at == r->saved.len)
        return NRW_END;
    if ((!is_fixed(k) && !get_varint(r, &key)) || key > r->saved.len)
        return cut_short(err);
    TRY(bytes_reserve(&r->room, k->extra + skip + key, err));
    if (k->counted && !get_counted(r, r->room.data))
        return cut_short(err);
    rest = k->extra - left;
    if (r->saved.len - r->at < rest + key)
        return cut_short(err);
    memcpy(r->room.data + left, r->saved.data + r->at, rest);
    put_key(k, r->room.data + k->extra, r->saved.data + r->at + rest, key);
    r->at += rest + key;
    *out = (agg_entry){{r->room.data + k->extra, skip + key}, r->room.data};
    return NRW_OK;
}
