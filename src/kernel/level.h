/* Which level brings which kernel, and the declarations of all of them. A row names, for each
 * level above scalar, the level whose function stands in its table. */
#ifndef KERNEL_LEVEL_H
#define KERNEL_LEVEL_H

#include "kernel/kernel.h"

/* field, avx2, avx512, vbmi */
#define KERNEL_ROWS(X)                                                                             \
    X(unpack_u32, avx2, avx2, vbmi)                                                                \
    X(unpack_u64, avx2, avx2, vbmi)                                                                \
    X(pack_u32, avx2, avx2, vbmi)                                                                  \
    X(pack_u64, avx2, avx2, avx2)                                                                  \
    X(popcount_bits, avx2, avx2, avx2)                                                             \
    X(fill_bits, scalar, scalar, scalar)                                                           \
    X(copy_bits, scalar, scalar, scalar)                                                           \
    X(ranks, avx2, avx2, avx2)                                                                     \
    X(bits_to_bytes, avx2, avx512, avx512)                                                         \
    X(bytes_to_bits, avx2, avx512, avx512)                                                         \
    X(bits_of_256, avx2, avx2, avx2)                                                               \
    X(levels_to_bits_u8, avx2, avx512, avx512)                                                     \
    X(levels_to_bits_u32, avx2, avx512, avx512)                                                    \
    X(unpack_u8, avx2, avx2, avx2)                                                                 \
    X(levels_from_u8, avx2, avx2, avx2)                                                            \
    X(level_entries_u8, avx2, avx2, avx2)                                                          \
    X(levels_agree_u8, avx2, avx2, avx2)                                                           \
    X(ascii, avx2, avx2, avx2)                                                                     \
    X(fill_4, avx2, avx512, avx512)                                                                \
    X(fill_8, avx2, avx512, avx512)                                                                \
    X(max_u32, avx2, avx512, avx512)                                                               \
    X(gather_4, avx2, avx512, avx512)                                                              \
    X(gather_8, avx2, avx512, avx512)                                                              \
    X(gather_16, avx2, avx2, avx2)                                                                 \
    X(look_up_4, scalar, avx512, avx512)                                                           \
    X(gather_any, avx2, avx2, avx2)                                                                \
    X(shift_u32, avx2, avx2, avx2)                                                                 \
    X(take_1, scalar, scalar, scalar)                                                              \
    X(take_2, scalar, scalar, scalar)                                                              \
    X(take_4, scalar, avx512, avx512)                                                              \
    X(take_8, scalar, avx512, avx512)                                                              \
    X(take_16, scalar, scalar, scalar)                                                             \
    X(spread_1, avx2, avx2, vbmi)                                                                  \
    X(spread_2, avx2, avx2, vbmi)                                                                  \
    X(spread_4, avx2, avx512, avx512)                                                              \
    X(spread_8, avx2, avx512, avx512)                                                              \
    X(spread_16, avx2, avx512, avx512)                                                             \
    X(compress_1, avx2, avx2, vbmi)                                                                \
    X(compress_2, avx2, avx2, vbmi)                                                                \
    X(compress_4, avx2, avx512, avx512)                                                            \
    X(compress_8, avx2, avx512, avx512)                                                            \
    X(compress_16, avx2, avx512, avx512)                                                           \
    X(changes_4, avx2, avx512, avx512)                                                             \
    X(changes_8, avx2, avx512, avx512)                                                             \
    X(equal_prefix_4, avx2, avx512, avx512)                                                        \
    X(equal_prefix_8, avx2, avx512, avx512)                                                        \
    X(equal_eight_4, avx2, avx2, avx2)                                                             \
    X(delta_decode_i32, avx2, avx512, avx512)                                                      \
    X(delta_decode_i64, avx2, avx512, avx512)                                                      \
    X(split_decode, avx2, avx2, vbmi)                                                              \
    X(split_encode, avx2, avx2, avx2)                                                              \
    X(minmax_i8, avx2, avx512, avx512)                                                             \
    X(minmax_i16, avx2, avx512, avx512)                                                            \
    X(minmax_i32, avx2, avx512, avx512)                                                            \
    X(minmax_i64, avx2, avx512, avx512)                                                            \
    X(minmax_u8, avx2, avx512, avx512)                                                             \
    X(minmax_u16, avx2, avx512, avx512)                                                            \
    X(minmax_u32, avx2, avx512, avx512)                                                            \
    X(minmax_u64, avx2, avx512, avx512)                                                            \
    X(minmax_f32, avx2, avx512, avx512)                                                            \
    X(minmax_f64, avx2, avx512, avx512)                                                            \
    X(hash_4, scalar, avx512, avx512)                                                              \
    X(hash_8, scalar, avx512, avx512)                                                              \
    X(hash_16, scalar, avx512, avx512)                                                             \
    X(narrow_i32_i8, avx2, avx512, avx512)                                                         \
    X(narrow_i32_i16, avx2, avx512, avx512)                                                        \
    X(narrow_i32_u8, avx2, avx512, avx512)                                                         \
    X(narrow_i32_u16, avx2, avx512, avx512)                                                        \
    X(widen_i8_i32, avx2, avx512, avx512)                                                          \
    X(widen_i16_i32, avx2, avx512, avx512)                                                         \
    X(widen_u8_i32, avx2, avx512, avx512)                                                          \
    X(widen_u16_i32, avx2, avx512, avx512)                                                         \
    X(widen_i32_i64, avx2, avx512, avx512)                                                         \
    X(widen_u32_u64, avx2, avx512, avx512)                                                         \
    X(mul_i64, scalar, avx512, avx512)                                                             \
    X(products_i64, avx2, avx512, avx512)                                                          \
    X(be_to_le, avx2, avx2, vbmi)                                                                  \
    X(le_to_be, avx2, avx2, avx2)                                                                  \
    X(crc32, scalar, scalar, vbmi)

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
