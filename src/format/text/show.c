#include "format/text/show.h"

#include "column/print.h"

#include <ctype.h>

/* The character at p and its length; 0xfffd and 1 for a byte that is no UTF-8. */
static uint32_t decode(const uint8_t *p, size_t n, uint32_t *len)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint32_t need = p[0] < 0x80 ? 1 : p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc0 ? 2 : 0;
    *len = 1;
    if (need == 1)
        return p[0];
    if (need == 0 || need > n || p[0] > 0xf4)
        return 0xfffd;
    uint32_t c = p[0] & (0x7fu >> need);
    for (uint32_t i = 1; i < need; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0xfffd;
        c = c << 6 | (p[i] & 0x3f);
    }
    if (c < least[need] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0xfffd;
    *len = need;
    return c;
}

typedef struct range {
    uint32_t first, last;
} range;

static bool among(const range *r, size_t n, uint32_t c)
{
    for (size_t i = 0; i < n && c >= r[i].first; i++)
        if (c <= r[i].last)
            return true;
    return false;
}

/* Columns of a terminal (Unicode's East Asian Width, by blocks; combining marks take none). */
static uint32_t columns(uint32_t c)
{
    static const range none[] = {{0x300, 0x36f},   {0x483, 0x489},   {0x591, 0x5bd},
                                 {0x610, 0x61a},   {0x64b, 0x65f},   {0x200b, 0x200f},
                                 {0x202a, 0x202e}, {0x2060, 0x2064}, {0x20d0, 0x20f0},
                                 {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f}, {0xfeff, 0xfeff}};
    static const range two[] = {
        {0x1100, 0x115f},   {0x2e80, 0x303e},   {0x3041, 0x33ff},   {0x3400, 0x4dbf},
        {0x4e00, 0x9fff},   {0xa000, 0xa4cf},   {0xa960, 0xa97f},   {0xac00, 0xd7a3},
        {0xf900, 0xfaff},   {0xfe30, 0xfe6f},   {0xff00, 0xff60},   {0xffe0, 0xffe6},
        {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1f9ff}, {0x20000, 0x3fffd}};
    if (c < 0x300)
        return 1;
    if (among(none, sizeof none / sizeof *none, c))
        return 0;
    return among(two, sizeof two / sizeof *two, c) ? 2 : 1;
}

static bool must_escape(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0xfffd;
}

/* \n, \x1B: a byte that would move the cursor or is no text. */
static uint32_t escape(uint8_t byte, uint8_t *out)
{
    static const char hex[] = "0123456789ABCDEF", letters[] = "abtnvfr";
    out[0] = '\\';
    if (byte >= 7 && byte <= 13) {
        out[1] = (uint8_t)letters[byte - 7];
        return 2;
    }
    out[1] = 'x';
    out[2] = (uint8_t)hex[byte >> 4];
    out[3] = (uint8_t)hex[byte & 15];
    return 4;
}

/* Appends the character at p; returns its width. */
static uint32_t append(const uint8_t *p, uint32_t c, uint32_t len, show_cell *out)
{
    if (must_escape(c) && !(c == 0xfffd && len > 1)) {
        uint32_t n = 0;
        for (uint32_t i = 0; i < len; i++)
            n += escape(p[i], out->text + out->len + n);
        out->len += n;
        return n;
    }
    memcpy(out->text + out->len, p, len);
    out->len += len;
    return columns(c);
}

void show_text(const uint8_t *p, size_t n, bool ascii, show_cell *out)
{
    const char *dots = ascii ? "..." : "…";
    uint32_t dots_width = ascii ? 3 : 1, cut_len = 0, cut_width = 0;
    *out = (show_cell){.width = 0, .len = 0};
    for (size_t at = 0; at < n;) {
        uint32_t len, c = decode(p + at, n - at, &len), before = out->len;
        uint32_t width = append(p + at, c, len, out);
        if (out->width + width > SHOW_COLUMNS || out->len + 16 > sizeof out->text) {
            memcpy(out->text + cut_len, dots, strlen(dots));
            out->len = cut_len + (uint32_t)strlen(dots);
            out->width = cut_width + dots_width;
            return;
        }
        if (out->width + dots_width <= SHOW_COLUMNS) { /* the dots would fit in before this one */
            cut_len = before;
            cut_width = out->width;
        }
        out->width += width;
        at += len;
    }
}

void show_value(const type *t, span value, bool ascii, show_cell *out)
{
    char text[1024];
    size_t n;
    switch (t->id) {
    case TYPE_UTF8:
    case TYPE_JSON:
    case TYPE_ENUM: show_text(value.data, value.len, ascii, out); return;
    case TYPE_BINARY:
    case TYPE_BSON:
    case TYPE_FIXED: n = print_blob(value.data, size_min(value.len, sizeof text / 4), text); break;
    default: n = print_fixed(t, value.data, text); break;
    }
    show_text((uint8_t *)text, n, ascii, out);
}

void show_type(const type *t, bool ascii, show_cell *out)
{
    static const char *const short_names[] = {
        [TYPE_INT8] = "int8",       [TYPE_INT16] = "int16",   [TYPE_INT32] = "int32",
        [TYPE_INT64] = "int64",     [TYPE_UINT8] = "uint8",   [TYPE_UINT16] = "uint16",
        [TYPE_UINT32] = "uint32",   [TYPE_UINT64] = "uint64", [TYPE_INT128] = "int128",
        [TYPE_UINT128] = "uint128",
    };
    char text[4 * SHOW_COLUMNS];
    if (t->id >= TYPE_INT8 && t->id <= TYPE_UINT128) {
        const char *name = short_names[t->id];
        show_text((const uint8_t *)name, strlen(name), ascii, out);
        return;
    }
    size_t n = size_min(type_print(t, text, sizeof text), sizeof text - 1);
    for (size_t i = 0; i < n; i++)
        text[i] = (char)tolower((unsigned char)text[i]);
    show_text((uint8_t *)text, n, ascii, out);
}
