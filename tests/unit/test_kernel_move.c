#include "kernel_testing.h"

static void fill(void **state)
{
    (void)state;
    uint64_t seed = 1;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            room a = room_new(n * 4, &seed), b = room_new(n * 8, &seed);
            uint64_t v = next_random(&seed);
            k->fill_4(a.at, (uint32_t)v, n);
            k->fill_8(b.at, v, n);
            for (size_t i = 0; i < n; i++) {
                EQUAL(k, "fill_4", n, load_u32(a.at + i * 4), (uint32_t)v);
                EQUAL(k, "fill_8", n, load_u64(b.at + i * 8), v);
            }
            room_free(&a);
            room_free(&b);
        }
    }
}

typedef void (*gather)(const void *dict, const uint32_t *index, size_t n, void *dst);

/* The dictionary has no slack at all. */
static void gather_case(const kernels *k, const char *what, gather g, size_t width, size_t n,
                        uint64_t *seed)
{
    enum { ENTRIES = 37 };
    room dict = room_with(ENTRIES * width, 0, seed);
    room index = room_new(n * 4, seed), out = room_new(n * width, seed);
    for (size_t i = 0; i < n; i++)
        store_u32(index.at + i * 4, (uint32_t)(next_random(seed) % ENTRIES));
    if (g)
        g(dict.at, (uint32_t *)(void *)index.at, n, out.at);
    else
        k->gather_any(dict.at, width, (uint32_t *)(void *)index.at, n, out.at);
    for (size_t i = 0; i < n; i++)
        SAME(k, what, n, out.at + i * width, dict.at + load_u32(index.at + i * 4) * width, width);
    room_free(&dict);
    room_free(&index);
    room_free(&out);
}

/* Dictionaries that fill registers in part, wholly, and not at all. */
static void look_up_case(const kernels *k, size_t n, uint64_t *seed)
{
    static const size_t ENTRIES[] = {1, 15, 16, 17, 33, 63, 64, 65, 1000};
    for (size_t e = 0; e < sizeof ENTRIES / sizeof *ENTRIES; e++) {
        uint32_t *dict = malloc(ENTRIES[e] * 4);
        room index = room_new(n * 4, seed), out = room_new(n * 4, seed);
        for (size_t i = 0; i < ENTRIES[e]; i++)
            dict[i] = (uint32_t)next_random(seed);
        for (size_t i = 0; i < n; i++)
            store_u32(index.at + i * 4, (uint32_t)(next_random(seed) % ENTRIES[e]));
        k->look_up_4(dict, ENTRIES[e], (uint32_t *)(void *)index.at, n, out.at);
        for (size_t i = 0; i < n; i++)
            EQUAL(k, "look_up_4", n, load_u32(out.at + i * 4), dict[load_u32(index.at + i * 4)]);
        free(dict);
        room_free(&index);
        room_free(&out);
    }
}

static void gathers(void **state)
{
    (void)state;
    uint64_t seed = 2;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            gather_case(k, "gather_4", k->gather_4, 4, n, &seed);
            look_up_case(k, n, &seed);
            gather_case(k, "gather_8", k->gather_8, 8, n, &seed);
            gather_case(k, "gather_16", k->gather_16, 16, n, &seed);
            gather_case(k, "gather_any", NULL, 1 + n % 33, n, &seed);
        }
    }
}

static void shifts(void **state)
{
    (void)state;
    uint64_t seed = 12;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            room src = room_new(n * 4, &seed), want = room_new(n * 4, &seed);
            room out = room_new(n * 4, &seed);
            uint32_t above = (uint32_t)next_random(&seed), below = (uint32_t)next_random(&seed);
            uint32_t split = n % 5 == 0   ? 0
                             : n % 5 == 1 ? UINT32_MAX
                                          : (uint32_t)next_random(&seed);
            for (size_t i = 0; i < n; i++) {
                uint32_t v = load_u32(src.at + i * 4);
                if (i % 3 == 0) /* at the border itself, and beside it */
                    store_u32(src.at + i * 4, v = split + (uint32_t)(i / 3 % 3) - 1);
                store_u32(want.at + i * 4, v + (v < split ? below : above));
            }
            k->shift_u32((uint32_t *)(void *)src.at, n, split, below, above,
                         (uint32_t *)(void *)out.at);
            SAME(k, "shift_u32", n, out.at, want.at, n * 4);
            room_free(&src);
            room_free(&want);
            room_free(&out);
        }
    }
}

typedef void (*take)(const void *src, const uint16_t *sel, size_t n, void *dst);

static void take_case(const kernels *k, const char *what, take t, size_t width, size_t n,
                      uint64_t *seed)
{
    room src = room_new((n + 5) * width, seed), sel = room_new(n * 2, seed);
    room out = room_new(n * width, seed);
    for (size_t i = 0; i < n; i++) {
        uint16_t s = (uint16_t)(next_random(seed) % (n + 5));
        memcpy(sel.at + i * 2, &s, 2);
    }
    t(src.at, (uint16_t *)(void *)sel.at, n, out.at);
    for (size_t i = 0; i < n; i++) {
        uint16_t s;
        memcpy(&s, sel.at + i * 2, 2);
        SAME(k, what, n, out.at + i * width, src.at + s * width, width);
    }
    room_free(&src);
    room_free(&sel);
    room_free(&out);
}

static void takes(void **state)
{
    (void)state;
    uint64_t seed = 3;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            take_case(k, "take_1", k->take_1, 1, n, &seed);
            take_case(k, "take_2", k->take_2, 2, n, &seed);
            take_case(k, "take_4", k->take_4, 4, n, &seed);
            take_case(k, "take_8", k->take_8, 8, n, &seed);
            take_case(k, "take_16", k->take_16, 16, n, &seed);
        }
    }
}

typedef size_t (*spread)(const void *src, const uint8_t *bits, size_t off, size_t n, void *dst);

/* Spread, then compress again: the dense values come back, the gaps are zero. */
static void spread_case(const kernels *k, const char *what, spread out, spread in, size_t width,
                        size_t n, uint64_t *seed)
{
    static const uint8_t zero[16];
    size_t off = next_random(seed) % 70, ones = 0;
    room bits = room_new((off + n + 7) / 8, seed);
    unsigned density = (unsigned)next_random(seed) % 5;
    for (size_t i = 0; i < bits.n && density != 1; i++) /* all, none, sparse, dense, random */
        bits.at[i] = density == 0   ? 0xff
                     : density == 2 ? 0
                     : density == 3 ? (uint8_t)(bits.at[i] & 1)
                                    : (uint8_t)(bits.at[i] | 0x7f);
    for (size_t i = 0; i < n; i++)
        ones += bit(bits.at, off + i);
    room dense = room_new(ones * width, seed), wide = room_new(n * width, seed);
    EQUAL(k, what, n, out(dense.at, bits.at, off, n, wide.at), ones);
    for (size_t i = 0, at = 0; i < n; i++) {
        bool there = bit(bits.at, off + i);
        const uint8_t *want = there ? dense.at + at * width : zero;
        SAME(k, what, n, wide.at + i * width, want, width);
        at += there;
    }
    room back = room_new(ones * width, seed);
    EQUAL(k, what, n, in(wide.at, bits.at, off, n, back.at), ones);
    SAME(k, what, n, back.at, dense.at, ones * width);
    room_free(&bits);
    room_free(&dense);
    room_free(&wide);
    room_free(&back);
}

static void spreads(void **state)
{
    (void)state;
    uint64_t seed = 4;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            spread_case(k, "spread_1", k->spread_1, k->compress_1, 1, n, &seed);
            spread_case(k, "spread_2", k->spread_2, k->compress_2, 2, n, &seed);
            spread_case(k, "spread_4", k->spread_4, k->compress_4, 4, n, &seed);
            spread_case(k, "spread_8", k->spread_8, k->compress_8, 8, n, &seed);
            spread_case(k, "spread_16", k->spread_16, k->compress_16, 16, n, &seed);
        }
    }
}

static void runs(void **state)
{
    (void)state;
    uint64_t seed = 5;
    for (int l = -1; l < 0 || level_at(l); l++) {
        const kernels *k = l < 0 ? scalar() : level_at(l);
        for (size_t n = 0; n <= MAX_N; n++) {
            room v = room_new(n * 8, &seed);
            size_t prefix = n ? next_random(&seed) % n + 1 : 0, changes = 0;
            for (size_t i = 0; i < n; i++)
                store_u64(v.at + i * 8,
                          i < prefix ? 7 : (uint64_t)8 << (next_random(&seed) % 2 * 40));
            for (size_t i = 1; i < n; i++)
                changes += load_u64(v.at + i * 8) != load_u64(v.at + i * 8 - 8);
            EQUAL(k, "changes_8", n, k->changes_8(v.at, n), changes);
            EQUAL(k, "equal_prefix_8", n, k->equal_prefix_8(v.at, n), prefix);
            for (size_t i = 0; i < n; i++)
                store_u32(v.at + i * 4, (uint32_t)(i < prefix ? 7 : next_random(&seed) % 2));
            changes = 0;
            for (size_t i = 1; i < n; i++)
                changes += load_u32(v.at + i * 4) != load_u32(v.at + i * 4 - 4);
            EQUAL(k, "changes_4", n, k->changes_4(v.at, n), changes);
            EQUAL(k, "equal_prefix_4", n, k->equal_prefix_4(v.at, n), prefix);
            EQUAL(k, "equal_eight_4", n, k->equal_eight_4(v.at, n),
                  scalar()->equal_eight_4(v.at, n));
            if (n >= 40) { /* eight alike in the middle, seven before them */
                store_u32(v.at, 9);
                for (size_t i = 1; i < n; i++)
                    store_u32(v.at + i * 4, (uint32_t)(i / 7));
                for (size_t i = 24; i < 32; i++)
                    store_u32(v.at + i * 4, 5);
                EQUAL(k, "equal_eight_4", n, k->equal_eight_4(v.at, n), 24);
            }
            room_free(&v);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fill),  cmocka_unit_test(gathers), cmocka_unit_test(shifts),
        cmocka_unit_test(takes), cmocka_unit_test(spreads), cmocka_unit_test(runs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
