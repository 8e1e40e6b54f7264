/* Arrow schemas: any bytes as a message; and a sound message with some of its bytes changed, since
 * bytes by chance seldom get beyond the first reference. What was read can be written and read
 * again. */
#include "column/arrow_schema.h"

#include <stdlib.h>

enum { MOST_MEMORY = 64 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const field element[] = {
    {.name = "element", .type = {.id = TYPE_DECIMAL, .precision = 5, .scale = 2, .width = 4}}};
static const note_pair own[] = {{"key", "value", 5}};
static const field_note noted = {
    .form = ARROW_LARGE, .dictionary = true, .index_bits = 16, .n_pairs = 1, .pairs = own};
static field fields[] = {
    {.name = "t", .type = {.id = TYPE_UTF8, .width = 16}, .note = &noted},
    {.name = "d", .type = {.id = TYPE_DURATION, .unit = UNIT_MS, .width = 8}},
    {.name = "z", .type = {.id = TYPE_TIMESTAMP, .unit = UNIT_NS, .utc = true, .width = 8}},
    {.name = "l", .type = {.id = TYPE_LIST, .width = 4, .n_children = 1, .children = element}}};

static void read_again(mem *m, const schema *s)
{
    bytes out = bytes_init(m, MOST_MEMORY);
    schema again;
    arena *a;

    if (arena_new(m, &a, NULL) < 0)
        return;
    if (arrow_schema_write(s, NULL, 0, ARROW_IN_PARQUET, &out, NULL) == NRW_OK) {
        nrw_status st = arrow_schema_read((span){out.data, out.len}, a, &again, NULL);
        if (st != NRW_OK && st != NRW_E_MEMLIMIT)
            __builtin_trap();
        if (st == NRW_OK && again.n_fields != s->n_fields)
            __builtin_trap();
    }
    bytes_release(&out);
    arena_free(a);
}

static void read_message(mem *m, span message)
{
    schema s;
    arena *a;

    if (arena_new(m, &a, NULL) < 0)
        return;
    if (arrow_schema_read(message, a, &s, NULL) == NRW_OK)
        read_again(m, &s);
    arena_free(a);
}

/* Three bytes of input are a place and what stands there. */
static void read_changed(mem *m, const uint8_t *data, size_t size)
{
    const schema s = {.n_fields = 4, .fields = fields};
    bytes out = bytes_init(m, MOST_MEMORY);

    if (arrow_schema_write(&s, own, 1, ARROW_IN_PARQUET, &out, NULL) == NRW_OK) {
        for (size_t i = 0; i + 3 <= size; i += 3)
            out.data[(data[i] | (size_t)data[i + 1] << 8) % out.len] = data[i + 2];
        read_message(m, (span){out.data, out.len});
    }
    bytes_release(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mem *m = NULL;

    if (mem_root(MOST_MEMORY, &m, NULL) < 0)
        return 0;
    read_message(m, (span){data, size});
    read_changed(m, data, size);
    mem_trim();
    if (mem_used(m))
        __builtin_trap();
    mem_free_account(m);
    return 0;
}
