#include "kernel_testing.h"
#include <math.h>

/* Mostly small numbers, sometimes an extreme one. */
static uint64_t number(uint64_t *seed)
{
    uint64_t r = next_random(seed);
    switch (r % 16) {
    case 0: return (uint64_t)INT64_MIN;
    case 1: return INT64_MAX;
    case 2: return UINT64_MAX;
    case 3: return 0x8000000080008080u;
    case 4: return 0x7fffffff7fff7f7fu;
    case 5: return r;
    default: return (r >> 8) % 300 - 150;
    }
}

static room numbers(size_t n, size_t width, uint64_t *seed)
{
    room r = room_new(n * width, seed);
    for (size_t i = 0; i < n; i++) {
        uint64_t v = number(seed);
        memcpy(r.at + i * width, &v, width);
    }
    return r;
}

#define MINMAX_CASE(name, type)                                                                    \
    do {                                                                                           \
        room v = numbers(n, sizeof(type), &seed);                                                  \
        type a = 1, b = 2, c = 1, d = 2;                                                           \
        bool want = scalar()->minmax_##name((type *)(void *)v.at, n, &a, &b);                      \
        EQUAL(k, "minmax_" #name, n, k->minmax_##name((type *)(void *)v.at, n, &c, &d), want);     \
        EQUAL(k, "min of " #name, n, c, a);                                                        \
        EQUAL(k, "max of " #name, n, d, b);                                                        \
        if (n > 0) {                                                                               \
            type lo, hi, x;                                                                        \
            memcpy(&lo, v.at, sizeof lo);                                                          \
            hi = lo;                                                                               \
            for (size_t i = 0; i < n; i++) {                                                       \
                memcpy(&x, v.at + i * sizeof x, sizeof x);                                         \
                lo = x < lo ? x : lo;                                                              \
                hi = x > hi ? x : hi;                                                              \
            }                                                                                      \
            assert_true(a == lo && b == hi);                                                       \
        }                                                                                          \
        room_free(&v);                                                                             \
    } while (0)

static void minmax(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int l = 0; level_at(l); l++) {
        const kernels *k = level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            MINMAX_CASE(i8, int8_t);
            MINMAX_CASE(i16, int16_t);
            MINMAX_CASE(i32, int32_t);
            MINMAX_CASE(i64, int64_t);
            MINMAX_CASE(u8, uint8_t);
            MINMAX_CASE(u16, uint16_t);
            MINMAX_CASE(u32, uint32_t);
            MINMAX_CASE(u64, uint64_t);
            room v = numbers(n, 4, &seed);
            uint32_t want = scalar()->max_u32((uint32_t *)(void *)v.at, n);
            EQUAL(k, "max_u32", n, k->max_u32((uint32_t *)(void *)v.at, n), want);
            room_free(&v);
        }
    }
}

/* One kind of array a round: NaN alone, with NaN, zeros of both signs, infinities. */
static double make_float(unsigned kind, uint64_t *seed)
{
    uint64_t r = next_random(seed);
    switch (kind) {
    case 0: return NAN;
    case 1: return r % 3 ? NAN : (double)(int64_t)(r >> 40) - 1e5;
    case 2: return r % 2 ? 0.0 : -0.0;
    case 3: return r % 5 == 0 ? INFINITY : r % 5 == 1 ? -INFINITY : (double)(r >> 50);
    case 4: return r % 2 ? -(double)(r >> 55) : -0.0;
    default: return (double)(r >> 50) - 7000;
    }
}

static void floats_case(const kernels *k, unsigned kind, size_t n, uint64_t *seed)
{
    room f = room_new(n * 4, seed), d = room_new(n * 8, seed);
    for (size_t i = 0; i < n; i++) {
        double x = make_float(kind, seed);
        float y = (float)x;
        memcpy(d.at + i * 8, &x, 8);
        memcpy(f.at + i * 4, &y, 4);
    }
    double d1[2] = {5, 6}, d2[2] = {5, 6};
    float f1[2] = {5, 6}, f2[2] = {5, 6};
    bool want = scalar()->minmax_f64((double *)(void *)d.at, n, d1, d1 + 1);
    assert_true(want == (n > 0 && (kind != 0)) || kind == 1);
    EQUAL(k, "minmax_f64", n, k->minmax_f64((double *)(void *)d.at, n, d2, d2 + 1), want);
    SAME(k, "minmax_f64", n, d1, d2, sizeof d1);
    scalar()->minmax_f32((float *)(void *)f.at, n, f1, f1 + 1);
    EQUAL(k, "minmax_f32", n, k->minmax_f32((float *)(void *)f.at, n, f2, f2 + 1), want);
    SAME(k, "minmax_f32", n, f1, f2, sizeof f1);
    if (want && d1[0] == 0)
        assert_true(signbit(d1[0]));
    if (want && d1[1] == 0)
        assert_true(!signbit(d1[1]));
    room_free(&f);
    room_free(&d);
}

static void minmax_floats(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int l = -1; l < 0 || level_at(l); l++)
        for (size_t n = 0; n <= MAX_N; n++)
            for (unsigned kind = 0; kind < 6; kind++)
                floats_case(l < 0 ? scalar() : level_at(l), kind, n, &seed);
}

static void delta(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            room v = room_new(n * 8, &seed), out = room_new(n * 8, &seed);
            uint64_t start = next_random(&seed), least = next_random(&seed), sum = start;
            int64_t running = (int64_t)start;
            k->delta_decode_i64((uint64_t *)(void *)v.at, n, (int64_t)least, &running,
                                (int64_t *)(void *)out.at);
            for (size_t i = 0; i < n; i++) {
                sum += load_u64(v.at + i * 8) + least;
                EQUAL(k, "delta_decode_i64", n, load_u64(out.at + i * 8), sum);
            }
            EQUAL(k, "delta_decode_i64 running", n, (uint64_t)running, sum);
            uint32_t sum32 = (uint32_t)start;
            int32_t running32 = (int32_t)sum32;
            memcpy(out.at, v.at, n * 4); /* in place */
            k->delta_decode_i32((uint32_t *)(void *)out.at, n, (int32_t)least, &running32,
                                (int32_t *)(void *)out.at);
            for (size_t i = 0; i < n; i++) {
                sum32 += load_u32(v.at + i * 4) + (uint32_t)least;
                EQUAL(k, "delta_decode_i32", n, load_u32(out.at + i * 4), sum32);
            }
            EQUAL(k, "delta_decode_i32 running", n, (uint32_t)running32, sum32);
            room_free(&v);
            room_free(&out);
        }
    }
}

static void split_case(const kernels *k, size_t width, size_t n, uint64_t *seed)
{
    size_t stride = n + next_random(seed) % 20;
    room v = room_new(n * width, seed), parts = room_new(stride * width, seed);
    room was = room_copy(&parts, seed), back = room_new(n * width, seed);
    k->split_encode(v.at, width, n, parts.at, stride);
    for (size_t i = 0; i < stride * width; i++) {
        size_t at = i % stride;
        uint8_t want = at < n ? v.at[at * width + i / stride] : was.at[i];
        EQUAL(k, "split_encode", n, parts.at[i], want);
    }
    k->split_decode(parts.at, stride, width, n, back.at);
    SAME(k, "split_decode", n, back.at, v.at, n * width);
    room_free(&v);
    room_free(&parts);
    room_free(&was);
    room_free(&back);
}

static void split(void **state)
{
    (void)state;
    uint64_t seed = 4;
    static const size_t widths[] = {1, 2, 3, 4, 5, 8, 12, 16, 23};
    for (int l = -1; l < 0 || level_at(l); l++)
        for (size_t n = 0; n <= MAX_N; n++)
            for (size_t i = 0; i < sizeof widths / sizeof *widths; i++)
                split_case(l < 0 ? scalar() : level_at(l), widths[i], n, &seed);
}

static void hashes(void **state)
{
    (void)state;
    uint64_t seed = 5;
    assert_true(kernel_hash_u64(0) == 0);
    assert_true(kernel_hash_u64(1) != kernel_hash_u64(2));
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            room v = room_new(n * 16, &seed), out = room_new(n * 8, &seed);
            k->hash_4(v.at, n, (uint64_t *)(void *)out.at);
            for (size_t i = 0; i < n; i++)
                EQUAL(k, "hash_4", n, load_u64(out.at + i * 8),
                      kernel_hash_u64(load_u32(v.at + i * 4)));
            k->hash_8(v.at, n, (uint64_t *)(void *)out.at);
            for (size_t i = 0; i < n; i++)
                EQUAL(k, "hash_8", n, load_u64(out.at + i * 8),
                      kernel_hash_u64(load_u64(v.at + i * 8)));
            k->hash_16(v.at, n, (uint64_t *)(void *)out.at);
            for (size_t i = 0; i < n; i++)
                EQUAL(k, "hash_16", n, load_u64(out.at + i * 8),
                      kernel_hash_u128(load_u64(v.at + i * 16), load_u64(v.at + i * 16 + 8)));
            room_free(&v);
            room_free(&out);
        }
    }
}

#define NARROW_CASE(name, type, modulus, base)                                                     \
    do {                                                                                           \
        room v = room_new(n * 4, &seed), a = room_new(n * sizeof(type), &seed);                    \
        bool all = true;                                                                           \
        for (size_t i = 0; i < n; i++) {                                                           \
            int32_t x = (int32_t)(next_random(&seed) % modulus) + base;                            \
            if (next_random(&seed) % 512 == 0)                                                     \
                x = (int32_t)next_random(&seed);                                                   \
            store_u32(v.at + i * 4, (uint32_t)x);                                                  \
            all = all && (type)x == x;                                                             \
        }                                                                                          \
        bool got = k->narrow_i32_##name((int32_t *)(void *)v.at, n, (type *)(void *)a.at);         \
        EQUAL(k, "narrow " #name, n, got, all);                                                    \
        for (size_t i = 0; i < n; i++)                                                             \
            SAME(k, "narrow " #name, n, a.at + i * sizeof(type), v.at + i * 4, sizeof(type));      \
        got = k->narrow_i32_##name((int32_t *)(void *)v.at, n, (type *)(void *)v.at);              \
        EQUAL(k, "narrow " #name, n, got, all);                                                    \
        SAME(k, "narrow " #name " in place", n, a.at, v.at, n * sizeof(type));                     \
        room_free(&v);                                                                             \
        room_free(&a);                                                                             \
    } while (0)

#define WIDEN_CASE(from, from_type, to, to_type)                                                   \
    do {                                                                                           \
        room v = room_new(n * sizeof(from_type), &seed), a = room_new(n * sizeof(to_type), &seed); \
        k->widen_##from##_##to((from_type *)(void *)v.at, n, (to_type *)(void *)a.at);             \
        for (size_t i = 0; i < n; i++) {                                                           \
            from_type x;                                                                           \
            to_type y;                                                                             \
            memcpy(&x, v.at + i * sizeof x, sizeof x);                                             \
            memcpy(&y, a.at + i * sizeof y, sizeof y);                                             \
            EQUAL(k, "widen " #from, n, y, x);                                                     \
        }                                                                                          \
        room_free(&v);                                                                             \
        room_free(&a);                                                                             \
    } while (0)

static void conversions(void **state)
{
    (void)state;
    uint64_t seed = 6;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            NARROW_CASE(i8, int8_t, 256, -128);
            NARROW_CASE(u8, uint8_t, 256, 0);
            NARROW_CASE(i16, int16_t, 65536, -32768);
            NARROW_CASE(u16, uint16_t, 65536, 0);
            WIDEN_CASE(i8, int8_t, i32, int32_t);
            WIDEN_CASE(u8, uint8_t, i32, int32_t);
            WIDEN_CASE(i16, int16_t, i32, int32_t);
            WIDEN_CASE(u16, uint16_t, i32, int32_t);
            WIDEN_CASE(i32, int32_t, i64, int64_t);
            WIDEN_CASE(u32, uint32_t, u64, uint64_t);
        }
    }
}

static void multiply(void **state)
{
    (void)state;
    uint64_t seed = 7;
    static const int64_t factors[] = {1, 1000, 86400000000, INT64_MAX};
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            int64_t factor = factors[n % 4];
            room v = room_new(n * 8, &seed), was;
            bool all = true;
            for (size_t i = 0; i < n; i++) {
                int64_t x = (int64_t)(next_random(&seed) % 20000000) - 10000000, product;
                if (next_random(&seed) % 256 == 0)
                    x = INT64_MIN / factor - (factor > 1 && next_random(&seed) % 2);
                store_u64(v.at + i * 8, (uint64_t)x);
                all = !__builtin_mul_overflow(x, factor, &product) && all;
            }
            was = room_copy(&v, &seed);
            int64_t *at = (int64_t *)(void *)v.at;
            EQUAL(k, "mul_i64", n, k->mul_i64(at, n, factor, at), all);
            for (size_t i = 0; i < n; i++)
                EQUAL(k, "mul_i64", n, load_u64(v.at + i * 8),
                      load_u64(was.at + i * 8) * (uint64_t)factor);
            room_free(&v);
            room_free(&was);
        }
    }
}

static void products(void **state)
{
    (void)state;
    uint64_t seed = 11;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            room x = room_new(n * 8, &seed), y = room_new(n * 8, &seed);
            room out = room_new(n * 8, &seed);
            uint64_t seen[2], all[2] = {0, 0};
            for (size_t i = 0; i < n; i++) {
                unsigned shift = n % 3 ? 33 : (unsigned)(next_random(&seed) % 64);
                int64_t a = (int64_t)next_random(&seed) >> shift;
                int64_t b = (int64_t)next_random(&seed) >> (n % 2 ? 40 : shift);
                store_u64(x.at + i * 8, (uint64_t)a);
                store_u64(y.at + i * 8, (uint64_t)b);
                all[0] |= (uint64_t)(a < 0 ? ~a : a);
                all[1] |= (uint64_t)(b < 0 ? ~b : b);
            }
            k->products_i64((int64_t *)(void *)x.at, (int64_t *)(void *)y.at, n,
                            (int64_t *)(void *)out.at, seen);
            EQUAL(k, "products_i64", n, seen[0], all[0]);
            EQUAL(k, "products_i64", n, seen[1], all[1]);
            for (size_t i = 0; i < n; i++) {
                int64_t a = (int32_t)load_u64(x.at + i * 8), b = (int32_t)load_u64(y.at + i * 8);
                EQUAL(k, "products_i64", n, load_u64(out.at + i * 8), (uint64_t)(a * b));
            }
            room_free(&x);
            room_free(&y);
            room_free(&out);
        }
    }
}

/* A number of `bytes` bytes, little-endian in 32. */
static void wide_number(uint8_t out[32], size_t bytes, uint64_t *seed)
{
    for (size_t i = 0; i < bytes; i++)
        out[i] = (uint8_t)next_random(seed);
    memset(out + bytes, out[bytes - 1] & 0x80 ? 0xff : 0, 32 - bytes);
}

static bool fits_in(const uint8_t v[32], size_t bytes)
{
    uint8_t sign = v[bytes - 1] & 0x80 ? 0xff : 0;
    for (size_t i = bytes; i < 32; i++)
        if (v[i] != sign)
            return false;
    return true;
}

static void endian_case(const kernels *k, size_t len, size_t width, size_t n, size_t bytes,
                        uint64_t *seed)
{
    room be = room_new(n * len, seed), le = room_new(n * width, seed);
    room got = room_new(n * width, seed), back = room_new(n * len, seed);
    bool fit_width = true, fit_len = true;
    for (size_t i = 0; i < n; i++) {
        uint8_t v[32];
        wide_number(v, bytes, seed);
        for (size_t j = 0; j < len; j++)
            be.at[i * len + len - 1 - j] = v[j];
        memcpy(le.at + i * width, v, width);
        fit_width = fit_width && fits_in(v, width);
        fit_len = fit_len && fits_in(v, len);
    }
    if (fit_len) { /* be holds the numbers */
        EQUAL(k, "be_to_le", n, k->be_to_le(be.at, len, n, width, got.at), fit_width);
        SAME(k, "be_to_le", n, got.at, le.at, n * width);
    }
    if (fit_width) {
        EQUAL(k, "le_to_be", n, k->le_to_be(le.at, width, n, len, back.at), fit_len);
        SAME(k, "le_to_be", n, back.at, be.at, n * len);
    }
    room_free(&be);
    room_free(&le);
    room_free(&got);
    room_free(&back);
}

static void endian(void **state)
{
    (void)state;
    uint64_t seed = 8;
    for (int l = -1; l < 0 || level_at(l); l++)
        for (size_t len = 1; len <= 32; len++)
            for (size_t width = 4; width <= 32; width *= 2)
                for (size_t n = 0; n < 8; n++)
                    for (size_t bytes = 1; bytes <= 32; bytes++)
                        endian_case(l < 0 ? scalar() : level_at(l), len, width, n, bytes, &seed);
}

/* Numbers of any length that fit: the short ones by whole vectors. */
static void endian_lengths(void **state)
{
    (void)state;
    uint64_t seed = 9;
    for (int l = -1; l < 0 || level_at(l); l++)
        for (size_t len = 1; len <= 16; len++)
            for (size_t width = 4; width <= 16; width *= 2)
                for (size_t n = 0; n <= MAX_N; n++)
                    endian_case(l < 0 ? scalar() : level_at(l), len, width, n,
                                len < width ? len : width, &seed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(minmax),   cmocka_unit_test(minmax_floats),
        cmocka_unit_test(delta),    cmocka_unit_test(split),
        cmocka_unit_test(hashes),   cmocka_unit_test(conversions),
        cmocka_unit_test(multiply), cmocka_unit_test(products),
        cmocka_unit_test(endian),   cmocka_unit_test(endian_lengths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
