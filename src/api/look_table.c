#include "api/look_table.h"

#include "base/text.h"
#include "base/utf8.h"
#include "column/json_out.h"

#include <stdio.h>
#include <string.h>

#define HELD ((size_t)64 << 10)

look_table look_table_of(look *l, const look_column *columns, uint32_t n, nrw_error *err)
{
    look_table t = {.l = l, .columns = columns, .n = n, .err = err};

    t.held = bytes_init(l->job->root, 2 * HELD + ((size_t)64 << 20));
    for (uint32_t i = 0; i < n; i++)
        t.widths[i] = columns[i].title ? (uint32_t)strlen(columns[i].title) : 0;
    return t;
}

/* Columns on a terminal of valid UTF-8, wide characters aside. */
static uint32_t width_of(const char *text)
{
    uint32_t n = 0;

    for (; *text; text++)
        n += ((unsigned char)*text & 0xC0) != 0x80;
    return n;
}

/* ---- text ---- */

static nrw_status print_row(look_table *t, const char *(*cell)(const void *self, uint32_t i),
                            const void *self)
{
    bytes *line = &t->l->line;

    for (uint32_t i = 0; i < t->n; i++) {
        const char *text = cell(self, i);
        if (!t->columns[i].title)
            continue;
        uint32_t width = width_of(text);
        int pad = width < t->widths[i] ? (int)(t->widths[i] - width) : 0;
        if (t->columns[i].right)
            TRY(bytes_printf(line, t->err, "%*s", pad, ""));
        TRY(bytes_append(line, text, strlen(text), t->err));
        if (!t->columns[i].right)
            TRY(bytes_printf(line, t->err, "%*s", pad, ""));
        TRY(bytes_append(line, "  ", 2, t->err));
    }
    while (line->len && line->data[line->len - 1] == ' ')
        line->len--;
    TRY(bytes_append(line, "\n", 1, t->err));
    return look_flush_line(t->l, t->err);
}

static const char *title(const void *self, uint32_t i)
{
    return ((const look_table *)self)->columns[i].title;
}

typedef struct row_cells {
    const char *at[LOOK_MAX_COLUMNS];
} row_cells;

static const char *row_cell(const void *self, uint32_t i)
{
    return ((const row_cells *)self)->at[i];
}

/* Prints the rows held. */
static nrw_status settle(look_table *t)
{
    const char *p = (const char *)t->held.data, *end = p + t->held.len;
    row_cells row;

    if (!t->settled && !t->bare)
        TRY(print_row(t, title, t));
    t->settled = true;
    while (p < end) {
        for (uint32_t i = 0; i < t->n; i++) {
            row.at[i] = p;
            p += strlen(p) + 1;
        }
        TRY(print_row(t, row_cell, &row));
    }
    bytes_clear(&t->held);
    return NRW_OK;
}

/* Control characters would break the lines. */
static nrw_status put_cell(look_table *t, const char *text, size_t len)
{
    size_t from = t->held.len;
    uint32_t width;

    TRY(bytes_append(&t->held, text, len, t->err));
    for (size_t i = from; i < t->held.len; i++)
        if (t->held.data[i] < 0x20 || t->held.data[i] == 0x7F)
            t->held.data[i] = ' ';
    TRY(bytes_append(&t->held, "", 1, t->err));
    width = width_of((const char *)t->held.data + from);
    if (!t->settled && width > t->widths[t->at])
        t->widths[t->at] = width;
    return NRW_OK;
}

/* ---- JSON ---- */

static nrw_status json_key(look_table *t)
{
    bytes *line = &t->l->line;

    if (t->at == 0 && t->inside && t->rows)
        TRY(bytes_append(line, ",", 1, t->err));
    TRY(bytes_append(line, t->at ? "," : "{", 1, t->err));
    return bytes_printf(line, t->err, "\"%s\":", t->columns[t->at].key);
}

static nrw_status json_row_end(look_table *t)
{
    TRY(bytes_append(&t->l->line, t->inside ? "}" : "}\n", t->inside ? 1 : 2, t->err));
    return look_flush_line(t->l, t->err);
}

/* ---- cells ---- */

static nrw_status cell(look_table *t, const char *text, size_t len, const char *json)
{
    if (t->l->json && t->columns[t->at].key) {
        TRY(json_key(t));
        TRY(json ? bytes_append(&t->l->line, json, strlen(json), t->err)
                 : look_json_string(t->l, text, len, t->err));
    } else if (!t->l->json) {
        TRY(put_cell(t, text, len));
    }
    if (++t->at < t->n)
        return NRW_OK;
    if (t->l->json)
        TRY(json_row_end(t));
    else if (t->settled || t->held.len >= HELD)
        TRY(settle(t));
    t->at = 0;
    t->rows++;
    return NRW_OK;
}

static void add(look_table *t, const char *text, const char *json)
{
    if (t->st >= 0)
        t->st = cell(t, text, strlen(text), json);
}

void look_cell_bytes(look_table *t, span text)
{
    if (t->st >= 0)
        t->st = cell(t, (const char *)text.data, text.len, NULL);
}

void look_cell_text(look_table *t, const char *text)
{
    add(t, text, NULL);
}

void look_cell_value(look_table *t, const char *text)
{
    char cut[LOOK_SHORT + 4];
    size_t len = strlen(text);

    if (t->l->json || len <= LOOK_SHORT) {
        look_cell_text(t, text);
    } else {
        snprintf(cut, sizeof cut, "%.*s...", (int)utf8_cut(text, len, LOOK_SHORT - 3), text);
        look_cell_text(t, cut);
    }
}

void look_cell_type(look_table *t, const type *ty)
{
    size_t n = type_print(ty, NULL, 0);
    void *name;
    if (t->st < 0)
        return;
    t->st = mem_alloc(t->held.m, n + 1, &name, t->err);
    if (t->st < 0)
        return;
    type_print(ty, name, n + 1);
    look_cell_text(t, name);
    mem_free(t->held.m, name, n + 1);
}

void look_cell_int(look_table *t, int64_t x)
{
    char digits[32], shown[TEXT_NUMBER], all[TEXT_NUMBER + 1];

    snprintf(digits, sizeof digits, "%lld", (long long)x);
    text_group(x < 0 ? -(uint64_t)x : (uint64_t)x, shown);
    snprintf(all, sizeof all, "%s%s", x < 0 ? "-" : "", shown);
    add(t, all, digits);
}

void look_cell_maybe(look_table *t, int64_t x)
{
    if (x < 0)
        look_cell_none(t);
    else
        look_cell_int(t, x);
}

void look_cell_size(look_table *t, uint64_t x)
{
    char digits[32], shown[TEXT_NUMBER];

    snprintf(digits, sizeof digits, "%llu", (unsigned long long)x);
    add(t, text_size10(x, shown), digits);
}

void look_cell_bool(look_table *t, bool x)
{
    add(t, x ? "yes" : "-", x ? "true" : "false");
}

void look_cell_number(look_table *t, const char *digits)
{
    add(t, digits, digits);
}

void look_cell_none(look_table *t)
{
    add(t, "-", "null");
}

void look_cell_bits(look_table *t, uint32_t bits, const char *(*name)(int bit))
{
    char text[512] = "", json[640] = "[";
    size_t n = 0, j = 1;

    for (int i = 0; i < 32; i++) {
        if (!(bits >> i & 1) || n > sizeof text - 64)
            continue;
        j += (size_t)snprintf(json + j, sizeof json - j, "%s\"%.40s\"", n ? "," : "", name(i));
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%.40s", n ? " " : "", name(i));
    }
    snprintf(json + j, sizeof json - j, "]");
    add(t, n ? text : "-", json);
}

/* Levels are 256 at most. */
enum { COUNTS = 256 * 21 + 64 };

void look_cell_ints(look_table *t, const int64_t *x, uint32_t n)
{
    char text[COUNTS] = "", json[COUNTS + 8] = "[";
    size_t at = 0, j = 1;

    for (uint32_t i = 0; i < n && at < sizeof text - 48; i++) {
        j += (size_t)snprintf(json + j, sizeof json - j, "%s%lld", i ? "," : "", (long long)x[i]);
        at +=
            (size_t)snprintf(text + at, sizeof text - at, "%s%lld", i ? " " : "", (long long)x[i]);
    }
    snprintf(json + j, sizeof json - j, "]");
    add(t, n ? text : "-", json);
}

nrw_status look_table_end(look_table *t)
{
    if (t->st >= 0 && !t->l->json)
        t->st = settle(t);
    bytes_release(&t->held);
    return t->st;
}
