/* Sets as they lie in the spill file: of keys only what differs, numbers of the owner's as short as
 * they are. Values come in the order of their rows as a rule, each once: then an entry has the
 * distance of its ordinal from the last one, Rice coded (R. F. Rice, "Some practical universal
 * noiseless coding techniques", JPL 79-22, 1979), with the mean of late as parameter. Its bits
 * stand in words of eight bytes, each of which lies where the first of its bits was needed. Other
 * entries have as many ones as no distance has, and then the numbers. */
#include "base/varint.h"
#include "column/key.h"
#include "exec/agg_set.h"

#define COUNTED 16u /* bytes of the two numbers */
#define WORD    8u
#define BITS    64u
#define ONES    12u /* of an entry that is not as a rule; fewer are in front of a distance */

/* Behind those ones, two bits. */
#define BACK    1u /* the ordinal is before the last one */
#define SEVERAL 2u /* rows have the key */

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

/* The mean goes on by a sixteenth of what is new. A leap, as where rows of another thread begin,
 * counts as far as several of the others. */
static void go_on(agg_set_pace *p, uint64_t step)
{
    const uint64_t most = p->mean / 2 + 64 < 1u << 26 ? p->mean / 2 + 64 : 1u << 26;

    p->mean += (uint32_t)(step < most ? step : most) - p->mean / 16;
}

static uint32_t low_bits(const agg_set_pace *p)
{
    return p->mean < 32 ? 0 : 31 - (uint32_t)__builtin_clz(p->mean / 16);
}

/* ---- to the file ---- */

/* The lowest first, n fewer than BITS. */
static void put_bits(agg_set_pace *p, bytes *out, uint64_t v, uint32_t n)
{
    uint64_t now = p->left < n ? p->left : n;

    if (now) {
        uint8_t *at = out->data + p->word;
        store_u64(at, load_u64(at) | v << (BITS - p->left));
        p->left -= (uint32_t)now;
    }
    if (now == n)
        return;
    p->word = out->len;
    store_u64(out->data + out->len, v >> now);
    out->len += WORD;
    p->left = BITS - (n - (uint32_t)now);
}

static void put_varint(bytes *out, uint64_t v)
{
    out->len += varint_put(out->data + out->len, v);
}

static void put_counted(agg_set_pace *p, bytes *out, const uint8_t *extra)
{
    const uint64_t rows = load_u64(extra), ordinal = load_u64(extra + 8);
    const bool back = ordinal < p->before;
    const uint64_t step = back ? p->before - ordinal : ordinal - p->before;
    const uint32_t low = low_bits(p);

    if (!back && rows == 1 && step >> low < ONES) {
        const uint32_t ones = (uint32_t)(step >> low);
        const uint64_t rest = step & (((uint64_t)1 << low) - 1);
        put_bits(p, out, (((uint64_t)1 << ones) - 1) | rest << (ones + 1), ones + 1 + low);
    } else {
        const uint64_t how = (back ? BACK : 0) | (rows != 1 ? SEVERAL : 0);
        put_bits(p, out, ((1u << ONES) - 1) | how << ONES, ONES + 2);
        put_varint(out, step);
        if (rows != 1)
            put_varint(out, rows);
    }
    if (!back)
        go_on(p, step);
    p->before = ordinal;
}

size_t agg_set_packed_most(const agg_set_kind *k, const agg_entry *e)
{
    return WORD + 3 * VARINT_MOST + k->extra + e->key.len;
}

nrw_status agg_set_pack(const agg_set_kind *k, const agg_entry *e, agg_set_pace *p, bytes *out,
                        nrw_error *err)
{
    const uint32_t left = k->counted ? COUNTED : 0, skip = alike(k);
    const size_t key = e->key.len - skip;

    TRY(bytes_reserve(out, agg_set_packed_most(k, e), err));
    if (k->counted)
        put_counted(p, out, e->extra);
    if (!is_fixed(k))
        put_varint(out, key);
    memcpy(out->data + out->len, e->extra + left, k->extra - left);
    out->len += k->extra - left;
    if (k->spelt)
        return NRW_OK;
    memcpy(out->data + out->len, e->key.data + skip, key);
    out->len += key;
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
    r->pace = (agg_set_pace){0};
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

/* The next word of bits, when there is none left of the last one. */
static bool some_bits(agg_set_reader *r)
{
    if (r->pace.left)
        return true;
    if (r->saved.len - r->at < WORD)
        return false;
    r->bits = load_u64(r->saved.data + r->at);
    r->at += WORD;
    r->pace.left = BITS;
    return true;
}

/* n of those that are left, fewer than BITS. */
static uint64_t take_bits(agg_set_reader *r, uint32_t n)
{
    const uint64_t v = r->bits & (((uint64_t)1 << n) - 1);

    r->bits >>= n;
    r->pace.left -= n;
    return v;
}

/* n fewer than BITS. */
static bool get_bits(agg_set_reader *r, uint32_t n, uint64_t *out)
{
    *out = 0;
    for (uint32_t got = 0, some; got < n; got += some) {
        if (!some_bits(r))
            return false;
        some = n - got < r->pace.left ? n - got : r->pace.left;
        *out |= take_bits(r, some) << got;
    }
    return true;
}

/* Ones up to a zero, which goes with them; ONES of them have none. */
static bool get_ones(agg_set_reader *r, uint32_t *out)
{
    for (*out = 0; *out < ONES; ++*out) {
        if (!some_bits(r))
            return false;
        if (take_bits(r, 1) == 0)
            break;
    }
    return true;
}

static bool get_step(agg_set_reader *r, uint64_t *step, bool *back, uint64_t *rows)
{
    const uint32_t low = low_bits(&r->pace);
    uint64_t how = 0;
    uint32_t ones;

    *rows = 1;
    if (!get_ones(r, &ones))
        return false;
    if (ones == ONES) {
        if (!get_bits(r, 2, &how) || !get_varint(r, step))
            return false;
    } else {
        if (!get_bits(r, low, step))
            return false;
        *step |= (uint64_t)ones << low;
    }
    *back = how & BACK;
    return !(how & SEVERAL) || get_varint(r, rows);
}

static bool get_counted(agg_set_reader *r, uint8_t *extra)
{
    uint64_t step, rows;
    bool back;

    if (!get_step(r, &step, &back, &rows))
        return false;
    if (!back)
        go_on(&r->pace, step);
    r->pace.before += back ? -step : step;
    store_u64(extra, rows);
    store_u64(extra + 8, r->pace.before);
    return true;
}

/* A key of so many bytes of its own at `to`, with what it has in common with all. */
static void put_key(const agg_set_kind *k, uint8_t *to, const uint8_t *from, size_t bytes)
{
    if (k->key != AGG_KEY_ANY)
        *to = 1;
    if (k->key == AGG_KEY_TEXT)
        store_u32(to + 1, (uint32_t)bytes);
    if (k->spelt)
        key_put_value(k->spelt, from, to + alike(k));
    else
        memcpy(to + alike(k), from, bytes);
}

static nrw_status cut_short(nrw_error *err)
{
    return err_set(err, NRW_E_IO, "a state in the spill file is cut short");
}

nrw_status agg_set_reader_next(agg_set_reader *r, agg_entry *out, nrw_error *err)
{
    const agg_set_kind *k = r->k;
    const uint32_t skip = alike(k);
    uint8_t counted[COUNTED], *extra;
    uint64_t key = k->key - 1;
    size_t left = k->counted ? COUNTED : 0, rest = k->extra - left, own;

    if (r->at == r->saved.len)
        return NRW_END;
    if ((k->counted && !get_counted(r, counted)) || (!is_fixed(k) && !get_varint(r, &key)))
        return cut_short(err);
    own = k->spelt ? 0 : key;
    if (own > r->saved.len || r->saved.len - r->at < rest + own)
        return cut_short(err);
    TRY(bytes_reserve(&r->room, k->extra + skip + key, err));
    extra = r->room.data;
    memcpy(extra, counted, left);
    memcpy(extra + left, r->saved.data + r->at, rest);
    put_key(k, extra + k->extra, k->spelt ? extra + left : r->saved.data + r->at + rest, key);
    r->at += rest + own;
    *out = (agg_entry){{extra + k->extra, skip + key}, extra};
    return NRW_OK;
}
