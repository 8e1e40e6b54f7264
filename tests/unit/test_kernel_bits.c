#include "kernel_testing.h"

static size_t packed_bytes(unsigned width, size_t n)
{
    return (width * n + 7) / 8;
}

/* The definition, bit by bit. */
static uint64_t value_at(const uint8_t *p, unsigned width, size_t i)
{
    uint64_t v = 0;
    for (unsigned b = 0; b < width; b++) {
        size_t at = i * width + b;
        v |= (uint64_t)(p[at / 8] >> (at % 8) & 1) << b;
    }
    return v;
}

static void scalar_unpacks(void **state)
{
    (void)state;
    uint64_t seed = 1, out[MAX_N + 8];
    uint32_t out32[MAX_N + 16];
    for (unsigned width = 0; width <= 64; width++) {
        size_t n = 100;
        room src = room_new(packed_bytes(width, n), &seed);
        scalar()->unpack_u64(src.at, width, n, out);
        for (size_t i = 0; i < n; i++)
            assert_true(out[i] == value_at(src.at, width, i));
        if (width <= 32) {
            scalar()->unpack_u32(src.at, width, n, out32);
            for (size_t i = 0; i < n; i++)
                assert_true(out32[i] == value_at(src.at, width, i));
        }
        room_free(&src);
    }
}

static void unpack_case(const kernels *k, unsigned width, size_t n, uint64_t *seed)
{
    room src = room_new(packed_bytes(width, n), seed);
    room a = room_new(n * 8, seed), b = room_new(n * 8, seed);
    scalar()->unpack_u64(src.at, width, n, (uint64_t *)(void *)a.at);
    k->unpack_u64(src.at, width, n, (uint64_t *)(void *)b.at);
    SAME(k, "unpack_u64", n, a.at, b.at, n * 8);
    room_free(&a);
    room_free(&b);
    if (width <= 32) {
        a = room_new(n * 4, seed);
        b = room_new(n * 4, seed);
        scalar()->unpack_u32(src.at, width, n, (uint32_t *)(void *)a.at);
        k->unpack_u32(src.at, width, n, (uint32_t *)(void *)b.at);
        SAME(k, "unpack_u32", n, a.at, b.at, n * 4);
        room_free(&a);
        room_free(&b);
    }
    room_free(&src);
}

static void unpack(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int l = 0; level_at(l); l++) {
        for (unsigned width = 0; width <= 64; width++) {
            for (size_t n = 0; n <= MAX_N; n++)
                unpack_case(level_at(l), width, n, &seed);
            unpack_case(level_at(l), width, 5000, &seed);
        }
    }
}

/* Values with bits above the width; what comes out reads back as the low bits. */
static void pack_case(const kernels *k, unsigned width, size_t n, uint64_t *seed)
{
    size_t bytes = packed_bytes(width, n);
    uint64_t mask = width == 64 ? UINT64_MAX : ((uint64_t)1 << width) - 1;
    room v = room_new(n * 8, seed), out = room_new(bytes, seed), back = room_new(n * 8, seed);
    k->pack_u64((uint64_t *)(void *)v.at, width, n, out.at);
    scalar()->unpack_u64(out.at, width, n, (uint64_t *)(void *)back.at);
    for (size_t i = 0; i < n; i++)
        assert_true(load_u64(back.at + i * 8) == (load_u64(v.at + i * 8) & mask));
    if (bytes * 8 > n * width)
        EQUAL(k, "pack_u64 fill bits", n, out.at[bytes - 1] >> (n * width % 8), 0);
    if (width <= 32) {
        room out32 = room_new(bytes, seed), narrow = room_new(n * 4, seed);
        for (size_t i = 0; i < n; i++)
            memcpy(narrow.at + i * 4, v.at + i * 8, 4);
        k->pack_u32((uint32_t *)(void *)narrow.at, width, n, out32.at);
        SAME(k, "pack_u32", n, out32.at, out.at, bytes);
        room_free(&out32);
        room_free(&narrow);
    }
    room_free(&v);
    room_free(&out);
    room_free(&back);
}

static void pack(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (unsigned width = 0; width <= 64; width++) {
            for (size_t n = 0; n <= MAX_N; n++)
                pack_case(k, width, n, &seed);
            pack_case(k, width, 1500, &seed);
        }
    }
}

static void set_case(const kernels *k, size_t n, uint64_t *seed)
{
    room set = room_new(32, seed), bits = room_new((n + 7) / 8, seed);
    uint32_t *index = malloc(n * sizeof *index + 1);
    for (size_t i = 0; i < n; i++)
        index[i] = (uint32_t)(next_random(seed) % 256);
    k->bits_of_256(set.at, index, n, bits.at);
    for (size_t i = 0; i < bits.n * 8; i++)
        EQUAL(k, "bits_of_256", n, bit(bits.at, i), i < n && bit(set.at, index[i]));
    free(index);
    room_free(&bits);
    room_free(&set);
}

static void bitmap_case(const kernels *k, size_t off, size_t n, uint64_t *seed)
{
    room src = room_new((off + n + 7) / 8, seed);
    size_t ones = 0;
    for (size_t i = 0; i < n; i++)
        ones += bit(src.at, off + i);
    EQUAL(k, "popcount_bits", n, k->popcount_bits(src.at, off, n), ones);

    room bytes = room_new(n, seed);
    k->bits_to_bytes(src.at, off, n, bytes.at);
    for (size_t i = 0; i < n; i++)
        EQUAL(k, "bits_to_bytes", n, bytes.at[i], bit(src.at, off + i));
    for (size_t i = 0; i < n; i++)
        bytes.at[i] = bytes.at[i] ? (uint8_t)(next_random(seed) | 1) : 0;
    room bits = room_new((n + 7) / 8, seed);
    k->bytes_to_bits(bytes.at, n, bits.at);
    for (size_t i = 0; i < bits.n * 8; i++)
        EQUAL(k, "bytes_to_bits", n, bit(bits.at, i), i < n && bit(src.at, off + i));
    room_free(&bits);
    room_free(&bytes);

    size_t to = next_random(seed) % 20;
    room dst = room_new((to + n + 7) / 8 + 3, seed), was = room_copy(&dst, seed);
    k->copy_bits(src.at, off, dst.at, to, n);
    for (size_t i = 0; i < dst.n * 8; i++) {
        bool want = i >= to && i < to + n ? bit(src.at, off + i - to) : bit(was.at, i);
        EQUAL(k, "copy_bits", n, bit(dst.at, i), want);
    }
    bool value = next_random(seed) & 1;
    memcpy(was.at, dst.at, dst.n);
    k->fill_bits(dst.at, to, n, value);
    for (size_t i = 0; i < dst.n * 8; i++)
        EQUAL(k, "fill_bits", n, bit(dst.at, i), i >= to && i < to + n ? value : bit(was.at, i));
    room_free(&src);
    room_free(&dst);
    room_free(&was);
}

static void bitmaps(void **state)
{
    (void)state;
    uint64_t seed = 4;
    for (int l = -1; l < 0 || level_at(l); l++)
        for (size_t n = 0; n <= MAX_N; n++) {
            bitmap_case(l < 0 ? scalar() : level_at(l), next_random(&seed) % 70, n, &seed);
            set_case(l < 0 ? scalar() : level_at(l), n, &seed);
        }
}

static void ranks(void **state)
{
    (void)state;
    uint64_t seed = 6;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            room at = room_new((n + 7) / 8, &seed), of = room_new((n + 7) / 8, &seed);
            room out = room_new(n * 4, &seed);
            size_t got = k->ranks(at.at, of.at, n, 7, (uint32_t *)(void *)out.at), want = 0;
            uint32_t before = 7;
            for (size_t i = 0; i < n; i++) {
                if (bit(at.at, i))
                    EQUAL(k, "ranks", n, load_u32(out.at + 4 * want++), before);
                before += bit(of.at, i);
            }
            EQUAL(k, "ranks", n, got, want);
            room_free(&at);
            room_free(&of);
            room_free(&out);
        }
    }
}

static void levels_to_bits(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            room a = room_new(n, &seed), b = room_new(n * 4, &seed);
            room bits = room_new((n + 7) / 8, &seed);
            size_t want = 0, got;
            for (size_t i = 0; i < n; i++) {
                a.at[i] &= 3;
                store_u32(b.at + i * 4, a.at[i]);
                want += a.at[i] == 3;
            }
            got = k->levels_to_bits_u8(a.at, n, 3, bits.at);
            EQUAL(k, "levels_to_bits_u8", n, got, want);
            for (size_t i = 0; i < bits.n * 8; i++)
                EQUAL(k, "levels_to_bits_u8", n, bit(bits.at, i), i < n && a.at[i] == 3);
            memset(bits.at, 0xa5, bits.n);
            got = k->levels_to_bits_u32((uint32_t *)(void *)b.at, n, 3, bits.at);
            EQUAL(k, "levels_to_bits_u32", n, got, want);
            for (size_t i = 0; i < bits.n * 8; i++)
                EQUAL(k, "levels_to_bits_u32", n, bit(bits.at, i), i < n && a.at[i] == 3);
            room_free(&a);
            room_free(&b);
            room_free(&bits);
        }
    }
}

/* The choice: by name, never above what the CPU has; once; without a name, or with one that is
 * none, the best. */
static void choice(void **state)
{
    (void)state;
    static const char *const names[KERNEL_LEVELS] = {"scalar", "avx2", "avx512", "avx512_vbmi"};
    const kernels *best = scalar();
    for (int l = 0; l < KERNEL_LEVELS; l++) {
        const kernels *own = kernels_at((kernel_level)l);
        best = own ? own : best;
        atomic_store(&kernels_chosen, NULL);
        setenv("NARROWS_CPU", names[l], 1);
        assert_ptr_equal(kernels_get(), best);
        if (own) {
            assert_string_equal(own->name, names[l]);
            assert_int_equal(own->level, l);
        }
    }
    setenv("NARROWS_CPU", "scalar", 1);
    assert_ptr_equal(kernels_get(), best);
    setenv("NARROWS_CPU", "avx", 1);
    atomic_store(&kernels_chosen, NULL);
    assert_ptr_equal(kernels_get(), best);
    unsetenv("NARROWS_CPU");
    atomic_store(&kernels_chosen, NULL);
    assert_ptr_equal(kernels_get(), best);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalar_unpacks), cmocka_unit_test(unpack),
        cmocka_unit_test(pack),           cmocka_unit_test(bitmaps),
        cmocka_unit_test(levels_to_bits), cmocka_unit_test(choice),
        cmocka_unit_test(ranks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
