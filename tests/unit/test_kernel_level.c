/* Kernels over levels and text, and the checksum: by their definitions, at every level of this CPU.
 */
#include "kernel/window.h"
#include "kernel_testing.h"

static void unpack_u8(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            unsigned width = (unsigned)(n % 9);
            room src = room_new((width * n + 7) / 8, &seed), out = room_new(n, &seed);
            room wide = room_new(n * 4, &seed);
            k->unpack_u8(src.at, width, n, out.at);
            scalar()->unpack_u32(src.at, width, n, (uint32_t *)(void *)wide.at);
            for (size_t i = 0; i < n; i++)
                EQUAL(k, "unpack_u8", n, out.at[i], load_u32(wide.at + i * 4));
            room_free(&src);
            room_free(&out);
            room_free(&wide);
        }
    }
}

static room random_levels(size_t n, uint64_t *seed)
{
    room r = room_new(n, seed);
    for (size_t i = 0; i < n; i++)
        r.at[i] = n % 5 == 0 ? 3 : r.at[i] & 3;
    return r;
}

static void from_level(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            room a = random_levels(n, &seed), bits = room_new((n + 7) / 8, &seed);
            uint8_t least = (uint8_t)(n % 5);
            size_t want = 0, got = k->levels_from_u8(a.at, n, least, bits.at);
            for (size_t i = 0; i < bits.n * 8; i++) {
                bool there = i < n && a.at[i] >= least;
                want += there;
                EQUAL(k, "levels_from_u8", n, bit(bits.at, i), there);
            }
            EQUAL(k, "levels_from_u8", n, got, want);
            room_free(&a);
            room_free(&bits);
        }
    }
}

static void entries(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            room a = random_levels(n, &seed), bits = room_new((n + 7) / 8, &seed);
            uint8_t least = (uint8_t)(n % 4);
            size_t want = 0, got = k->level_entries_u8(a.at, n, least, 3, bits.at);
            for (size_t i = 0; i < n; i++)
                if (a.at[i] >= least)
                    EQUAL(k, "level_entries_u8", n, bit(bits.at, want++), a.at[i] == 3);
            EQUAL(k, "level_entries_u8", n, got, want);
            room_free(&a);
            room_free(&bits);
        }
    }
}

/* Pairs that differ above `top` alone agree; one that differs below it is found wherever it is. */
static void agree(void **state)
{
    (void)state;
    uint64_t seed = 4;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            room a = random_levels(n, &seed), b = room_copy(&a, &seed);
            for (size_t i = 0; i < n; i++)
                b.at[i] = b.at[i] >= 2 ? 2 + (uint8_t)(next_random(&seed) & 1) : b.at[i];
            EQUAL(k, "levels_agree_u8", n, k->levels_agree_u8(a.at, b.at, n, 2), true);
            for (size_t i = 0; i < n; i += 1 + n / 16) {
                uint8_t was = b.at[i];
                b.at[i] = a.at[i] ? 0 : 1;
                EQUAL(k, "levels_agree_u8", n, k->levels_agree_u8(a.at, b.at, n, 2), false);
                b.at[i] = was;
            }
            room_free(&a);
            room_free(&b);
        }
    }
}

static void ascii(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            room a = room_new(n, &seed);
            for (size_t i = 0; i < n; i++)
                a.at[i] &= 0x7f;
            EQUAL(k, "ascii", n, k->ascii(a.at, n), true);
            for (size_t i = 0; i < n; i += 1 + n / 16) {
                a.at[i] |= 0x80;
                EQUAL(k, "ascii", n, k->ascii(a.at, n), false);
                a.at[i] &= 0x7f;
            }
            room_free(&a);
        }
    }
}

/* The form for this CPU beside the scalar one and the definition. */
static void window(void **state)
{
    (void)state;
    uint64_t seed = 6;
    for (size_t n = 0; n < 4096; n++) {
        room a = room_new(16, &seed);
        unsigned want = 0;
        for (unsigned i = 0; i < 16; i++) {
            a.at[i] = n % 5 == 0 ? (uint8_t)(n / 5 >> i % 8 << 7 | (n + i) % 128) : a.at[i];
            want |= (unsigned)(a.at[i] >> 7) << i;
        }
        EQUAL(scalar(), "high_bits_8", n, high_bits_8(load_u64(a.at)), want & 0xff);
        EQUAL(scalar(), "high_bits_16", n, high_bits_16(a.at), want);
        EQUAL(scalar(), "high_bits_16_scalar", n, high_bits_16_scalar(a.at), want);
        room_free(&a);
    }
}

static void window_64(void **state)
{
    (void)state;
    uint64_t seed = 7;
    for (size_t n = 0; n < 512; n++) {
        room a = room_new(64, &seed);
        uint64_t want = 0;
        for (unsigned i = 0; i < 64; i++) {
            a.at[i] = n < 64 ? (uint8_t)((i == n) << 7) : a.at[i];
            want |= (uint64_t)(a.at[i] >> 7) << i;
        }
        EQUAL(scalar(), "high_bits_64", n, high_bits_64(a.at), want);
        room_free(&a);
    }
}

/* What stands behind the text is not looked at; a byte of it that is not ASCII is noticed. */
static void short_views(void **state)
{
    (void)state;
    uint64_t seed = 8;
    for (size_t n = 0; n < 4096; n++) {
        const size_t len = n % 13, high = n / 13 % 14;
        room a = room_new(16, &seed), by_cpu = room_new(16, &seed), twin = room_new(16, &seed);
        uint8_t want[16] = {(uint8_t)len};
        for (size_t i = 0; i < len; i++)
            want[4 + i] = a.at[i] = (uint8_t)((a.at[i] & 0x7f) | (i == high) << 7);
        EQUAL(scalar(), "short_view", n, short_view(a.at, len, by_cpu.at), high >= len);
        EQUAL(scalar(), "short_view_scalar", n, short_view_scalar(a.at, len, twin.at), high >= len);
        EQUAL(scalar(), "short_view", n, memcmp(by_cpu.at, want, 16), 0);
        EQUAL(scalar(), "short_view_scalar", n, memcmp(twin.at, want, 16), 0);
        room_free(&a);
        room_free(&by_cpu);
        room_free(&twin);
    }
}

/* Of known text, of arrays whose every length takes another way, and put together of two. */
static void crc32(void **state)
{
    (void)state;
    uint64_t seed = 9;
    const uint8_t text[64] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcde";
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        EQUAL(k, "crc32", 64, k->crc32(0, text, 64), 0x03ad680eu);
        EQUAL(k, "crc32", 0, k->crc32(7, NULL, 0), 7);
        for (size_t n = 0; n <= 2048; n += 64) {
            room a = room_with(n, 0, &seed);
            const uint32_t from = (uint32_t)next_random(&seed), half = (uint32_t)(n / 128 * 64);
            const uint32_t want = scalar()->crc32(from, a.at, n);
            EQUAL(k, "crc32", n, k->crc32(from, a.at, n), want);
            EQUAL(k, "crc32", n, k->crc32(k->crc32(from, a.at, half), a.at + half, n - half), want);
            room_free(&a);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unpack_u8), cmocka_unit_test(from_level),  cmocka_unit_test(entries),
        cmocka_unit_test(agree),     cmocka_unit_test(ascii),       cmocka_unit_test(window),
        cmocka_unit_test(window_64), cmocka_unit_test(short_views), cmocka_unit_test(crc32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
