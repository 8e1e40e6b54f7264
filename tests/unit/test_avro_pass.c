/* Elements that nobody wants, passed over by guesses: where each ends is what reading byte for byte
 * finds, whatever was expected. */
#include "format/avro/cursor.h"
#include "format/avro/pass.h"
#include "testing.h"

enum { MOST = 12, RECORDS = 400, ROOM = RECORDS * MOST * 96 };

typedef struct maker {
    uint64_t seed;
    uint8_t *p;
} maker;

static uint32_t any(maker *k, uint32_t n)
{
    k->seed = k->seed * UINT64_C(6364136223846793005) + 1442695040888963407;
    return (uint32_t)(k->seed >> 33) % n;
}

static void put_number(maker *k, uint64_t x)
{
    for (; x >= 128; x >>= 7)
        *k->p++ = (uint8_t)(x | 128);
    *k->p++ = (uint8_t)x;
}

/* How an element's values go: the same size always, another for some records, for one, at random.
 */
static uint64_t value_of(maker *k, uint32_t manner, uint32_t record, uint64_t usual, uint64_t other)
{
    switch (manner) {
    case 0: return usual;
    case 1: return record % 64 < 5 ? other : usual;
    case 2: return record % 37 == 9 ? other : usual;
    default: return any(k, 2) ? other : usual;
    }
}

static void put_element(maker *k, const av_step *s, uint32_t manner, uint32_t record)
{
    if (s->maybe) {
        const bool null = value_of(k, manner, record, 0, 1) != 0;
        *k->p++ = (uint8_t)(2 * (null ? s->null : 1 - s->null));
        if (null) {
            k->p += s->then;
            return;
        }
    }
    if (s->op == AV_OP_SKIP_BYTES) {
        const uint64_t len = value_of(k, manner, record, s->n % 9, 70);
        put_number(k, 2 * len);
        k->p += len;
    } else if (s->op == AV_OP_SKIP_FIXED) {
        k->p += s->n;
    } else {
        for (uint32_t i = 0; i < s->n; i++)
            put_number(k, value_of(k, manner, record, 300, 7));
    }
    k->p += s->then;
}

static void make_steps(maker *k, av_step *steps, uint32_t *manners, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        const av_op op = AV_OP_SKIP_FIXED + any(k, 3);
        steps[i] = (av_step){.op = (uint8_t)op,
                             .maybe = any(k, 4) == 0,
                             .null = any(k, 2),
                             .n = 1 + any(k, op == AV_OP_SKIP_VARINT ? AV_NUMBERS_MOST : 12),
                             .then = any(k, 3) ? 0 : any(k, 9),
                             .place = i,
                             .run = n - i,
                             .guess = i};
        manners[i] = any(k, 8) ? any(k, 3) : 3;
    }
    steps[n] = (av_step){.op = AV_OP_JUMP};
}

/* Passes RECORDS records of n elements; each ends where it was made to end. */
static void pass_all(uint64_t seed, uint8_t *room)
{
    maker k = {seed, room};
    av_step steps[MOST + 1];
    av_guess guesses[MOST + 1];
    uint32_t manners[MOST], ends[RECORDS];
    const uint32_t n = 1 + any(&k, MOST);

    memset(room, 0xA5, ROOM);
    make_steps(&k, steps, manners, n);
    for (uint32_t i = 0; i < RECORDS; i++) {
        for (uint32_t e = 0; e < n; e++)
            put_element(&k, &steps[e], manners[e], i);
        ends[i] = (uint32_t)(k.p - room);
    }
    av_run r = {.end = k.p + AV_AHEAD, .left = RECORDS, .rows = RECORDS, .guesses = guesses};
    const uint8_t *last = r.end - AV_AHEAD;
    const uint8_t *p = room;
    av_guess_anew(guesses, n + 1);
    for (uint32_t i = 0; i < RECORDS; i++, r.left--) {
        if (seed % 2 && i % 50 == 49)
            av_guess_on(guesses, n + 1);
        av_place at = av_pass(&r, steps, p, last);
        assert_ptr_equal(at.step, steps + n);
        assert_int_equal(at.p - room, ends[i]);
        p = at.p;
    }
}

static void test_ends(void **state)
{
    (void)state;
    uint8_t *room = malloc(ROOM);
    assert_non_null(room);
    for (uint64_t seed = 1; seed <= 300; seed++)
        pass_all(seed, room);
    free(room);
}

/* A number and the length behind it are asked for at once; what is another twice in a row is
 * followed, and from then on the first time. */
static void test_leaps(void **state)
{
    (void)state;
    av_step steps[4] = {{.op = AV_OP_SKIP_VARINT, .n = 1, .run = 3},
                        {.op = AV_OP_SKIP_BYTES, .place = 1, .run = 2, .guess = 1},
                        {.op = AV_OP_SKIP_VARINT, .n = 1, .place = 2, .run = 1, .guess = 2},
                        {.op = AV_OP_JUMP}};
    av_guess guesses[4];
    uint8_t record[64] = {0x80, 1, 2 * 3, 'a', 'b', 'c', 5};
    av_run r = {.end = record + 64, .left = 100, .rows = 100, .guesses = guesses};

    av_guess_anew(guesses, 4);
    assert_ptr_equal(av_pass(&r, steps, record, record + 40).p, record + 7);
    assert_int_equal(guesses[0].leap.advance, 7);
    assert_int_equal(guesses[1].leap.first, 3);
    assert_int_equal(guesses[0].leap.expect, 0x60080 & guesses[0].leap.mask);
    r.left -= 10;
    memmove(record + 1, record + 2, 5);
    record[0] = 9;
    for (int i = 0; i < 2; i++) {
        r.left--;
        assert_ptr_equal(av_pass(&r, steps, record, record + 40).p, record + 6);
        assert_int_equal(guesses[0].advance, 2 - i);
    }
    assert_true(guesses[0].following);
    assert_int_equal(guesses[0].leap.advance, 6);
    r.left -= 10;
    memmove(record + 1, record, 6);
    record[0] = 0x80;
    assert_ptr_equal(av_pass(&r, steps, record, record + 40).p, record + 7);
    assert_int_equal(guesses[0].leap.advance, 7); /* at once now */
}

/* A number of one byte or two, in turn, in front of a text: so the leap is what it was before,
 * which is not learnt anew, unless that goes on for too long. */
static void test_exchange(void **state)
{
    (void)state;
    av_step steps[3] = {{.op = AV_OP_SKIP_VARINT, .n = 1, .run = 2},
                        {.op = AV_OP_SKIP_BYTES, .place = 1, .run = 1, .guess = 1},
                        {.op = AV_OP_JUMP}};
    av_guess guesses[3];
    uint8_t records[2][64] = {{5, 2 * 3, 'a', 'b', 'c'}, {0x80, 1, 2 * 3, 'a', 'b', 'c'}};
    av_run r = {.left = 100, .rows = 100, .guesses = guesses};
    uint16_t misses = 0;

    av_guess_anew(guesses, 3);
    for (unsigned i = 0; i < 100; i++) {
        uint8_t *record = records[i / 3 % 2];
        const size_t len = 5 + i / 3 % 2;
        r.end = record + (i % 3 == 1 ? len : 60);
        assert_ptr_equal(av_pass(&r, steps, record, record + 40).p, record + len);
        if (i == 6)
            misses = guesses[0].misses;
        if (i >= 6 && i < 48) {
            assert_int_equal(guesses[0].leap.advance, len);
            assert_int_equal(guesses[0].reach, len);
            assert_int_equal(guesses[0].advance, len - 4);
            assert_int_equal(guesses[0].other.leap.advance, 11 - len);
            assert_int_equal(guesses[0].misses, misses);
        }
    }
    assert_true(guesses[0].misses > misses);
}

/* Guesses stay when they are counted anew; what was given up is learnt again. */
static void test_on(void **state)
{
    (void)state;
    av_step steps[2] = {{.op = AV_OP_SKIP_BYTES, .run = 1}, {.op = AV_OP_JUMP}};
    av_guess guesses[2];
    uint8_t record[64] = {0};
    av_run r = {.end = record + 64, .left = 100, .rows = 100, .guesses = guesses};

    av_guess_anew(guesses, 2);
    for (int i = 0; i < 50; i++, r.left--) {
        record[0] = (uint8_t)(i % 9 * 2);
        assert_ptr_equal(av_pass(&r, steps, record, record + 40).p, record + 1 + i % 9);
    }
    assert_int_equal(guesses[0].mask, 0);
    av_guess_on(guesses, 2);
    r.left = 100;
    record[0] = 7 * 2;
    for (int i = 0; i < 2; i++, r.left--)
        assert_ptr_equal(av_pass(&r, steps, record, record + 40).p, record + 8);
    assert_int_equal(guesses[0].leap.advance, 8);
    assert_int_equal(guesses[0].reach, 8);
    av_guess_on(guesses, 2);
    assert_int_equal(guesses[0].leap.advance, 8);
    assert_int_equal(guesses[0].misses, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ends), cmocka_unit_test(test_leaps),
                                       cmocka_unit_test(test_exchange), cmocka_unit_test(test_on)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
