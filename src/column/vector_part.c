#include "column/vector_part.h"

#include "kernel/kernel.h"

void part_gather16(uint8_t *dst, const uint8_t *src, const uint16_t *at, uint32_t n, uint32_t width)
{
    const kernels *k = kernels_get();
    switch (width) {
    case 0: break;
    case 1: k->take_1(src, at, n, dst); break;
    case 2: k->take_2(src, at, n, dst); break;
    case 4: k->take_4(src, at, n, dst); break;
    case 8: k->take_8(src, at, n, dst); break;
    case 16: k->take_16(src, at, n, dst); break;
    default:
        for (uint32_t i = 0; i < n; i++)
            memcpy(dst + (size_t)i * width, src + (size_t)at[i] * width, width);
    }
}

void part_gather32(uint8_t *dst, const uint8_t *src, const uint32_t *at, uint32_t n, uint32_t width)
{
    const kernels *k = kernels_get();
    switch (width) {
    case 0: break;
    case 4: k->gather_4(src, at, n, dst); break;
    case 8: k->gather_8(src, at, n, dst); break;
    case 16: k->gather_16(src, at, n, dst); break;
    default: k->gather_any(src, width, at, n, dst); break;
    }
}

/* A run of a few values is filled faster than a kernel is called. */
#define FILL_SHORT 16

static void fill_short(uint8_t *dst, const uint8_t *src, uint32_t n, uint32_t width)
{
    for (uint32_t i = 0; i < n; i++)
        memcpy(dst + (size_t)i * width, src, width);
}

void part_fill(uint8_t *dst, const uint8_t *src, uint32_t n, uint32_t width)
{
    uint64_t value = 0;
    if (width == 8 && n <= FILL_SHORT) {
        memcpy(&value, src, 8);
        for (uint32_t i = 0; i < n; i++)
            memcpy(dst + 8 * (size_t)i, &value, 8);
    } else if (width == 8) {
        memcpy(&value, src, 8);
        kernels_get()->fill_8(dst, value, n);
    } else if (width == 4) {
        kernels_get()->fill_4(dst, load_u32(src), n);
    } else if (width == 1) {
        memset(dst, *src, n);
    } else {
        fill_short(dst, src, n, width);
    }
}

void part_set_bits(uint8_t *bits, size_t at, size_t n, bool on)
{
    kernels_get()->fill_bits(bits, at, n, on);
}

void part_clear_nulls(uint8_t *data, const uint8_t *validity, uint32_t n, uint32_t width)
{
    for (uint32_t at = 0; at < n; at += 64) {
        uint64_t null = ~load_u64(validity + at / 8);
        if (n - at < 64)
            null &= ((uint64_t)1 << (n - at)) - 1;
        for (; null; null &= null - 1) {
            uint8_t *p = data + (at + (size_t)__builtin_ctzll(null)) * width;
            if (width == 8)
                memset(p, 0, 8);
            else
                memset(p, 0, width);
        }
    }
}

uint32_t part_copy_bits(uint8_t *dst, size_t at, const uint8_t *src, size_t from, size_t n)
{
    const kernels *k = kernels_get();
    k->copy_bits(src, from, dst, at, n);
    return (uint32_t)(n - k->popcount_bits(src, from, n));
}

nrw_status part_like(const vector *v, uint32_t rows, mem *m, vector *out, nrw_error *err)
{
    if (v->form == VECTOR_DICT)
        TRY(vector_dict(m, &v->type, v->dict, rows, out, err));
    else
        TRY(vector_flat(m, &v->type, rows, out, err));
    if (v->heaps.n)
        vector_share_heaps(v, out);
    if (!v->validity)
        return NRW_OK;
    nrw_status st = vector_add_validity(out, err);
    if (st < 0)
        vector_release(out);
    return st;
}

bool part_same(const vector *a, uint32_t i, const vector *b, uint32_t j)
{
    bool valid = vector_is_valid(a, i);
    if (valid != vector_is_valid(b, j))
        return false;
    if (!valid || a->type.id == TYPE_NULL)
        return true;
    if (a->form == VECTOR_DICT && b->form == VECTOR_DICT && a->dict == b->dict)
        return ((const uint32_t *)a->data)[i] == ((const uint32_t *)b->data)[j];
    if (a->form != VECTOR_FLAT || b->form != VECTOR_FLAT)
        return false;
    span x = flat_span(a, i), y = flat_span(b, j);
    return x.len == y.len && memcmp(x.data, y.data, x.len) == 0;
}

void part_trim_validity(vector *v)
{
    if (v->null_count || !v->validity)
        return;
    buffer_unref(v->validity_buf);
    v->validity_buf = NULL;
    v->validity = NULL;
}
