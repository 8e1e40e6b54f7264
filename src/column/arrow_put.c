#include "column/arrow_put.h"

#include "column/arrow_own.h"

void arrow_type_add(arrow_type *t, uint8_t bytes, int64_t value)
{
    t->fields[t->n] = (flat_field){.id = (uint16_t)t->n, .bytes = bytes, .value = value};
    t->n++;
}

static span text_of(const char *s)
{
    return (span){(const uint8_t *)s, strlen(s)};
}

static nrw_status put_type(bytes *out, uint32_t at, arrow_type *t, nrw_error *err)
{
    TRY(flat_put_table(out, at, t->fields, t->n, err));
    return t->zone ? flat_put_string(out, t->fields[1].at, text_of(t->zone), err) : NRW_OK;
}

/* Index type and whether the dictionary's order counts. */
static nrw_status put_dictionary(bytes *out, uint32_t at, arrow_field *f, nrw_error *err)
{
    flat_field fields[] = {{.id = 0, .bytes = 8, .value = f->number},
                           {.id = 1},
                           {.id = 2, .bytes = 1, .value = f->ordered}};

    TRY(flat_put_table(out, at, fields, 3, err));
    return put_type(out, fields[1].at, &f->index, err);
}

nrw_status arrow_put_field(bytes *out, uint32_t at, arrow_field *f, uint32_t *children,
                           uint32_t *metadata, nrw_error *err)
{
    flat_field fields[ARROW_FIELD_METADATA + 1];
    uint32_t place[ARROW_FIELD_METADATA + 1] = {0}, n = 0;

    for (uint16_t id = 0; id <= ARROW_FIELD_METADATA; id++) {
        if (id == ARROW_FIELD_DICTIONARY && !f->dictionary)
            continue;
        place[id] = n;
        fields[n++] = (flat_field){.id = id};
    }
    fields[place[ARROW_FIELD_NULLABLE]].bytes = fields[place[ARROW_FIELD_TYPE_ID]].bytes = 1;
    fields[place[ARROW_FIELD_NULLABLE]].value = f->nullable;
    fields[place[ARROW_FIELD_TYPE_ID]].value = f->type.id;
    TRY(flat_put_table(out, at, fields, n, err));
    TRY(flat_put_string(out, fields[place[ARROW_FIELD_NAME]].at, text_of(f->name), err));
    TRY(put_type(out, fields[place[ARROW_FIELD_TYPE]].at, &f->type, err));
    if (f->dictionary)
        TRY(put_dictionary(out, fields[place[ARROW_FIELD_DICTIONARY]].at, f, err));
    *children = fields[place[ARROW_FIELD_CHILDREN]].at;
    *metadata = fields[place[ARROW_FIELD_METADATA]].at;
    return NRW_OK;
}

nrw_status arrow_put_schema(bytes *out, uint32_t at, uint32_t *fields, uint32_t *metadata,
                            nrw_error *err)
{
    flat_field head[] = {{.id = ARROW_SCHEMA_ENDIANNESS, .bytes = 2},
                         {.id = ARROW_SCHEMA_FIELDS},
                         {.id = ARROW_SCHEMA_METADATA}};

    TRY(flat_put_table(out, at, head, 3, err));
    *fields = head[1].at;
    *metadata = head[2].at;
    return NRW_OK;
}

nrw_status arrow_put_pair(bytes *out, uint32_t at, span key, span value, nrw_error *err)
{
    flat_field fields[] = {{.id = 0}, {.id = 1}};

    TRY(flat_put_table(out, at, fields, 2, err));
    TRY(flat_put_string(out, fields[0].at, key, err));
    return flat_put_string(out, fields[1].at, value, err);
}
