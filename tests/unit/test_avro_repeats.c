/* Text that repeats, as dictionary vectors: the same values, one dictionary while nothing new
 * comes, left alone where they are too many or memory is short. */
#include "format/avro/repeats.h"
#include "testing.h"

enum { ROWS = 1000 };

typedef void word_of(uint32_t row, char out[64]);

static void a_few(uint32_t row, char out[64])
{
    static const char *const words[] = {
        "", "AIR", "twelve bytes", "thirteen byte", "thirteen bytf", "a text that lies elsewhere"};

    strcpy(out, words[row * 7 % 6]);
}

static void as_many_as_go(uint32_t row, char out[64])
{
    snprintf(out, 64, row % 2 ? "%u" : "one of the longer texts, %u", row % AV_REPEATS_MOST);
}

static void too_many(uint32_t row, char out[64])
{
    snprintf(out, 64, "%u", row % (AV_REPEATS_MOST + 1));
}

static void too_long(uint32_t row, char out[64])
{
    memset(out, 'x', 63);
    snprintf(out + 60, 4, "%03u", row % 127);
}

static void some_more(uint32_t row, char out[64])
{
    snprintf(out, 64, "%u", row % 20);
}

/* Every fifth row is null, if `nulls`. */
static vector texts_of(mem *m, word_of *word, uint32_t rows, bool nulls)
{
    const type t = type_of(TYPE_UTF8);
    buffer *heap;
    int32_t index;
    char text[64];
    vector v;

    assert_int_equal(vector_flat(m, &t, rows, &v, NULL), NRW_OK);
    assert_int_equal(buffer_new(m, rows * 64 + 1, &heap, NULL), NRW_OK);
    assert_int_equal(vector_add_heap(&v, heap, &index, NULL), NRW_OK);
    v.len = rows;
    if (nulls)
        assert_int_equal(vector_add_validity(&v, NULL), NRW_OK);
    for (uint32_t i = 0; i < rows; i++) {
        uint8_t *at = heap->data + heap->len;
        word(i, text);
        memcpy(at, text, strlen(text));
        ((view *)(void *)v.data)[i] =
            view_make(at, (int32_t)strlen(text), index, (int32_t)heap->len);
        heap->len += strlen(text);
        if (nulls && i % 5 == 0) {
            bit_clear(v.validity, i);
            v.null_count++;
        }
    }
    buffer_unref(heap);
    return v;
}

static void check(const vector *v, word_of *word, uint32_t rows, bool nulls)
{
    char text[64];
    bool null;

    assert_int_equal(v->len, rows);
    assert_int_equal(v->null_count, nulls ? (rows + 4) / 5 : 0);
    for (uint32_t i = 0; i < rows; i++) {
        span x = vector_value(v, i, &null);
        word(i, text);
        assert_int_equal(null, nulls && i % 5 == 0);
        assert_true(null || span_is(x, text));
    }
}

/* Two batches behind each other; the forms they come in. */
static void two(word_of *word, bool nulls, vector_form first, vector_form second)
{
    mem *m;
    uint64_t id = 0;
    av_repeats r;

    assert_int_equal(mem_root(1 << 20, &m, NULL), NRW_OK);
    av_repeats_init(&r, m);
    for (int k = 0; k < 2; k++) {
        vector v = texts_of(m, word, ROWS, nulls);
        av_repeats_find(&r, &v);
        assert_int_equal(v.form, k ? second : first);
        check(&v, word, ROWS, nulls);
        if (v.form == VECTOR_DICT) {
            assert_true(k == 0 || v.dict->id == id);
            id = v.dict->id;
        }
        vector_release(&v);
    }
    av_repeats_release(&r);
    mem_trim();
    assert_int_equal(mem_used(m), 0);
    mem_free_account(m);
}

static void forms(void **state)
{
    (void)state;
    for (int nulls = 0; nulls < 2; nulls++) {
        two(a_few, nulls, VECTOR_DICT, VECTOR_DICT);
        two(as_many_as_go, nulls, VECTOR_DICT, VECTOR_DICT);
        two(too_many, nulls, VECTOR_FLAT, VECTOR_FLAT);
        two(too_long, nulls, VECTOR_DICT, VECTOR_DICT);
    }
}

/* New texts make a new dictionary; the one before stays what it was. */
static void grows(void **state)
{
    vector first, then;
    mem *m;
    av_repeats r;

    (void)state;
    assert_int_equal(mem_root(1 << 20, &m, NULL), NRW_OK);
    av_repeats_init(&r, m);
    first = texts_of(m, a_few, ROWS, false);
    av_repeats_find(&r, &first);
    then = texts_of(m, some_more, ROWS, false);
    av_repeats_find(&r, &then);
    assert_int_equal(first.dict->values.len, 6);
    assert_int_equal(then.dict->values.len, 26);
    check(&first, a_few, ROWS, false);
    check(&then, some_more, ROWS, false);
    vector_release(&first);
    vector_release(&then);
    av_repeats_release(&r);
    mem_trim();
    assert_int_equal(mem_used(m), 0);
    mem_free_account(m);
}

/* Whatever fits or not, the values are there. */
static void little_memory(void **state)
{
    uint32_t dicts = 0;

    (void)state;
    for (uint64_t limit = 500; limit < 30000; limit += 500) {
        av_repeats r;
        vector v;
        mem *m, *grant;
        assert_int_equal(mem_root(1 << 20, &m, NULL), NRW_OK);
        v = texts_of(m, a_few, ROWS, true);
        assert_int_equal(mem_child(m, "reader", limit, &grant, NULL), NRW_OK);
        av_repeats_init(&r, grant);
        av_repeats_find(&r, &v);
        dicts += v.form == VECTOR_DICT;
        check(&v, a_few, ROWS, true);
        vector_release(&v);
        av_repeats_release(&r);
        mem_free_account(grant);
        mem_trim();
        assert_int_equal(mem_used(m), 0);
        mem_free_account(m);
    }
    assert_true(dicts > 0 && dicts < 59);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(grows),
                                       cmocka_unit_test(little_memory)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
