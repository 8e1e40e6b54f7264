/* Scalar reference: filling, gathering, spreading, runs. */
#include "base/span.h"
#include "kernel/level.h"

typedef struct any_16 {
    uint64_t lo, hi;
} __attribute__((packed, may_alias)) any_16;

void kernel_scalar_fill_4(void *dst, uint32_t value, size_t n)
{
    any_u32 *out = dst;
    for (size_t i = 0; i < n; i++)
        out[i] = value;
}

void kernel_scalar_fill_8(void *dst, uint64_t value, size_t n)
{
    any_u64 *out = dst;
    for (size_t i = 0; i < n; i++)
        out[i] = value;
}

uint32_t kernel_scalar_max_u32(const uint32_t *values, size_t n)
{
    const any_u32 *in = (const any_u32 *)values;
    uint32_t max = 0;
    for (size_t i = 0; i < n; i++)
        max = in[i] > max ? in[i] : max;
    return max;
}

#define DEFINE_GATHER(type, width)                                                                 \
    void kernel_scalar_gather_##width(const void *dict, const uint32_t *index, size_t n,           \
                                      void *dst)                                                   \
    {                                                                                              \
        const any_u32 *at = (const any_u32 *)index;                                                \
        const type *in = dict;                                                                     \
        type *out = dst;                                                                           \
        for (size_t i = 0; i < n; i++)                                                             \
            out[i] = in[at[i]];                                                                    \
    }
DEFINE_GATHER(any_u32, 4)
DEFINE_GATHER(any_u64, 8)
DEFINE_GATHER(any_16, 16)

void kernel_scalar_look_up_4(const void *dict, size_t entries, const uint32_t *index, size_t n,
                             void *dst)
{
    (void)entries;
    kernel_scalar_gather_4(dict, index, n, dst);
}

void kernel_scalar_gather_any(const void *dict, size_t width, const uint32_t *index, size_t n,
                              void *dst)
{
    const any_u32 *at = (const any_u32 *)index;
    for (size_t i = 0; i < n; i++)
        memcpy((uint8_t *)dst + i * width, (const uint8_t *)dict + at[i] * width, width);
}

void kernel_scalar_shift_u32(const uint32_t *src, size_t n, uint32_t split, uint32_t below,
                             uint32_t above, uint32_t *dst)
{
    const any_u32 *in = (const any_u32 *)src;
    any_u32 *out = (any_u32 *)dst;
    for (size_t i = 0; i < n; i++)
        out[i] = in[i] + (in[i] < split ? below : above);
}

#define DEFINE_TAKE(type, width)                                                                   \
    void kernel_scalar_take_##width(const void *src, const uint16_t *sel, size_t n, void *dst)     \
    {                                                                                              \
        const any_u16 *at = (const any_u16 *)sel;                                                  \
        const type *in = src;                                                                      \
        type *out = dst;                                                                           \
        for (size_t i = 0; i < n; i++)                                                             \
            out[i] = in[at[i]];                                                                    \
    }
DEFINE_TAKE(any_u8, 1)
DEFINE_TAKE(any_u16, 2)
DEFINE_TAKE(any_u32, 4)
DEFINE_TAKE(any_u64, 8)
DEFINE_TAKE(any_16, 16)

static bool bit(const uint8_t *bits, size_t i)
{
    return bits[i >> 3] >> (i & 7) & 1;
}

#define DEFINE_SPREAD(type, width)                                                                 \
    size_t kernel_scalar_spread_##width(const void *src, const uint8_t *bits, size_t off,          \
                                        size_t n, void *dst)                                       \
    {                                                                                              \
        static const type zero;                                                                    \
        const type *in = src;                                                                      \
        type *out = dst;                                                                           \
        size_t taken = 0;                                                                          \
        for (size_t i = 0; i < n; i++) {                                                           \
            bool there = bit(bits, off + i);                                                       \
            out[i] = there ? in[taken] : zero;                                                     \
            taken += there;                                                                        \
        }                                                                                          \
        return taken;                                                                              \
    }                                                                                              \
    size_t kernel_scalar_compress_##width(const void *src, const uint8_t *bits, size_t off,        \
                                          size_t n, void *dst)                                     \
    {                                                                                              \
        const type *in = src;                                                                      \
        type *out = dst;                                                                           \
        size_t taken = 0;                                                                          \
        for (size_t i = 0; i < n; i++) {                                                           \
            out[taken] = in[i];                                                                    \
            taken += bit(bits, off + i);                                                           \
        }                                                                                          \
        return taken;                                                                              \
    }
DEFINE_SPREAD(any_u8, 1)
DEFINE_SPREAD(any_u16, 2)
DEFINE_SPREAD(any_u32, 4)
DEFINE_SPREAD(any_u64, 8)
DEFINE_SPREAD(any_16, 16)

#define DEFINE_RUNS(type, width)                                                                   \
    size_t kernel_scalar_changes_##width(const void *values, size_t n)                             \
    {                                                                                              \
        const type *in = values;                                                                   \
        size_t count = 0;                                                                          \
        for (size_t i = 1; i < n; i++)                                                             \
            count += in[i] != in[i - 1];                                                           \
        return count;                                                                              \
    }                                                                                              \
    size_t kernel_scalar_equal_prefix_##width(const void *values, size_t n)                        \
    {                                                                                              \
        const type *in = values;                                                                   \
        size_t i = 0;                                                                              \
        while (i < n && in[i] == in[0])                                                            \
            i++;                                                                                   \
        return i;                                                                                  \
    }
DEFINE_RUNS(any_u32, 4)
DEFINE_RUNS(any_u64, 8)

size_t kernel_scalar_equal_eight_4(const void *values, size_t n)
{
    const any_u32 *in = values;
    size_t i = 0;
    for (; i + 8 <= n; i += 8)
        if (kernel_scalar_equal_prefix_4(in + i, 8) == 8)
            break;
    return i;
}
