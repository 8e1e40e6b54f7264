#include "column/json_out.h"
#include "column/json_value.h"
#include "column/print.h"
#include "format/text/own.h"

/* The column that is turned into cells. */
typedef struct maker {
    const text_writer *w;
    const text_field *f;
    bytes *scratch;
    nrw_error *err;
} maker;

static nrw_status room(const maker *k, size_t n)
{
    if (k->scratch->cap - k->scratch->len >= n + PAD)
        return NRW_OK;
    return bytes_reserve(k->scratch, n + PAD, k->err);
}

static char *end_of(const maker *k)
{
    return (char *)k->scratch->data + k->scratch->len;
}

/* The n bytes at the end of the scratch become a cell. */
static void close_cell(const maker *k, size_t n, cell *c)
{
    *c = (cell){k->scratch->len, (uint32_t)n, CELL_SCRATCH};
    k->scratch->len += n;
}

static bool must_stream(const maker *k, size_t n)
{
    return n > STREAM_MIN || k->scratch->len > SCRATCH_SOFT;
}

static nrw_status csv_text(const maker *k, span v, cell *c)
{
    *c = (cell){(uintptr_t)v.data, (uint32_t)v.len, CELL_POINTER};
    if (!text_csv_quotes(k->w, v.data, v.len))
        return NRW_OK;
    c->place = CELL_STREAM;
    if (must_stream(k, v.len))
        return NRW_OK;
    TRY(room(k, 2 * v.len + 2));
    char *out = end_of(k);
    out[0] = '"';
    size_t n = 1 + text_csv_double(v.data, v.len, out + 1);
    out[n] = '"';
    close_cell(k, n + 1, c);
    return NRW_OK;
}

static nrw_status json_text(const maker *k, span v, cell *c)
{
    *c = (cell){(uintptr_t)v.data, (uint32_t)v.len, CELL_STREAM};
    if (must_stream(k, v.len))
        return NRW_OK;
    size_t plain = json_plain_prefix(v.data, v.len), rest = v.len - plain;
    TRY(room(k, plain + 6 * rest + 2));
    char *out = end_of(k);
    out[0] = '"';
    if (plain)
        memcpy(out + 1, v.data, plain);
    size_t n = 1 + plain + json_escape(v.data + plain, rest, out + 1 + plain);
    out[n] = '"';
    close_cell(k, n + 1, c);
    return NRW_OK;
}

static nrw_status blob(const maker *k, span v, cell *c)
{
    *c = (cell){(uintptr_t)v.data, (uint32_t)v.len, CELL_STREAM};
    if (must_stream(k, 4 * v.len))
        return NRW_OK;
    if (k->w->kind == TEXT_JSON) { /* its backslashes are escaped again */
        char text[4 * 64];
        TRY(room(k, 8 * v.len + 2));
        char *out = end_of(k);
        size_t n = 0;
        out[n++] = '"';
        for (size_t at = 0; at < v.len; at += 64)
            n += json_escape((uint8_t *)text,
                             print_blob(v.data + at, size_min(v.len - at, 64), text), out + n);
        out[n++] = '"';
        close_cell(k, n, c);
        return NRW_OK;
    }
    TRY(room(k, 4 * v.len + 2));
    char *out = end_of(k);
    size_t n = print_blob(v.data, v.len, out + 1);
    if (text_csv_quotes(k->w, (uint8_t *)out + 1, n)) {
        out[0] = '"';
        out[++n] = '"';
        n++;
    } else {
        memmove(out, out + 1, n);
    }
    close_cell(k, n, c);
    return NRW_OK;
}

/* JSON in JSON loses its white space (line ends among it); what is no JSON goes as a string. */
static nrw_status embedded_json(const maker *k, span v, cell *c)
{
    size_t n;
    *c = (cell){(uintptr_t)v.data, (uint32_t)v.len, CELL_STREAM};
    if (must_stream(k, v.len))
        return NRW_OK;
    TRY(room(k, v.len));
    if (!json_minify(v.data, v.len, end_of(k), &n))
        return json_text(k, v, c);
    close_cell(k, n, c);
    return NRW_OK;
}

static nrw_status csv_checked(const maker *k, const uint8_t *p, cell *c)
{
    char *out = end_of(k);
    size_t n = print_fixed(&k->f->type, p, out + 1);
    if (text_csv_quotes(k->w, (uint8_t *)out + 1, n)) {
        out[0] = '"';
        out[++n] = '"';
        n++;
    } else {
        memmove(out, out + 1, n);
    }
    close_cell(k, n, c);
    return NRW_OK;
}

static nrw_status make_fixed(const maker *k, const uint8_t *p, cell *c)
{
    TRY(room(k, PRINT_MAX + 2));
    char *out = end_of(k);
    size_t n;
    switch (k->f->how) {
    case HOW_PRINT_CHECK: return csv_checked(k, p, c);
    case HOW_JSON_NUMBER: n = json_number(&k->f->type, p, out); break;
    case HOW_PRINT_STRING:
        out[0] = '"';
        n = 1 + print_fixed(&k->f->type, p, out + 1);
        out[n++] = '"';
        break;
    default: n = print_fixed(&k->f->type, p, out); break;
    }
    close_cell(k, n, c);
    return NRW_OK;
}

static nrw_status too_long(void *self, bytes *out, nrw_error *err)
{
    (void)self;
    (void)out;
    (void)err;
    return NRW_END;
}

/* Lists, structs and maps are JSON, also in CSV. Long ones, and those for which the scratch has no
 * room left, are printed when the row is written. */
static nrw_status nested(const maker *k, const vector *v, uint32_t row, cell *c)
{
    bytes *text = k->scratch;
    size_t start = text->len, n;
    json_sink s = {.out = text, .soft = start + STREAM_MIN, .drain = too_long};
    *c = (cell){(uintptr_t)v, row, CELL_STREAM};
    if (start > SCRATCH_SOFT)
        return NRW_OK;
    nrw_status st = json_value(&s, v, row, k->err);
    n = text->len - start;
    if (st == NRW_OK)
        st = room(k, 2 * n + 2);
    if (st == NRW_OK && k->w->kind == TEXT_CSV && text_csv_quotes(k->w, text->data + start, n)) {
        char *out = end_of(k);
        size_t len = 1 + text_csv_double(text->data + start, n, out + 1);
        out[0] = '"';
        out[len++] = '"';
        memmove(text->data + start, out, len);
        n = len;
    }
    text->len = start;
    if (st == NRW_OK)
        close_cell(k, n, c);
    return st == NRW_END ? NRW_OK : st;
}

/* Value i of a flat vector. */
static nrw_status make(const maker *k, const vector *flat, uint32_t i, cell *c)
{
    switch (k->f->how) {
    case HOW_TEXT:
        if (k->w->kind == TEXT_JSON)
            return json_text(k, flat_span(flat, i), c);
        return csv_text(k, flat_span(flat, i), c);
    case HOW_BYTES: return blob(k, flat_span(flat, i), c);
    case HOW_JSON: return embedded_json(k, flat_span(flat, i), c);
    case HOW_NESTED: return nested(k, flat, i, c);
    default: return make_fixed(k, flat->data + (size_t)i * flat->type.width, c);
    }
}

/* Rows [at, at + rows) of a flat or dict vector; an index like the one before has its cell. */
static nrw_status from_rows(const maker *k, const vector *v, uint32_t at, uint32_t rows, cell *out)
{
    const cell null = {(uintptr_t)k->w->null.data, (uint32_t)k->w->null.len, CELL_POINTER};
    const uint32_t *index = v->form == VECTOR_DICT ? (const uint32_t *)v->data : NULL;
    const vector *values = index ? &v->dict->values : v;
    bool nulls = v->null_count > 0;
    uint32_t last = UINT32_MAX, last_row = 0;
    for (uint32_t r = 0; r < rows; r++) {
        uint32_t i = at + r;
        if (nulls && !bit_get(v->validity, i)) {
            out[r] = null;
            continue;
        }
        if (index) {
            i = index[i];
            if (i == last) {
                out[r] = out[last_row];
                continue;
            }
            last = i;
            last_row = r;
        }
        TRY(make(k, values, i, &out[r]));
    }
    return NRW_OK;
}

static nrw_status from_runs(const maker *k, const lane *col, uint32_t rows, cell *out)
{
    const uint32_t *ends = (const uint32_t *)col->v.data;
    uint32_t at = col->at, end = at + rows;
    for (uint32_t run = col->run; at < end; run++) {
        uint32_t to = ends[run] < end ? ends[run] : end;
        TRY(from_rows(k, col->v.values, run, 1, out));
        for (uint32_t n = to - at, i = 1; i < n; i++)
            out[i] = out[0];
        out += to - at;
        at = to;
    }
    return NRW_OK;
}

nrw_status text_cells(const text_writer *w, text_task *k, uint32_t c, uint32_t rows, nrw_error *err)
{
    const lane *col = &k->cols[c];
    cell *out = k->cells + (size_t)c * k->step;
    maker mk = {w, &w->fields[c], &k->scratch, err};
    if (col->v.form == VECTOR_RUNS)
        return from_runs(&mk, col, rows, out);
    return from_rows(&mk, &col->v, col->at, rows, out);
}
