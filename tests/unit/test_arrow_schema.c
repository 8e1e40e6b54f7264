/* Arrow schemas: written and read again, damaged in every byte, and base64 (RFC 4648, section 10).
 * That Arrow itself understands them is seen in tests/oracle/writing.py. */
#include "testing.h"

#include "base/base64.h"
#include "column/arrow_schema.h"

enum { LIMIT = 4 << 20 };

static const field items[] = {{.name = "item", .type = {.id = TYPE_INT8, .width = 1}}};
static const field pairs[] = {{.name = "key", .type = {.id = TYPE_UTF8, .width = 16}},
                              {.name = "value",
                               .type = {.id = TYPE_DURATION, .unit = UNIT_MS, .width = 8},
                               .nullable = true}};

static const field_note large = {.form = ARROW_LARGE, .edges = -1, .version = -1};
static const field_note fixed = {.form = ARROW_FIXED, .list_size = 3, .edges = -1, .version = -1};
static const field_note berlin = {.zone = "Europe/Berlin", .edges = -1, .version = -1};
static const note_pair own[] = {{"k", "v", 1}, {"empty", "", 0}};
static const field_note indexed = {.dictionary = true,
                                   .ordered = true,
                                   .index_bits = 8,
                                   .n_pairs = 2,
                                   .pairs = own,
                                   .edges = -1,
                                   .version = -1};

/* A field of every type, and of every note. */
static schema all_types(field *room)
{
    uint32_t n = 0;

    for (int id = TYPE_NULL; id < TYPE_LIST; id++)
        if (id != TYPE_INTERVAL && id != TYPE_BSON && id != TYPE_ENUM && /* binary to Arrow */
            id != TYPE_INT128 && id != TYPE_UINT128)                     /* decimals */
            room[n++] = (field){.name = "plain", .type = type_of((type_id)id), .nullable = id & 1};
    for (int unit = UNIT_S; unit <= UNIT_NS; unit++) {
        room[n++] = (field){.name = "at", .type = type_timestamp((time_unit)unit, unit & 1)};
        room[n++] = (field){.name = "lasts", .type = type_duration((time_unit)unit)};
        room[n++] = (field){.name = "time", .type = type_time((time_unit)unit, false)};
    }
    room[n++] = (field){.name = "d", .type = type_decimal(76, 70)};
    room[n++] = (field){.name = "bytes", .type = type_fixed(7)};
    room[n++] = (field){.name = "l", .type = type_nested(TYPE_LIST, items, 1), .note = &fixed};
    room[n++] = (field){.name = "m", .type = type_nested(TYPE_MAP, pairs, 2), .nullable = true};
    room[n++] = (field){.name = "s", .type = type_nested(TYPE_STRUCT, pairs, 2)};
    room[n++] = (field){.name = "none", .type = type_nested(TYPE_STRUCT, NULL, 0)};
    room[n++] = (field){.name = "big", .type = type_of(TYPE_UTF8), .note = &large};
    room[n++] = (field){.name = "zone", .type = type_timestamp(UNIT_US, true), .note = &berlin};
    room[n++] = (field){.name = "dict", .type = type_of(TYPE_UTF8), .note = &indexed};
    return (schema){.n_fields = n, .fields = room};
}

static void same_notes(const field_note *a, const field_note *b)
{
    static const field_note none;

    a = a ? a : &none;
    b = b ? b : &none;
    assert_int_equal(a->form, b->form);
    assert_int_equal(a->list_size, b->list_size);
    assert_int_equal(a->dictionary, b->dictionary);
    assert_int_equal(a->ordered, b->ordered);
    assert_int_equal(a->zone != NULL, b->zone != NULL);
    if (a->zone)
        assert_string_equal(a->zone, b->zone);
    if (a->dictionary) {
        assert_int_equal(a->index_bits, b->index_bits);
        assert_int_equal(a->index_signed, b->index_signed);
    }
}

static void test_round_trip(void **state)
{
    mem *m = test_mem_open(LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    bytes out = bytes_init(m, LIMIT);
    field room[64];
    schema want = all_types(room), got;
    arena *a;
    (void)state;

    assert_true(arrow_schema_wanted(&want));
    assert_ok(arrow_schema_write(&want, own, 2, ARROW_IN_PARQUET, &out, &err), &err);
    assert_int_equal(out.len % 8, 0);
    assert_ok(arena_new(m, &a, &err), &err);
    assert_ok(arrow_schema_read((span){out.data, out.len}, a, &got, &err), &err);
    assert_int_equal(got.n_fields, want.n_fields);
    for (uint32_t i = 0; i < want.n_fields; i++) {
        const field *x = &want.fields[i], *y = &got.fields[i];
        assert_string_equal(x->name, y->name);
        assert_int_equal(x->nullable, y->nullable);
        if (x->type.id != TYPE_DECIMAL && x->type.id != TYPE_UUID && x->type.id != TYPE_JSON)
            same_notes(x->note, y->note);
        if (!type_equal(&x->type, &y->type))
            fail_msg("field %u: type %d came back as %d", i, x->type.id, y->type.id);
    }
    assert_int_equal(got.fields[got.n_fields - 1].note->n_pairs, 2);
    assert_string_equal(got.fields[got.n_fields - 1].note->pairs[0].value, "v");
    arena_free(a);
    bytes_release(&out);
    test_mem_close(m);
}

static void test_wanted(void **state)
{
    field f[] = {{.name = "a", .type = type_of(TYPE_INT64)},
                 {.name = "b", .type = type_nested(TYPE_LIST, items, 1)}};
    schema s = {.n_fields = 2, .fields = f};
    (void)state;

    assert_false(arrow_schema_wanted(&s));
    f[1].type = type_nested(TYPE_MAP, pairs, 2); /* a duration inside */
    assert_true(arrow_schema_wanted(&s));
    f[1].type = type_of(TYPE_UTF8);
    f[1].note = &large;
    assert_true(arrow_schema_wanted(&s));
}

/* Anything may come of it but a crash, a read beyond the bytes, or memory without bounds. */
static void read_damaged(mem *m, const uint8_t *data, size_t len)
{
    nrw_error err = NRW_ERROR_INIT;
    uint8_t *copy = exact(data, len);
    arena *a;
    schema s;

    assert_ok(arena_new(m, &a, &err), &err);
    nrw_status st = arrow_schema_read((span){copy, len}, a, &s, &err);
    assert_true(st == NRW_OK || st == NRW_E_CORRUPT);
    arena_free(a);
    free(copy);
}

static void test_damage(void **state)
{
    static const uint8_t values[] = {0, 1, 4, 0x7f, 0x80, 0xff};
    mem *m = test_mem_open(LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    bytes out = bytes_init(m, LIMIT);
    field room[64];
    schema s = all_types(room);
    (void)state;

    assert_ok(arrow_schema_write(&s, NULL, 0, ARROW_IN_PARQUET, &out, &err), &err);
    for (size_t i = 0; i < out.len; i++) {
        uint8_t was = out.data[i];
        for (size_t v = 0; v < sizeof values; v++) {
            out.data[i] = values[v];
            read_damaged(m, out.data, out.len);
        }
        out.data[i] = was;
        read_damaged(m, out.data, i);
    }
    bytes_release(&out);
    test_mem_close(m);
}

/* References that lead anywhere, also back to where they stand: a list of itself. */
static void test_cycles(void **state)
{
    mem *m = test_mem_open(LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    bytes out = bytes_init(m, LIMIT);
    field f = {.name = "l", .type = type_nested(TYPE_LIST, items, 1)};
    schema s = {.n_fields = 1, .fields = &f};
    (void)state;

    assert_ok(arrow_schema_write(&s, NULL, 0, ARROW_IN_PARQUET, &out, &err), &err);
    for (size_t at = 8; at + 4 <= out.len; at += 4) {
        uint32_t was = load_u32(out.data + at);
        for (uint32_t to = 4; to < out.len - at; to += 4) { /* every reference to everywhere */
            store_u32(out.data + at, to);
            read_damaged(m, out.data, out.len);
        }
        store_u32(out.data + at, was);
    }
    bytes_release(&out);
    test_mem_close(m);
}

static void test_base64(void **state)
{
    static const struct {
        const char *plain, *text;
    } known[] = {{"", ""},
                 {"f", "Zg=="},
                 {"fo", "Zm8="},
                 {"foo", "Zm9v"},
                 {"foob", "Zm9vYg=="},
                 {"fooba", "Zm9vYmE="},
                 {"foobar", "Zm9vYmFy"}};
    static const char *const bad[] = {"Z", "Zg=a", "Zm9!", "Zg===", "====", "Zm9vY"};
    mem *m = test_mem_open(LIMIT);
    nrw_error err = NRW_ERROR_INIT;
    uint8_t plain[64];
    size_t len;
    (void)state;

    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        bytes out = bytes_init(m, LIMIT);
        span p = {(const uint8_t *)known[i].plain, strlen(known[i].plain)};
        assert_ok(base64_encode(p, &out, &err), &err);
        assert_int_equal(out.len, strlen(known[i].text));
        assert_memory_equal(out.data ? out.data : plain, known[i].text, out.len);
        assert_true(base64_decode((span){(const uint8_t *)known[i].text, out.len}, plain, &len));
        assert_int_equal(len, p.len);
        assert_memory_equal(plain, p.data, len);
        bytes_release(&out);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(base64_decode((span){(const uint8_t *)bad[i], strlen(bad[i])}, plain, &len));
    assert_true(base64_decode((span){(const uint8_t *)"Zm\n8", 4}, plain, &len));
    assert_int_equal(len, 2);
    test_mem_close(m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_wanted),
        cmocka_unit_test(test_damage),     cmocka_unit_test(test_cycles),
        cmocka_unit_test(test_base64),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
