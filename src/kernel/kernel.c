#include "kernel/level.h"
#include <stdlib.h>
#include <string.h>

_Atomic(const kernels *) kernels_chosen;

#define ROW_SCALAR(field, a, b, c) .field = kernel_scalar_##field,
#define ROW_AVX2(field, a, b, c)   .field = kernel_##a##_##field,
#define ROW_AVX512(field, a, b, c) .field = kernel_##b##_##field,
#define ROW_VBMI(field, a, b, c)   .field = kernel_##c##_##field,

static const kernels tables[] = {
    {"scalar", KERNEL_SCALAR, KERNEL_ROWS(ROW_SCALAR)},
#ifdef __x86_64__
    {"avx2", KERNEL_AVX2, KERNEL_ROWS(ROW_AVX2)},
    {"avx512", KERNEL_AVX512, KERNEL_ROWS(ROW_AVX512)},
    {"avx512_vbmi", KERNEL_AVX512_VBMI, KERNEL_ROWS(ROW_VBMI)},
#endif
};

static kernel_level cpu_level(void)
{
#ifdef __x86_64__
    __builtin_cpu_init();
    if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("bmi") ||
        !__builtin_cpu_supports("bmi2") || !__builtin_cpu_supports("popcnt"))
        return KERNEL_SCALAR;
    if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
        !__builtin_cpu_supports("avx512dq") || !__builtin_cpu_supports("avx512vl"))
        return KERNEL_AVX2;
    bool vbmi = __builtin_cpu_supports("avx512vbmi") && __builtin_cpu_supports("avx512vbmi2") &&
                __builtin_cpu_supports("pclmul") && __builtin_cpu_supports("vpclmulqdq");
    return vbmi ? KERNEL_AVX512_VBMI : KERNEL_AVX512;
#else
    return KERNEL_SCALAR;
#endif
}

static kernel_level wanted_level(void)
{
    const char *name = getenv("NARROWS_CPU");
    size_t n = sizeof tables / sizeof *tables;
    for (size_t i = 0; name && i < n; i++)
        if (strcmp(name, tables[i].name) == 0)
            return tables[i].level;
    return tables[n - 1].level;
}

const kernels *kernels_choose(void)
{
    kernel_level cpu = cpu_level(), wanted = wanted_level();
    const kernels *k = &tables[wanted < cpu ? wanted : cpu];
    atomic_store_explicit(&kernels_chosen, k, memory_order_relaxed);
    return k;
}

const kernels *kernels_at(kernel_level level)
{
    return level <= cpu_level() ? &tables[level] : NULL;
}
