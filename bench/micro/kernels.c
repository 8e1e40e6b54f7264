/* Times every kernel at every level of this CPU: kernels [-nVALUES] [NAME]. Billions of values a
 * second of CPU time, the best of some rounds in which the levels take turns, over arrays of 16,384
 * values (in the second cache; with -n2048 in the first) that begin where blocks do. With a name
 * only kernels that begin with it. */
#include "kernel/kernel.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MOST 65536

static size_t N = 16384;

static uint8_t *a, *b, *zeros, *dict, *bits;
static uint32_t *index32, *bytes32;
static uint16_t *sel;
static volatile uint64_t sink;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

typedef void (*body)(const kernels *k, unsigned arg);

/* A round of at least half a millisecond. */
static double measure(const kernels *k, body run, unsigned arg)
{
    for (int times = 4;; times *= 2) {
        double start = now();
        for (int i = 0; i < times; i++)
            run(k, arg);
        double took = now() - start;
        if (took >= 0.0005)
            return (double)N * times / took / 1e9;
    }
}

#define BODY(name, ...)                                                                            \
    static void run_##name(const kernels *k, unsigned arg)                                         \
    {                                                                                              \
        (void)arg;                                                                                 \
        __VA_ARGS__;                                                                               \
    }
#define V(p, type) ((type *)(void *)(p))

BODY(unpack_u32, k->unpack_u32(a, arg, N, V(b, uint32_t)))
BODY(unpack_u64, k->unpack_u64(a, arg, N, V(b, uint64_t)))
BODY(pack_u32, k->pack_u32(V(a, uint32_t), arg, N, b))
BODY(pack_u64, k->pack_u64(V(a, uint64_t), arg, N, b))
BODY(popcount, sink += k->popcount_bits(bits, 3, N))
BODY(copy_bits, k->copy_bits(bits, 3, b, 5, N))
BODY(bits_to_bytes, k->bits_to_bytes(bits, 3, N, b))
BODY(bytes_to_bits, k->bytes_to_bits(a, N, b))
BODY(levels_u8, sink += k->levels_to_bits_u8(a, N, 1, b))
BODY(levels_u32, sink += k->levels_to_bits_u32(V(a, uint32_t), N, 1, b))
BODY(levels_from, sink += k->levels_from_u8(a, N, 100, b))
BODY(level_entries, sink += k->level_entries_u8(a, N, 50, 100, b))
BODY(levels_agree, sink += k->levels_agree_u8(zeros, zeros + N, N, 2))
BODY(unpack_u8, k->unpack_u8(a, arg, N, b))
BODY(bits_of_256, k->bits_of_256(a, bytes32, N, b))
BODY(ranks, sink += k->ranks(a, bits, N, 5, V(b, uint32_t)))
BODY(ascii, sink += k->ascii(zeros, N))
BODY(fill_bits, k->fill_bits(b, 3, N, true))
BODY(fill_4, k->fill_4(b, 7, N))
BODY(fill_8, k->fill_8(b, 7, N))
BODY(max_u32, sink += k->max_u32(V(a, uint32_t), N))
BODY(gather_4, k->gather_4(dict, index32, N, b))
BODY(shift_u32, k->shift_u32(index32, N, 500, 7, 9, (uint32_t *)(void *)b))
BODY(gather_8, k->gather_8(dict, index32, N, b))
BODY(gather_16, k->gather_16(dict, index32, N, b))
BODY(gather_any, k->gather_any(dict, arg, index32, N, b))
BODY(take_1, k->take_1(a, sel, N, b))
BODY(take_2, k->take_2(a, sel, N, b))
BODY(take_4, k->take_4(a, sel, N, b))
BODY(take_8, k->take_8(a, sel, N, b))
BODY(take_16, k->take_16(a, sel, N, b))
BODY(spread_1, sink += k->spread_1(a, bits, 3, N, b))
BODY(spread_2, sink += k->spread_2(a, bits, 3, N, b))
BODY(spread_4, sink += k->spread_4(a, bits, 3, N, b))
BODY(spread_8, sink += k->spread_8(a, bits, 3, N, b))
BODY(spread_16, sink += k->spread_16(a, bits, 3, N, b))
BODY(compress_1, sink += k->compress_1(a, bits, 3, N, b))
BODY(compress_2, sink += k->compress_2(a, bits, 3, N, b))
BODY(compress_4, sink += k->compress_4(a, bits, 3, N, b))
BODY(compress_8, sink += k->compress_8(a, bits, 3, N, b))
BODY(compress_16, sink += k->compress_16(a, bits, 3, N, b))
BODY(changes_4, sink += k->changes_4(a, N))
BODY(changes_8, sink += k->changes_8(a, N))
BODY(equal_4, sink += k->equal_prefix_4(zeros, N))
BODY(equal_8, sink += k->equal_prefix_8(zeros, N))
BODY(delta_i32, int32_t at = 1; k->delta_decode_i32(V(a, uint32_t), N, 3, &at, V(b, int32_t)))
BODY(delta_i64, int64_t at = 1; k->delta_decode_i64(V(a, uint64_t), N, 3, &at, V(b, int64_t)))
BODY(split_decode, k->split_decode(a, N, arg, N, b))
BODY(split_encode, k->split_encode(a, arg, N, b, N))
#define MINMAX(name, type)                                                                         \
    BODY(minmax_##name, type lo; type hi; sink += k->minmax_##name(V(a, type), N, &lo, &hi))
MINMAX(i8, int8_t)
MINMAX(i16, int16_t)
MINMAX(i32, int32_t)
MINMAX(i64, int64_t)
MINMAX(u8, uint8_t)
MINMAX(u16, uint16_t)
MINMAX(u32, uint32_t)
MINMAX(u64, uint64_t)
MINMAX(f32, float)
MINMAX(f64, double)
BODY(hash_4, k->hash_4(a, N, V(b, uint64_t)))
BODY(hash_8, k->hash_8(a, N, V(b, uint64_t)))
BODY(hash_16, k->hash_16(a, N, V(b, uint64_t)))
BODY(narrow_i8, sink += k->narrow_i32_i8(V(a, int32_t), N, V(b, int8_t)))
BODY(narrow_u8, sink += k->narrow_i32_u8(V(a, int32_t), N, b))
BODY(narrow_i16, sink += k->narrow_i32_i16(V(a, int32_t), N, V(b, int16_t)))
BODY(narrow_u16, sink += k->narrow_i32_u16(V(a, int32_t), N, V(b, uint16_t)))
BODY(widen_i8_i32, k->widen_i8_i32((const int8_t *)a, N, V(b, int32_t)))
BODY(widen_i16_i32, k->widen_i16_i32(V(a, int16_t), N, V(b, int32_t)))
BODY(widen_u16_i32, k->widen_u16_i32(V(a, uint16_t), N, V(b, int32_t)))
BODY(widen_u32_u64, k->widen_u32_u64(V(a, uint32_t), N, V(b, uint64_t)))
BODY(widen_u8_i32, k->widen_u8_i32(a, N, V(b, int32_t)))
BODY(widen_i32_i64, k->widen_i32_i64(V(a, int32_t), N, V(b, int64_t)))
BODY(mul_i64, sink += k->mul_i64(V(a, int64_t), N, 1000, V(b, int64_t)))
BODY(products_i64, uint64_t seen[2];
     k->products_i64(V(a, int64_t), V(a, int64_t) + N / 2, N, V(b, int64_t), seen))
BODY(be_to_le, sink += k->be_to_le(a, arg, N, arg <= 4 ? 4 : arg <= 8 ? 8 : 16, b))
BODY(le_to_be, sink += k->le_to_be(a, arg <= 8 ? 8 : 16, N, arg, b))

static const struct {
    const char *name;
    body run;
    unsigned arg;
} rows[] = {
    {"unpack_u8 1", run_unpack_u8, 1},
    {"unpack_u8 3", run_unpack_u8, 3},
    {"unpack_u32 1", run_unpack_u32, 1},
    {"unpack_u32 3", run_unpack_u32, 3},
    {"unpack_u32 8", run_unpack_u32, 8},
    {"unpack_u32 10", run_unpack_u32, 10},
    {"unpack_u32 17", run_unpack_u32, 17},
    {"unpack_u32 29", run_unpack_u32, 29},
    {"unpack_u64 5", run_unpack_u64, 5},
    {"unpack_u64 20", run_unpack_u64, 20},
    {"unpack_u64 40", run_unpack_u64, 40},
    {"unpack_u64 61", run_unpack_u64, 61},
    {"pack_u32 1", run_pack_u32, 1},
    {"pack_u32 7", run_pack_u32, 7},
    {"pack_u32 13", run_pack_u32, 13},
    {"pack_u32 20", run_pack_u32, 20},
    {"pack_u64 20", run_pack_u64, 20},
    {"pack_u64 50", run_pack_u64, 50},
    {"popcount_bits", run_popcount, 0},
    {"copy_bits", run_copy_bits, 0},
    {"bits_to_bytes", run_bits_to_bytes, 0},
    {"bytes_to_bits", run_bytes_to_bits, 0},
    {"levels_to_bits_u8", run_levels_u8, 0},
    {"levels_to_bits_u32", run_levels_u32, 0},
    {"levels_from_u8", run_levels_from, 0},
    {"level_entries_u8", run_level_entries, 0},
    {"levels_agree_u8", run_levels_agree, 0},
    {"bits_of_256", run_bits_of_256, 0},
    {"ranks", run_ranks, 0},
    {"ascii", run_ascii, 0},
    {"fill_bits", run_fill_bits, 0},
    {"fill_4", run_fill_4, 0},
    {"fill_8", run_fill_8, 0},
    {"max_u32", run_max_u32, 0},
    {"gather_4", run_gather_4, 0},
    {"shift_u32", run_shift_u32, 0},
    {"gather_8", run_gather_8, 0},
    {"gather_16", run_gather_16, 0},
    {"gather_any 5", run_gather_any, 5},
    {"gather_any 12", run_gather_any, 12},
    {"gather_any 24", run_gather_any, 24},
    {"take_1", run_take_1, 0},
    {"take_2", run_take_2, 0},
    {"take_4", run_take_4, 0},
    {"take_8", run_take_8, 0},
    {"take_16", run_take_16, 0},
    {"spread_1", run_spread_1, 0},
    {"spread_2", run_spread_2, 0},
    {"spread_4", run_spread_4, 0},
    {"spread_8", run_spread_8, 0},
    {"spread_16", run_spread_16, 0},
    {"compress_1", run_compress_1, 0},
    {"compress_2", run_compress_2, 0},
    {"compress_4", run_compress_4, 0},
    {"compress_8", run_compress_8, 0},
    {"compress_16", run_compress_16, 0},
    {"changes_4", run_changes_4, 0},
    {"changes_8", run_changes_8, 0},
    {"equal_prefix_4", run_equal_4, 0},
    {"equal_prefix_8", run_equal_8, 0},
    {"delta_decode_i32", run_delta_i32, 0},
    {"delta_decode_i64", run_delta_i64, 0},
    {"split_decode 2", run_split_decode, 2},
    {"split_decode 4", run_split_decode, 4},
    {"split_decode 8", run_split_decode, 8},
    {"split_decode 16", run_split_decode, 16},
    {"split_encode 2", run_split_encode, 2},
    {"split_encode 4", run_split_encode, 4},
    {"split_encode 8", run_split_encode, 8},
    {"minmax_i8", run_minmax_i8, 0},
    {"minmax_i16", run_minmax_i16, 0},
    {"minmax_i32", run_minmax_i32, 0},
    {"minmax_i64", run_minmax_i64, 0},
    {"minmax_u8", run_minmax_u8, 0},
    {"minmax_u16", run_minmax_u16, 0},
    {"minmax_u32", run_minmax_u32, 0},
    {"minmax_u64", run_minmax_u64, 0},
    {"minmax_f32", run_minmax_f32, 0},
    {"minmax_f64", run_minmax_f64, 0},
    {"hash_4", run_hash_4, 0},
    {"hash_8", run_hash_8, 0},
    {"hash_16", run_hash_16, 0},
    {"narrow_i32_i8", run_narrow_i8, 0},
    {"narrow_i32_u8", run_narrow_u8, 0},
    {"narrow_i32_i16", run_narrow_i16, 0},
    {"narrow_i32_u16", run_narrow_u16, 0},
    {"widen_i8_i32", run_widen_i8_i32, 0},
    {"widen_i16_i32", run_widen_i16_i32, 0},
    {"widen_u16_i32", run_widen_u16_i32, 0},
    {"widen_u32_u64", run_widen_u32_u64, 0},
    {"widen_u8_i32", run_widen_u8_i32, 0},
    {"widen_i32_i64", run_widen_i32_i64, 0},
    {"mul_i64", run_mul_i64, 0},
    {"products_i64", run_products_i64, 0},
    {"be_to_le 3", run_be_to_le, 3},
    {"be_to_le 7", run_be_to_le, 7},
    {"be_to_le 16", run_be_to_le, 16},
    {"le_to_be 7", run_le_to_be, 7},
    {"le_to_be 16", run_le_to_be, 16},
};

static void *block(size_t bytes)
{
    void *p = aligned_alloc(64, bytes);
    if (!p)
        exit(1);
    return p;
}

static void prepare(void)
{
    uint64_t r = 1;
    a = block(MOST * 16 + 64);
    b = block(MOST * 16 + 64);
    zeros = block(MOST * 16 + 64);
    dict = block(1024 * 32);
    bits = block(MOST / 8 + 128);
    index32 = block((MOST + 16) * sizeof *index32);
    bytes32 = block((MOST + 16) * sizeof *bytes32);
    sel = block((MOST + 32) * sizeof *sel);
    for (size_t i = 0; i < MOST * 16 + 64; i++) {
        r = r * 6364136223846793005u + 1442695040888963407u;
        a[i] = (uint8_t)(r >> 56);
    }
    memcpy(b, a, MOST * 16 + 64);
    memset(zeros, 0, MOST * 16 + 64);
    memcpy(dict, a, 1024 * 32);
    for (size_t i = 0; i < MOST / 8 + 128; i++) /* nine in ten, about */
        bits[i] = (uint8_t)(a[i] | a[i + 5000] | a[i + 10000]);
    for (size_t i = 0; i < MOST; i++) {
        index32[i] = (uint32_t)(a[i * 2] | a[i * 2 + 1] << 8) % 1000;
        bytes32[i] = a[i];
        sel[i] = (uint16_t)(i - i % 3);
    }
}

static void print_row(const char *name, body run, unsigned arg)
{
    double best[KERNEL_LEVELS] = {0};
    for (int round = 0; round < 9; round++) {
        for (int l = 0; l < KERNEL_LEVELS && kernels_at((kernel_level)l); l++) {
            double rate = measure(kernels_at((kernel_level)l), run, arg);
            best[l] = rate > best[l] ? rate : best[l];
        }
    }
    printf("%-20s", name);
    for (int l = 0; l < KERNEL_LEVELS && kernels_at((kernel_level)l); l++)
        printf(" %12.2f", best[l]);
    printf("\n");
    fflush(stdout);
}

int main(int argc, char **argv)
{
    if (argc > 1 && strncmp(argv[1], "-n", 2) == 0) {
        N = strtoul(argv[1] + 2, NULL, 10);
        argc--;
        argv++;
    }
    if (N == 0 || N > MOST)
        return 2;
    prepare();
    printf("%-20s", "10^9 values/s");
    for (int l = 0; l < KERNEL_LEVELS && kernels_at((kernel_level)l); l++)
        printf(" %12s", kernels_at((kernel_level)l)->name);
    printf("\n");
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (argc < 2 || strncmp(rows[i].name, argv[1], strlen(argv[1])) == 0)
            print_row(rows[i].name, rows[i].run, rows[i].arg);
    return 0;
}
