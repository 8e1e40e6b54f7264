/* Levels of x86-64: targets of functions (no file needs flags of its own), and loads. */
#ifndef KERNEL_X86_H
#define KERNEL_X86_H

#include "base/span.h"
#include "kernel/level.h"
#include <immintrin.h>

#define TARGET_AVX2 __attribute__((target("avx2,bmi,bmi2,popcnt")))
#define TARGET_AVX512                                                                              \
    __attribute__((target("avx2,bmi,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl")))
#define TARGET_VBMI                                                                                \
    __attribute__((target("avx2,bmi,bmi2,popcnt,avx512f,avx512bw,avx512dq,avx512vl,"               \
                          "avx512vbmi,avx512vbmi2")))
#define ALWAYS static inline __attribute__((always_inline))

ALWAYS TARGET_AVX2 __m128i load_128(const void *p)
{
    return _mm_loadu_si128((const __m128i *)p);
}
ALWAYS TARGET_AVX2 void store_128(void *p, __m128i v)
{
    _mm_storeu_si128((__m128i *)p, v);
}
ALWAYS TARGET_AVX2 __m256i load_256(const void *p)
{
    return _mm256_loadu_si256((const __m256i *)p);
}
ALWAYS TARGET_AVX2 void store_256(void *p, __m256i v)
{
    _mm256_storeu_si256((__m256i *)p, v);
}
ALWAYS TARGET_AVX512 __m512i load_512(const void *p)
{
    return _mm512_loadu_si512(p);
}
ALWAYS TARGET_AVX512 void store_512(void *p, __m512i v)
{
    _mm512_storeu_si512(p, v);
}

/* 64 bits from bit `off` on; reads 9 bytes. */
ALWAYS uint64_t bits_64(const uint8_t *bits, size_t off)
{
    const uint8_t *p = bits + (off >> 3);
    unsigned shift = off & 7;
    return load_u64(p) >> shift | (uint64_t)p[8] << 1 << (63 - shift);
}
/* n < 64 low bits set. */
ALWAYS uint64_t low_bits(size_t n)
{
    return ((uint64_t)1 << n) - 1;
}

#endif
