#include "format/parquet/dec_rle.h"

#include "format/parquet/dec_level.h"
#include "kernel/kernel.h"

void rle_open(rle *r, mem *m, const body *b, size_t from, size_t to, uint32_t width)
{
    cursor_open(&r->c, m, b, from, to);
    r->width = width;
    r->value = 0;
    r->left = 0;
    r->packed = false;
    r->in_group = 0;
}

/* The header of the next run. A packed run says its length in groups of eight, so it may promise
 * up to seven values too many; some writers also cut its last group short. */
static nrw_status next_run(rle *r, nrw_error *err)
{
    uint64_t head;
    uint32_t bytes = (r->width + 7) / 8;

    TRY(cursor_need(&r->c, 14, err));
    if (r->c.p < r->c.end && *r->c.p < 0x80)
        head = *r->c.p++;
    else
        TRY(cursor_varint(&r->c, &head, err));
    r->in_group = 0;
    r->packed = head & 1;
    if (r->packed) {
        uint64_t groups = head >> 1;
        if (r->width && groups > cursor_left(&r->c) / r->width) {
            uint64_t values = (uint64_t)cursor_left(&r->c) * 8 / r->width;
            if (values == 0 || groups - 1 > values / 8)
                return err_set(err, NRW_E_CORRUPT,
                               "a bit-packed run of %llu groups passes the end of the page",
                               (unsigned long long)groups);
            r->left = values;
            return NRW_OK;
        }
        r->left = groups > UINT32_MAX ? UINT32_MAX : groups * 8;
        return NRW_OK;
    }
    if (cursor_at_hand(&r->c) < bytes)
        return err_set(err, NRW_E_CORRUPT, "the value of a run is cut off");
    r->value = 0;
    memcpy(&r->value, r->c.p, bytes);
    r->c.p += bytes;
    r->left = head >> 1;
    if (r->width < 32 && r->value >> r->width)
        return err_set(err, NRW_E_CORRUPT, "a run's value %u has more than %u bits", r->value,
                       r->width);
    return NRW_OK;
}

nrw_status rle_run(rle *r, nrw_error *err)
{
    while (r->left == 0) {
        if (cursor_left(&r->c) == 0)
            return err_set(err, NRW_E_CORRUPT, "the runs end before the page's values do");
        TRY(next_run(r, err));
    }
    return NRW_OK;
}

/* Moves on by n values of a packed run whose bytes are at hand or not. */
static nrw_status pass_packed(rle *r, uint64_t n, nrw_error *err)
{
    uint64_t at = r->in_group + n;

    r->left -= n;
    r->in_group = at & 7;
    if (r->left == 0) { /* to the run's end: the rest of the last group is padding */
        uint64_t bytes = (at + 7) / 8 * r->width;
        r->in_group = 0;
        return cursor_skip(&r->c, bytes < cursor_left(&r->c) ? bytes : cursor_left(&r->c), err);
    }
    return cursor_skip(&r->c, at / 8 * r->width, err);
}

/* Unpacks n values (in the run) that lie at hand. A start inside of a group is reached by
 * unpacking that group whole. */
static nrw_status unpack(rle *r, uint32_t n, uint32_t *dst, nrw_error *err)
{
    const kernels *k = kernels_get();

    if (r->in_group) {
        uint32_t group[8 + 16], m = 8u - r->in_group;
        if (m > n)
            m = n;
        k->unpack_u32(r->c.p, r->width, 8, group);
        memcpy(dst, group + r->in_group, m * sizeof *dst);
        TRY(pass_packed(r, m, err));
        dst += m;
        n -= m;
    }
    if (n == 0)
        return NRW_OK;
    k->unpack_u32(r->c.p, r->width, n, dst);
    return pass_packed(r, n, err);
}

/* How many values of the packed run, at most n, lie at hand after a refill. */
static nrw_status packed_at_hand(rle *r, uint32_t n, uint32_t *out, nrw_error *err)
{
    size_t whole;

    if (n > r->left)
        n = (uint32_t)r->left;
    *out = n;
    if (r->c.next == r->c.limit || r->width == 0)
        return NRW_OK;
    TRY(cursor_need(&r->c, CURSOR_NEED_MAX, err));
    whole = cursor_at_hand(&r->c) / r->width * 8 - r->in_group;
    if (whole < n && r->c.next != r->c.limit)
        *out = (uint32_t)whole;
    return NRW_OK;
}

nrw_status rle_read(rle *r, uint32_t n, uint32_t *dst, nrw_error *err)
{
    while (n) {
        uint32_t k;
        TRY(rle_run(r, err));
        if (r->packed) {
            TRY(packed_at_hand(r, n, &k, err));
            TRY(unpack(r, k, dst, err));
        } else {
            k = r->left < n ? (uint32_t)r->left : n;
            kernels_get()->fill_4(dst, r->value, k);
            r->left -= k;
        }
        dst += k;
        n -= k;
    }
    return NRW_OK;
}

nrw_status rle_skip(rle *r, uint64_t n, nrw_error *err)
{
    while (n) {
        uint64_t k;
        TRY(rle_run(r, err));
        k = r->left < n ? r->left : n;
        if (r->packed)
            TRY(pass_packed(r, k, err));
        else
            r->left -= k;
        n -= k;
    }
    return NRW_OK;
}

nrw_status rle_read_bits(rle *r, uint32_t n, uint8_t *dst, size_t off, uint32_t *ones,
                         nrw_error *err)
{
    const kernels *kn = kernels_get();

    while (n) {
        uint32_t k;
        TRY(rle_run(r, err));
        if (r->packed) {
            TRY(packed_at_hand(r, n, &k, err));
            kn->copy_bits(r->c.p, r->in_group, dst, off, k);
            *ones += (uint32_t)kn->popcount_bits(r->c.p, r->in_group, k);
            TRY(pass_packed(r, k, err));
        } else {
            k = r->left < n ? (uint32_t)r->left : n;
            kn->fill_bits(dst, off, k, r->value & 1);
            *ones += r->value & 1 ? k : 0;
            r->left -= k;
        }
        off += k;
        n -= k;
    }
    return NRW_OK;
}

/* A constant stretch of this many rows is handed on as such; shorter ones are gathered to bits. */
#define LONG_RUN 256

/* Bits on their way to memory: `word` holds those from byte `at / 8` of dst on. */
typedef struct bit_writer {
    uint8_t *dst;
    uint64_t word;
    uint32_t at;
} bit_writer;

#define BITS_AT_ONCE 56 /* and seven of an open byte */

/* The lowest k <= BITS_AT_ONCE bits of `bits`; the others are zero. */
static inline void write_bits(bit_writer *w, uint64_t bits, uint32_t k)
{
    uint32_t open = w->at & 7;

    w->word |= bits << open;
    store_u64(w->dst + w->at / 8, w->word);
    w->word >>= (open + k) & ~7u;
    w->at += k;
}

/* Whole runs of width 1 with headers of one byte, as writers make them of scattered nulls: some ten
 * rows each. Bits [at, n) of dst are to be filled; returns how far they are. Stops before any other
 * run, and before one that reaches past n. */
static uint32_t short_runs(rle *r, uint32_t at, uint32_t n, uint8_t *dst)
{
    const uint8_t *p = r->c.p, *end = r->c.end;
    bit_writer w = {.dst = dst, .at = at, .word = dst[at / 8] & ((1u << (at & 7)) - 1)};

    while (end - p >= 2) {
        bool packed = *p & 1;
        uint32_t left = packed ? *p / 2 * 8 : *p / 2;
        if (*p >= 0x80 || left == 0 || left > n - w.at)
            break;
        if (packed ? left / 8 >= (size_t)(end - p) : p[1] > 1)
            break;
        uint64_t value = packed ? 0 : -(uint64_t)p[1];
        p += packed ? 1 : 2;
        while (left) {
            uint32_t k = left < BITS_AT_ONCE ? left : BITS_AT_ONCE;
            uint64_t bits = packed ? load_u64(p) : value;
            write_bits(&w, bits & (((uint64_t)1 << k) - 1), k);
            p += packed ? k / 8 : 0;
            left -= k;
        }
    }
    r->c.p = p;
    return w.at;
}

static uint8_t reverse_bits(uint8_t b)
{
    return (uint8_t)(((b * 0x80200802ULL) & 0x0884422110ULL) * 0x0101010101ULL >> 32);
}

/* BIT_PACKED, width 1: n levels are (n + 7) / 8 bytes. */
static nrw_status fill_unpacked(levels *l, nrw_error *err)
{
    cursor *c = &l->r.c;
    uint32_t n;

    TRY(cursor_need(c, LEVELS_BLOCK / 8, err));
    n = (uint32_t)size_min(cursor_at_hand(c), LEVELS_BLOCK / 8);
    if (n == 0)
        return err_set(err, NRW_E_CORRUPT, "the definition levels end before the page's rows do");
    for (uint32_t i = 0; i < n; i++)
        l->bits[i] = reverse_bits(c->p[i]);
    c->p += n;
    l->bit_at = 0;
    l->bit_n = n * 8;
    return NRW_OK;
}

/* Levels of more than one bit. Nobody asks for more rows than there are; of BIT_PACKED all that are
 * there may be read. */
static nrw_status fill_wide(levels *l, uint32_t max, nrw_error *err)
{
    level_in in = {.r = l->r, .max = l->max, .unpacked = l->unpacked};
    uint8_t block[LEVELS_BLOCK + BUFFER_SLACK];
    uint32_t n = max < LEVELS_BLOCK ? max : LEVELS_BLOCK;
    if (l->unpacked)
        n = (uint32_t)size_min(cursor_left(&l->r.c) * 8 / level_width(l->max), LEVELS_BLOCK);
    if (n == 0)
        return err_set(err, NRW_E_CORRUPT, "the definition levels end before the page's rows do");
    nrw_status st = level_read(&in, n, block, err);
    l->r = in.r;
    TRY(st);
    kernels_get()->levels_to_bits_u8(block, n, l->max, l->bits);
    l->bit_at = 0;
    l->bit_n = n;
    return NRW_OK;
}

/* Levels of one bit, up to a constant stretch that is long. */
static nrw_status fill_narrow(levels *l, uint32_t max, nrw_error *err)
{
    rle *r = &l->r;
    uint32_t n = 0, ones = 0;

    max = max < LEVELS_BLOCK ? max : LEVELS_BLOCK;
    while (n < max) {
        uint32_t k;
        if (r->left == 0 && cursor_left(&r->c) == 0)
            break; /* fewer than asked for: whoever needs more gets the error */
        TRY(rle_run(r, err));
        if (!r->packed && r->left >= LONG_RUN)
            break;
        k = r->left < max - n ? (uint32_t)r->left : max - n;
        TRY(rle_read_bits(r, k, l->bits, n, &ones, err));
        n += k;
        if (r->left == 0)
            n = short_runs(r, n, max, l->bits);
    }
    l->bit_at = 0;
    l->bit_n = n;
    return NRW_OK;
}

/* Looks ahead: leaves either run > 0 or bits. */
static nrw_status fill(levels *l, uint32_t max, nrw_error *err)
{
    rle *r = &l->r;

    if (l->unpacked && l->max == 1)
        return fill_unpacked(l, err);
    if (!l->unpacked)
        TRY(rle_run(r, err));
    if (!l->unpacked && !r->packed && (r->left >= LONG_RUN || r->left >= max)) {
        if (r->value > l->max)
            return err_set(err, NRW_E_CORRUPT, "a level of %u, the schema has %u", r->value,
                           l->max);
        l->run = r->left;
        l->run_there = r->value == l->max;
        r->left = 0;
        return NRW_OK;
    }
    return l->max > 1 ? fill_wide(l, max, err) : fill_narrow(l, max, err);
}

nrw_status levels_peek(levels *l, uint32_t max, level_span *out, nrw_error *err)
{
    if (l->none) {
        *out = (level_span){.rows = max, .there = max};
        return NRW_OK;
    }
    if (l->run == 0 && l->bit_at == l->bit_n)
        TRY(fill(l, max, err));
    if (l->run) {
        uint32_t n = l->run < max ? (uint32_t)l->run : max;
        *out = (level_span){.rows = n, .there = l->run_there ? n : 0};
        return NRW_OK;
    }
    out->rows = l->bit_n - l->bit_at;
    if (out->rows > max)
        out->rows = max;
    out->bits = l->bits;
    out->off = l->bit_at;
    out->there = (uint32_t)kernels_get()->popcount_bits(l->bits, l->bit_at, out->rows);
    return NRW_OK;
}

void levels_take(levels *l, uint32_t rows)
{
    if (l->none)
        return;
    if (l->run)
        l->run -= rows;
    else
        l->bit_at += rows;
}

nrw_status levels_skip(levels *l, uint64_t n, uint64_t *there, nrw_error *err)
{
    *there = 0;
    if (l->none) {
        *there = n;
        return NRW_OK;
    }
    while (n) {
        level_span s;
        TRY(levels_peek(l, n > UINT32_MAX ? UINT32_MAX : (uint32_t)n, &s, err));
        levels_take(l, s.rows);
        *there += s.there;
        n -= s.rows;
    }
    return NRW_OK;
}
