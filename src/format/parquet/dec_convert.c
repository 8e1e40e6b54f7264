#include "format/parquet/dec_convert.h"

#include "kernel/kernel.h"

static bool fits_in(int64_t v, uint32_t width, bool is_unsigned)
{
    if (width >= 8)
        return true;
    if (is_unsigned)
        return v >= 0 && v < (int64_t)1 << (8 * width);
    return v >= -((int64_t)1 << (8 * width - 1)) && v < (int64_t)1 << (8 * width - 1);
}

static int64_t load_int(const uint8_t *p, uint32_t width)
{
    return width == 4 ? (int32_t)load_u32(p) : (int64_t)load_u64(p);
}

/* INT32 and INT64 to a wider or narrower two's complement integer. */
static uint32_t resize(const convert *c, const uint8_t *src, uint32_t n, uint8_t *dst)
{
    for (uint32_t i = 0; i < n; i++) {
        int64_t v = load_int(src + (size_t)i * c->in, c->in);
        if (!fits_in(v, c->out, c->is_unsigned))
            return i;
        for (uint32_t at = 0; at < c->out; at += 8) {
            memcpy(dst + (size_t)i * c->out + at, &v, c->out - at < 8 ? c->out - at : 8);
            v >>= 63;
        }
    }
    return n;
}

static uint32_t first_unfit(const convert *c, const uint8_t *src, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (!fits_in(load_int(src + (size_t)i * c->in, c->in), c->out, c->is_unsigned))
            return i;
    return n;
}

static uint32_t narrow(const convert *c, const uint8_t *src, uint32_t n, uint8_t *dst)
{
    const kernels *k = kernels_get();
    const int32_t *v = (const int32_t *)(const void *)src;
    bool fit;

    if (c->out == 1)
        fit = c->is_unsigned ? k->narrow_i32_u8(v, n, dst) : k->narrow_i32_i8(v, n, (int8_t *)dst);
    else
        fit = c->is_unsigned ? k->narrow_i32_u16(v, n, (uint16_t *)(void *)dst)
                             : k->narrow_i32_i16(v, n, (int16_t *)(void *)dst);
    return fit ? n : first_unfit(c, src, n);
}

static uint32_t widen(const convert *c, const uint8_t *src, uint32_t n, uint8_t *dst)
{
    (void)c;
    kernels_get()->widen_i32_i64((const int32_t *)(const void *)src, n, (int64_t *)(void *)dst);
    return n;
}

static uint32_t widen_unsigned(const convert *c, const uint8_t *src, uint32_t n, uint8_t *dst)
{
    (void)c;
    kernels_get()->widen_u32_u64((const uint32_t *)(const void *)src, n, (uint64_t *)(void *)dst);
    return n;
}

#define JULIAN_EPOCH 2440588 /* the Julian day number of 1970-01-01 */
#define DAY_NS       INT64_C(86400000000000)

/* Eight bytes of nanoseconds in the day, four of the Julian day. The first day that begins before
 * the range of 64 bits may end inside of it, so days before 1970 are counted from their end. */
static uint32_t int96(const convert *c, const uint8_t *src, uint32_t n, uint8_t *dst)
{
    int64_t day_len = c->int96_us ? DAY_NS / 1000 : DAY_NS;

    for (uint32_t i = 0; i < n; i++, src += 12) {
        int64_t at = (int64_t)load_u64(src), v;
        int64_t day = (int64_t)load_u32(src + 8) - JULIAN_EPOCH;
        if (c->int96_us)
            at = at / 1000 - (at % 1000 < 0);
        if (day < 0 && __builtin_add_overflow(at, -day_len, &at))
            return i;
        if (__builtin_mul_overflow(day + (day < 0), day_len, &v) ||
            __builtin_add_overflow(v, at, &v))
            return i;
        memcpy(dst + (size_t)i * 8, &v, 8);
    }
    return n;
}

/* One big-endian number of any length: false where it does not fit. */
static bool big_endian(const uint8_t *p, uint32_t len, uint32_t width, uint8_t *dst)
{
    uint8_t sign = len && p[0] & 0x80 ? 0xff : 0;
    uint32_t i;

    while (len > width) {
        if (*p != sign)
            return false;
        p++;
        len--;
    }
    if (len == width && ((p[0] ^ sign) & 0x80))
        return false;
    for (i = 0; i < len; i++)
        dst[i] = p[len - 1 - i];
    memset(dst + len, sign, width - len);
    return true;
}

static uint32_t fixed_decimal(const convert *c, const uint8_t *src, uint32_t n, uint8_t *dst)
{
    if (c->in >= 1 && c->in <= 32 && kernels_get()->be_to_le(src, c->in, n, c->out, dst))
        return n;
    for (uint32_t i = 0; i < n; i++)
        if (!big_endian(src + (size_t)i * c->in, c->in, c->out, dst + (size_t)i * c->out))
            return i;
    return n;
}

static uint32_t view_decimal(const convert *c, const uint8_t *src, uint32_t n, uint8_t *dst)
{
    for (uint32_t i = 0; i < n; i++) {
        view w;
        const uint8_t *p;
        memcpy(&w, src + (size_t)i * sizeof w, sizeof w);
        p = w.len <= VIEW_INLINE ? (const uint8_t *)w.inlined
                                 : c->heaps->at[w.heap]->data + w.offset;
        if (!big_endian(p, (uint32_t)w.len, c->out, dst + (size_t)i * c->out))
            return i;
    }
    return n;
}

static convert_fn choose_int(const pq_leaf *leaf, convert *c)
{
    type_id id = leaf->field.type.id;

    c->is_unsigned = id == TYPE_UINT8 || id == TYPE_UINT16 || id == TYPE_UINT32;
    if (c->in == 4 && c->out < 4)
        return narrow;
    if (c->in == 4 && c->out == 8)
        return id == TYPE_UINT64 ? widen_unsigned : widen;
    return resize;
}

static nrw_status misfit(const pq_leaf *leaf, nrw_error *err)
{
    char name[64];

    type_print(&leaf->field.type, name, sizeof name);
    return err_set(err, NRW_E_UNSUPPORTED, "physical type %s does not hold %s",
                   pq_physical_name(leaf->physical), name);
}

nrw_status convert_choose(const pq_leaf *leaf, convert *out, nrw_error *err)
{
    const type *t = &leaf->field.type;
    bool decimal = t->id == TYPE_DECIMAL;
    convert c = {.in = pq_physical_width(leaf), .out = t->width, .int96_us = leaf->int96_us};

    *out = (convert){0};
    if (t->id == TYPE_NULL) {
        out->null_type = true;
        return NRW_OK;
    }
    switch (leaf->physical) {
    case PQ_BYTE_ARRAY:
        c.in = sizeof(view);
        c.views = type_is_view(t);
        c.from_views = !c.views;
        if (!c.views && !decimal)
            return misfit(leaf, err);
        c.fn = decimal ? view_decimal : NULL;
        break;
    case PQ_INT96:
        if (t->id != TYPE_TIMESTAMP)
            return misfit(leaf, err);
        c.fn = int96;
        break;
    case PQ_FIXED_LEN_BYTE_ARRAY:
        if (decimal)
            c.fn = fixed_decimal;
        else if (c.in != c.out)
            return misfit(leaf, err);
        break;
    case PQ_INT32:
    case PQ_INT64:
        if (c.out == 0 || type_is_view(t))
            return misfit(leaf, err);
        if (c.in != c.out)
            c.fn = choose_int(leaf, &c);
        break;
    default:
        if (c.in != c.out)
            return misfit(leaf, err);
    }
    if (c.fn && (c.in > CONVERT_BLOCK || c.in == 0))
        return misfit(leaf, err);
    *out = c;
    return NRW_OK;
}

nrw_status convert_failed(const convert *c, const pq_leaf *leaf, nrw_error *err)
{
    char name[64];

    if (c->fn == int96) {
        err_next(err, "--read int96=us reads them as microseconds");
        return err_set(err, NRW_E_VALUE, "an INT96 timestamp is beyond the range of %s",
                       c->int96_us ? "microseconds" : "nanoseconds");
    }
    type_print(&leaf->field.type, name, sizeof name);
    return err_set(err, NRW_E_VALUE, "a value of type %s does not fit %s",
                   pq_physical_name(leaf->physical), name);
}

nrw_status convert_room_get(convert_room *r, uint8_t **side, nrw_error *err)
{
    void *p;

    if (*side)
        return NRW_OK;
    TRY(mem_alloc(r->m, CONVERT_BLOCK + BUFFER_SLACK, &p, err));
    memset((uint8_t *)p + CONVERT_BLOCK, 0, BUFFER_SLACK);
    *side = p;
    return NRW_OK;
}

void convert_room_release(convert_room *r)
{
    if (r->raw)
        mem_free(r->m, r->raw, CONVERT_BLOCK + BUFFER_SLACK);
    if (r->typed)
        mem_free(r->m, r->typed, CONVERT_BLOCK + BUFFER_SLACK);
    r->raw = r->typed = NULL;
}

/* BYTE_ARRAY numbers come by way of views whose bytes need not outlive the call. */
static nrw_status typed_views(decoder *d, const convert *c, convert_room *room, uint32_t n,
                              uint8_t *dst, uint32_t *bad, nrw_error *err)
{
    vector v = {.m = d->m, .type = type_of(TYPE_BINARY)};
    view_sink s = {.v = &v, .max_bytes = SIZE_MAX};
    convert with = *c;
    nrw_status st = NRW_OK;

    with.heaps = &v.heaps;
    for (uint32_t i = 0; i < n;) {
        uint32_t got, k = n - i < convert_step(c) ? n - i : convert_step(c);
        TRY_OUT(dec_views(d, k, &s, (view *)(void *)room->raw, &got, err));
        k = c->fn(&with, room->raw, got, dst + (size_t)i * c->out);
        if (k < got) {
            *bad = i + k;
            st = convert_failed(c, d->leaf, err);
            goto out;
        }
        i += got;
    }
out:
    vector_release(&v);
    return st;
}

nrw_status dec_typed(decoder *d, const convert *c, convert_room *room, uint32_t n, uint8_t *dst,
                     uint32_t *bad, nrw_error *err)
{
    uint32_t step = convert_step(c);

    if (!c->fn)
        return dec_fixed(d, n, dst, err);
    if (n == 0)
        return NRW_OK;
    if (c->from_views) {
        TRY(convert_room_get(room, &room->raw, err));
        return typed_views(d, c, room, n, dst, bad, err);
    }
    for (uint32_t i = 0, k; i < n; i += k) {
        const uint8_t *src;
        uint32_t fit;
        k = n - i < step ? n - i : step;
        src = dec_direct(d, k);
        if (!src) {
            TRY(convert_room_get(room, &room->raw, err));
            TRY(dec_fixed(d, k, room->raw, err));
            src = room->raw;
        }
        fit = c->fn(c, src, k, dst + (size_t)i * c->out);
        if (fit < k) {
            *bad = i + fit;
            return convert_failed(c, d->leaf, err);
        }
    }
    return NRW_OK;
}
