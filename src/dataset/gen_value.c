#include "dataset/gen_value.h"

#include <math.h>

static unsigned bits_of(uint64_t n)
{
    return n <= 1 ? 1 : 64 - (unsigned)__builtin_clzll(n - 1);
}

gen_permutation gen_permutation_of(uint64_t n, uint64_t seed)
{
    unsigned bits = bits_of(n);
    gen_permutation p = {.n = n};

    p.bits_right = bits / 2;
    p.mask_right = ((uint64_t)1 << p.bits_right) - 1;
    p.mask_left =
        bits - p.bits_right == 64 ? UINT64_MAX : ((uint64_t)1 << (bits - p.bits_right)) - 1;
    for (int i = 0; i < 4; i++)
        p.keys[i] = gen_mix(seed + (uint64_t)i + 1);
    return p;
}

/* An unbalanced Feistel network: the halves keep their widths, each round changes one of them by a
 * function of the other. Walking on from values outside of [0, n) stays a bijection; less than two
 * steps on average. */
uint64_t gen_permute(const gen_permutation *p, uint64_t i)
{
    do {
        uint64_t l = i >> p->bits_right, r = i & p->mask_right;
        for (int k = 0; k < 4; k += 2) {
            l ^= gen_mix(r ^ p->keys[k]) & p->mask_left;
            r ^= gen_mix(l ^ p->keys[k + 1]) & p->mask_right;
        }
        i = l << p->bits_right | r;
    } while (i >= p->n);
    return i;
}

uint64_t gen_column_seed(uint64_t seed, uint32_t i)
{
    return gen_mix(seed * 0x9e3779b97f4a7c15u + i + 1);
}

static uint64_t power10(unsigned n)
{
    uint64_t p = 1;

    while (n-- > 0)
        p *= 10;
    return p;
}

static uint64_t unit_per_second(const type *t)
{
    switch (t->unit) {
    case UNIT_MS: return 1000;
    case UNIT_US: return 1000000;
    case UNIT_NS: return 1000000000;
    default: return 1;
    }
}

/* The low `width` bytes of a non-negative number, little-endian. */
static void put(uint8_t *dst, uint32_t width, unsigned __int128 v)
{
    memset(dst, 0, width);
    memcpy(dst, &v, width < sizeof v ? width : sizeof v);
}

/* IEEE 754 binary16, rounded to nearest, ties to even. */
static uint16_t half_bits(double v)
{
    uint16_t sign = signbit(v) ? 0x8000 : 0;
    double size = fabs(v);
    int e;

    if (isnan(v))
        return 0x7e00;
    if (size >= 65520)
        return sign | 0x7c00;
    if (size < 0x1p-14) /* no hidden bit; 1024 becomes the least number that has one */
        return sign | (uint16_t)rint(size * 0x1p24);
    e = ilogb(size);
    return sign | (uint16_t)(((e + 15) << 10) + (int)rint(ldexp(size, 10 - e)) - 1024);
}

static void put_float(const type *t, double v, uint8_t *dst)
{
    float f = (float)v;
    uint16_t h = half_bits(v);

    if (t->id == TYPE_FLOAT64)
        memcpy(dst, &v, sizeof v);
    else if (t->id == TYPE_FLOAT32)
        memcpy(dst, &f, sizeof f);
    else
        memcpy(dst, &h, sizeof h);
}

void gen_range_fixed(const gen_column *c, uint64_t i, uint8_t *dst)
{
    const type *t = &c->type;

    switch (t->id) {
    case TYPE_FLOAT16:
    case TYPE_FLOAT32:
    case TYPE_FLOAT64: put_float(t, (double)i, dst); return;
    case TYPE_DECIMAL:
        put(dst, t->width, (unsigned __int128)i * power10((unsigned)t->scale));
        return;
    case TYPE_TIME:
    case TYPE_TIMESTAMP:
    case TYPE_DURATION: put(dst, t->width, (unsigned __int128)i * unit_per_second(t)); return;
    case TYPE_INTERVAL: /* months, days, milliseconds: count days */
        memset(dst, 0, t->width);
        store_u32(dst + 4, (uint32_t)i);
        return;
    case TYPE_UUID:
    case TYPE_FIXED: /* big-endian, so that bytes sort as the numbers */
        memset(dst, 0, t->width);
        for (uint32_t k = 0; k < t->width && k < 8; k++)
            dst[t->width - 1 - k] = (uint8_t)(i >> 8 * k);
        return;
    default: put(dst, t->width, i); return;
    }
}

/* Uniform below 10^digits. */
static unsigned __int128 below_power10(uint64_t x, unsigned digits)
{
    unsigned __int128 v;

    if (digits <= 18)
        return x % power10(digits);
    v = x % power10(18);
    v += (unsigned __int128)(gen_mix(x) % power10(digits - 18 > 18 ? 18 : digits - 18)) *
         power10(18);
    return v;
}

void gen_seeded_fixed(const gen_column *c, uint64_t seed, uint64_t row, uint8_t *dst)
{
    const uint64_t days = 21915; /* 1970 to 2029 */
    const type *t = &c->type;
    uint64_t x = gen_mix(seed ^ gen_mix(row));

    switch (t->id) {
    case TYPE_BOOL: put(dst, 1, x & 1); return;
    case TYPE_FLOAT16:
    case TYPE_FLOAT32:
    case TYPE_FLOAT64: put_float(t, (double)(x >> 11) * 0x1p-53, dst); return;
    case TYPE_DECIMAL: put(dst, t->width, below_power10(x, t->precision)); return;
    case TYPE_DATE: put(dst, t->width, x % days); return;
    case TYPE_TIME: put(dst, t->width, x % (86400 * unit_per_second(t))); return;
    case TYPE_TIMESTAMP:
    case TYPE_DURATION: put(dst, t->width, x % (days * 86400 * unit_per_second(t))); return;
    case TYPE_INTERVAL:
        store_u32(dst, (uint32_t)(x % 120));
        store_u32(dst + 4, (uint32_t)(x >> 20) % 31);
        store_u32(dst + 8, (uint32_t)(x >> 32) % 86400000);
        return;
    default:
        for (uint32_t k = 0; k < t->width; k += 8, x = gen_mix(x + 1))
            memcpy(dst + k, &x, t->width - k < 8 ? t->width - k : 8);
        return;
    }
}

static unsigned digits_of(uint64_t n)
{
    unsigned d = 1;

    while (n >= 10) {
        n /= 10;
        d++;
    }
    return d;
}

/* NAME_0042, padded so that text sorts as the numbers do; binary: 8 bytes, big-endian. */
uint32_t gen_range_length(const gen_column *c, uint64_t i)
{
    (void)i;
    if (c->type.id == TYPE_BINARY || c->type.id == TYPE_BSON)
        return 8;
    return (uint32_t)(strlen(c->name) + 1 + digits_of(c->range - 1) +
                      (c->type.id == TYPE_JSON ? 2 : 0));
}

void gen_range_text(const gen_column *c, uint64_t i, uint8_t *dst)
{
    bool quoted = c->type.id == TYPE_JSON;
    size_t name = strlen(c->name);
    unsigned digits = digits_of(c->range - 1);

    if (c->type.id == TYPE_BINARY || c->type.id == TYPE_BSON) {
        for (int k = 7; k >= 0; k--, i >>= 8)
            dst[k] = (uint8_t)i;
        return;
    }
    if (quoted)
        *dst++ = '"';
    memcpy(dst, c->name, name);
    dst[name] = '_';
    for (unsigned k = digits; k-- > 0; i /= 10)
        dst[name + 1 + k] = (uint8_t)('0' + i % 10);
    if (quoted)
        dst[name + 1 + digits] = '"';
}

uint32_t gen_seeded_length(const gen_column *c, uint64_t seed, uint64_t row)
{
    uint64_t x = gen_mix(seed ^ gen_mix(row));

    return c->min_length + (uint32_t)(x % ((uint64_t)c->max_length - c->min_length + 1));
}

void gen_seeded_text(const gen_column *c, uint64_t seed, uint64_t row, uint8_t *dst)
{
    static const char letters[32] = "etaoin shrdlu cmfwyp vbgkjqxz e";
    uint32_t n = gen_seeded_length(c, seed, row);
    uint64_t x = gen_mix(seed ^ gen_mix(row));
    bool binary = c->type.id == TYPE_BINARY || c->type.id == TYPE_BSON;

    for (uint32_t k = 0; k < n; k += 8) {
        x = gen_mix(x + 1);
        for (uint32_t j = k; j < n && j < k + 8; j++, x = x >> 8 | x << 56)
            dst[j] = binary ? (uint8_t)x : (uint8_t)letters[x & 31];
    }
    if (!binary)
        for (uint32_t k = 0; k < n; k++)
            if (!dst[k])
                dst[k] = 'n';
    if (c->type.id == TYPE_JSON && n > 0)
        dst[0] = dst[n - 1] = n > 1 ? '"' : '0';
}

bool gen_is_null(const gen_column *c, uint64_t seed, uint64_t row)
{
    uint64_t x;

    if (c->nulls <= 0)
        return false;
    x = gen_mix(~seed ^ gen_mix(row));
    return (double)(x >> 11) * 0x1p-53 < c->nulls;
}

/* The largest value number a type can carry; 0: the type cannot be a range. */
static uint64_t most_values(const type *t)
{
    switch (t->id) {
    case TYPE_BOOL: return 2;
    case TYPE_INT8: return 128;
    case TYPE_UINT8: return 256;
    case TYPE_INT16: return 32768;
    case TYPE_UINT16: return 65536;
    case TYPE_FLOAT16: return 2049;
    case TYPE_FLOAT32: return (1 << 24) + 1;
    case TYPE_FLOAT64: return ((uint64_t)1 << 53) + 1;
    case TYPE_INT32:
    case TYPE_DATE:
    case TYPE_INTERVAL: return (uint64_t)1 << 31;
    case TYPE_UINT32: return (uint64_t)1 << 32;
    case TYPE_TIME: return 86400;
    case TYPE_TIMESTAMP:
    case TYPE_DURATION: return INT64_MAX / unit_per_second(t);
    case TYPE_DECIMAL:
        if (t->scale < 0 || t->precision <= t->scale || t->scale > 18)
            return 0;
        return power10(t->precision - t->scale > 18 ? 18u : (unsigned)(t->precision - t->scale));
    case TYPE_FIXED: return t->width >= 8 ? INT64_MAX : (uint64_t)1 << 8 * t->width;
    case TYPE_NULL: return 0;
    default: return INT64_MAX;
    }
}

nrw_status gen_range_check(const gen_column *c, nrw_error *err)
{
    uint64_t most = most_values(&c->type);
    char name[64];

    if (c->range <= most)
        return NRW_OK;
    type_print(&c->type, name, sizeof name);
    if (most == 0)
        return err_set(err, NRW_E_ARG, "--range %s: %s cannot count", c->name, name);
    return err_set(err, NRW_E_ARG, "--range %s: %s has room for %llu values, not %llu", c->name,
                   name, (unsigned long long)most, (unsigned long long)c->range);
}
