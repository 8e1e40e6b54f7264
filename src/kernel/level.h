/* Which level brings which kernel, and the declarations of all of them. A row names, for each
 * level above scalar, the level whose function stands in its table. */
#ifndef KERNEL_LEVEL_H
#define KERNEL_LEVEL_H

#include "kernel/kernel.h"

/* field, avx2, avx512, vbmi */
#define KERNEL_ROWS(X)                                                                             \
    X(unpack_u32, scalar, scalar, scalar)                                                          \
    X(unpack_u64, scalar, scalar, scalar)                                                          \
    X(pack_u32, scalar, scalar, scalar)                                                            \
    X(pack_u64, scalar, scalar, scalar)                                                            \
    X(popcount_bits, scalar, scalar, scalar)                                                       \
    X(fill_bits, scalar, scalar, scalar)                                                           \
    X(copy_bits, scalar, scalar, scalar)                                                           \
    X(bits_to_bytes, scalar, scalar, scalar)                                                       \
    X(bytes_to_bits, scalar, scalar, scalar)                                                       \
    X(levels_to_bits_u8, scalar, scalar, scalar)                                                   \
    X(levels_to_bits_u32, scalar, scalar, scalar)                                                  \
    X(fill_4, scalar, scalar, scalar)                                                              \
    X(fill_8, scalar, scalar, scalar)                                                              \
    X(max_u32, scalar, scalar, scalar)                                                             \
    X(gather_4, scalar, scalar, scalar)                                                            \
    X(gather_8, scalar, scalar, scalar)                                                            \
    X(gather_16, scalar, scalar, scalar)                                                           \
    X(gather_any, scalar, scalar, scalar)                                                          \
    X(take_1, scalar, scalar, scalar)                                                              \
    X(take_2, scalar, scalar, scalar)                                                              \
    X(take_4, scalar, scalar, scalar)                                                              \
    X(take_8, scalar, scalar, scalar)                                                              \
    X(take_16, scalar, scalar, scalar)                                                             \
    X(spread_1, scalar, scalar, scalar)                                                            \
    X(spread_2, scalar, scalar, scalar)                                                            \
    X(spread_4, scalar, scalar, scalar)                                                            \
    X(spread_8, scalar, scalar, scalar)                                                            \
    X(spread_16, scalar, scalar, scalar)                                                           \
    X(compress_1, scalar, scalar, scalar)                                                          \
    X(compress_2, scalar, scalar, scalar)                                                          \
    X(compress_4, scalar, scalar, scalar)                                                          \
    X(compress_8, scalar, scalar, scalar)                                                          \
    X(compress_16, scalar, scalar, scalar)                                                         \
    X(changes_4, scalar, scalar, scalar)                                                           \
    X(changes_8, scalar, scalar, scalar)                                                           \
    X(equal_prefix_4, scalar, scalar, scalar)                                                      \
    X(equal_prefix_8, scalar, scalar, scalar)                                                      \
    X(delta_decode_i32, scalar, scalar, scalar)                                                    \
    X(delta_decode_i64, scalar, scalar, scalar)                                                    \
    X(split_decode, scalar, scalar, scalar)                                                        \
    X(split_encode, scalar, scalar, scalar)                                                        \
    X(minmax_i8, scalar, scalar, scalar)                                                           \
    X(minmax_i16, scalar, scalar, scalar)                                                          \
    X(minmax_i32, scalar, scalar, scalar)                                                          \
    X(minmax_i64, scalar, scalar, scalar)                                                          \
    X(minmax_u8, scalar, scalar, scalar)                                                           \
    X(minmax_u16, scalar, scalar, scalar)                                                          \
    X(minmax_u32, scalar, scalar, scalar)                                                          \
    X(minmax_u64, scalar, scalar, scalar)                                                          \
    X(minmax_f32, scalar, scalar, scalar)                                                          \
    X(minmax_f64, scalar, scalar, scalar)                                                          \
    X(hash_4, scalar, scalar, scalar)                                                              \
    X(hash_8, scalar, scalar, scalar)                                                              \
    X(hash_16, scalar, scalar, scalar)                                                             \
    X(narrow_i32_i8, scalar, scalar, scalar)                                                       \
    X(narrow_i32_i16, scalar, scalar, scalar)                                                      \
    X(narrow_i32_u8, scalar, scalar, scalar)                                                       \
    X(narrow_i32_u16, scalar, scalar, scalar)                                                      \
    X(widen_i8_i32, scalar, scalar, scalar)                                                        \
    X(widen_i16_i32, scalar, scalar, scalar)                                                       \
    X(widen_u8_i32, scalar, scalar, scalar)                                                        \
    X(widen_u16_i32, scalar, scalar, scalar)                                                       \
    X(widen_i32_i64, scalar, scalar, scalar)                                                       \
    X(widen_u32_u64, scalar, scalar, scalar)                                                       \
    X(mul_i64, scalar, scalar, scalar)                                                             \
    X(be_to_le, scalar, scalar, scalar)                                                            \
    X(le_to_be, scalar, scalar, scalar)

#define KERNEL_DECLARE(field, a, b, c)                                                             \
    __typeof__(*((kernels *)0)->field) kernel_scalar_##field, kernel_avx2_##field,                 \
        kernel_avx512_##field, kernel_vbmi_##field;
KERNEL_ROWS(KERNEL_DECLARE)
#undef KERNEL_DECLARE

/* Arrays come at any address and with any type behind them. */
#define KERNEL_ANY __attribute__((aligned(1), may_alias))
typedef int8_t any_i8 KERNEL_ANY;
typedef int16_t any_i16 KERNEL_ANY;
typedef int32_t any_i32 KERNEL_ANY;
typedef int64_t any_i64 KERNEL_ANY;
typedef uint8_t any_u8 KERNEL_ANY;
typedef uint16_t any_u16 KERNEL_ANY;
typedef uint32_t any_u32 KERNEL_ANY;
typedef uint64_t any_u64 KERNEL_ANY;
typedef float any_f32 KERNEL_ANY;
typedef double any_f64 KERNEL_ANY;

#endif
