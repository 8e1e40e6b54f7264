/* Kernels that read the same at every width of vector. The includer defines
 *   FN(name)         kernel_LEVEL_name
 *   V_TARGET         the function attribute
 *   V_BYTES          of a vector
 *   v_load, v_store  at any address
 *   v_min_T, v_max_T of i8 ... u64, f32, f64 (of the latter two: the second operand where the first
 *                    is NaN), v_splat_T, and vectors' types v_int, v_f32, v_f64
 *   v_or(a, b), v_product(a, b), v_magnitude(a)  of 64 bits: the signed product of the lower
 *                  halves; a, inverted where negative
 *   v_differ_4(a, b), v_differ_8(a, b)  bits of the lanes that differ, one a lane
 *   v_swap(a, part)  parts of 1, 2, 4 ... bytes, up to a half, each with its neighbour
 *   v_low(a)         the lowest 64 bits
 *   v_f32_load ...   loads and stores of floats */

/* Four vectors a turn, two comparisons each; the last, shorter turn overlaps what was seen, which
 * does no harm. */
#define DEFINE_MINMAX(name, type)                                                                  \
    V_TARGET bool FN(minmax_##name)(const type *v, size_t n, type *min, type *max)                 \
    {                                                                                              \
        enum { LANES = V_BYTES / sizeof(type) };                                                   \
        const uint8_t *p = (const uint8_t *)v, *end = p + n * sizeof(type);                        \
        if (n < LANES)                                                                             \
            return kernel_scalar_minmax_##name(v, n, min, max);                                    \
        v_int lo = v_load(p), hi = lo;                                                             \
        for (; end - p >= 4 * V_BYTES; p += 4 * V_BYTES) {                                         \
            v_int a = v_load(p), b = v_load(p + V_BYTES);                                          \
            v_int c = v_load(p + 2 * V_BYTES), d = v_load(p + 3 * V_BYTES);                        \
            v_int below = v_min_##name(v_min_##name(a, b), v_min_##name(c, d));                    \
            v_int above = v_max_##name(v_max_##name(a, b), v_max_##name(c, d));                    \
            lo = v_min_##name(lo, below);                                                          \
            hi = v_max_##name(hi, above);                                                          \
        }                                                                                          \
        while (p < end) {                                                                          \
            v_int x = v_load(end - p >= V_BYTES ? p : end - V_BYTES);                              \
            lo = v_min_##name(lo, x);                                                              \
            hi = v_max_##name(hi, x);                                                              \
            p += V_BYTES;                                                                          \
        }                                                                                          \
        for (unsigned part = V_BYTES / 2; part >= sizeof(type); part /= 2) {                       \
            lo = v_min_##name(lo, v_swap(lo, part));                                               \
            hi = v_max_##name(hi, v_swap(hi, part));                                               \
        }                                                                                          \
        *min = (type)v_low(lo);                                                                    \
        *max = (type)v_low(hi);                                                                    \
        return true;                                                                               \
    }
DEFINE_MINMAX(i8, int8_t)
DEFINE_MINMAX(i16, int16_t)
DEFINE_MINMAX(i32, int32_t)
DEFINE_MINMAX(i64, int64_t)
DEFINE_MINMAX(u8, uint8_t)
DEFINE_MINMAX(u16, uint16_t)
DEFINE_MINMAX(u32, uint32_t)
DEFINE_MINMAX(u64, uint64_t)
#undef DEFINE_MINMAX

/* The new values stand first in each comparison, so that a NaN is passed over. */
#define DEFINE_MINMAX_FLOAT(name, type)                                                            \
    V_TARGET bool FN(minmax_##name)(const type *v, size_t n, type *min, type *max)                 \
    {                                                                                              \
        enum { LANES = V_BYTES / sizeof(type) };                                                   \
        const uint8_t *p = (const uint8_t *)v, *end = p + n * sizeof(type);                        \
        type below[LANES], above[LANES];                                                           \
        if (n < LANES)                                                                             \
            return kernel_scalar_minmax_##name(v, n, min, max);                                    \
        v_##name lo = v_splat_##name((type)INFINITY), hi = v_splat_##name((type)-INFINITY);        \
        v_##name lo2 = lo, hi2 = hi;                                                               \
        for (; end - p >= 2 * V_BYTES; p += 2 * V_BYTES) {                                         \
            v_##name a = v_##name##_load(p), b = v_##name##_load(p + V_BYTES);                     \
            lo = v_min_##name(a, lo);                                                              \
            hi = v_max_##name(a, hi);                                                              \
            lo2 = v_min_##name(b, lo2);                                                            \
            hi2 = v_max_##name(b, hi2);                                                            \
        }                                                                                          \
        while (p < end) {                                                                          \
            v_##name x = v_##name##_load(end - p >= V_BYTES ? p : end - V_BYTES);                  \
            lo = v_min_##name(x, lo);                                                              \
            hi = v_max_##name(x, hi);                                                              \
            p += V_BYTES;                                                                          \
        }                                                                                          \
        v_##name##_store(below, v_min_##name(lo2, lo));                                            \
        v_##name##_store(above, v_max_##name(hi2, hi));                                            \
        type least = below[0], most = above[0];                                                    \
        for (size_t i = 1; i < LANES; i++) {                                                       \
            least = below[i] < least ? below[i] : least;                                           \
            most = above[i] > most ? above[i] : most;                                              \
        }                                                                                          \
        if (least > most)                                                                          \
            return false;                                                                          \
        *min = least == 0 ? (type)-0.0 : least;                                                    \
        *max = most == 0 ? (type)0.0 : most;                                                       \
        return true;                                                                               \
    }
DEFINE_MINMAX_FLOAT(f32, float)
DEFINE_MINMAX_FLOAT(f64, double)
#undef DEFINE_MINMAX_FLOAT

V_TARGET uint32_t FN(max_u32)(const uint32_t *values, size_t n)
{
    uint32_t min, max;
    return FN(minmax_u32)(values, n, &min, &max) ? max : 0;
}

#define DEFINE_RUNS(width)                                                                         \
    V_TARGET size_t FN(changes_##width)(const void *values, size_t n)                              \
    {                                                                                              \
        enum { LANES = V_BYTES / width };                                                          \
        const uint8_t *p = values;                                                                 \
        size_t i = 1, count = 0;                                                                   \
        for (; i + LANES <= n; i += LANES) {                                                       \
            v_int here = v_load(p + i * width), before = v_load(p + (i - 1) * width);              \
            count += (size_t)__builtin_popcount(v_differ_##width(here, before));                   \
        }                                                                                          \
        return n < 2 ? 0 : count + kernel_scalar_changes_##width(p + (i - 1) * width, n - i + 1);  \
    }                                                                                              \
    V_TARGET size_t FN(equal_prefix_##width)(const void *values, size_t n)                         \
    {                                                                                              \
        enum { LANES = V_BYTES / width };                                                          \
        const uint8_t *p = values;                                                                 \
        if (n == 0)                                                                                \
            return 0;                                                                              \
        size_t i = 1; /* all up to here are equal, so equal to their neighbours */                 \
        for (; i + LANES <= n; i += LANES) {                                                       \
            v_int here = v_load(p + i * width), before = v_load(p + (i - 1) * width);              \
            unsigned differ = v_differ_##width(here, before);                                      \
            if (differ)                                                                            \
                return i + (size_t)__builtin_ctz(differ);                                          \
        }                                                                                          \
        return i - 1 + kernel_scalar_equal_prefix_##width(p + (i - 1) * width, n - i + 1);         \
    }
DEFINE_RUNS(4)
DEFINE_RUNS(8)
#undef DEFINE_RUNS

V_TARGET void FN(products_i64)(const int64_t *x, const int64_t *y, size_t n, int64_t *dst,
                               uint64_t seen[2])
{
    enum { LANES = V_BYTES / 8 };
    const uint8_t *a = (const uint8_t *)x, *b = (const uint8_t *)y;
    uint8_t *out = (uint8_t *)dst;
    size_t whole = n - n % LANES;
    if (whole == 0) {
        kernel_scalar_products_i64(x, y, n, dst, seen);
        return;
    }
    v_int p = v_load(a), q = v_load(b), of_x = v_magnitude(p), of_y = v_magnitude(q);
    v_store(out, v_product(p, q));
    for (size_t i = LANES; i < whole; i += LANES) {
        p = v_load(a + i * 8);
        q = v_load(b + i * 8);
        of_x = v_or(of_x, v_magnitude(p));
        of_y = v_or(of_y, v_magnitude(q));
        v_store(out + i * 8, v_product(p, q));
    }
    uint64_t lanes[2][LANES];
    kernel_scalar_products_i64((const int64_t *)(const void *)(a + whole * 8),
                               (const int64_t *)(const void *)(b + whole * 8), n - whole,
                               (int64_t *)(void *)(out + whole * 8), seen);
    v_store(lanes[0], of_x);
    v_store(lanes[1], of_y);
    for (size_t i = 0; i < LANES; i++) {
        seen[0] |= lanes[0][i];
        seen[1] |= lanes[1][i];
    }
}
