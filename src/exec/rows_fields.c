#include "exec/rows_fields.h"

#define WORDS_FROM 8u /* rows that pay for the fields of a text's words */

/* The widest piece of a value of so many bytes. */
static uint32_t piece_of(uint32_t width)
{
    return width >= 8 ? 8 : width >= 4 ? 4 : width >= 2 ? 2 : 1;
}

/* Where the columns begin: the bits are whole words. */
static uint32_t head_end(const row_layout *l)
{
    return l->bits + (l->n + 63) / 64 * 8;
}

uint32_t field_even_length(const uint32_t *len, uint32_t n)
{
    if (n < WORDS_FROM || len[0] > WORDS_LEN)
        return 0;
    for (uint32_t i = 1; i < n; i++)
        if (len[i] != len[0])
            return 0;
    return len[0];
}

void fields_of_lengths(const row_layout *l, on_field field, void *self)
{
    for (uint32_t c = 0; c < l->n; c++)
        if (field_is_text(l, c))
            field(self, l->at[c] + 4, 4);
}

uint32_t field_parts(const row_layout *l)
{
    return !l->key ? 0 : l->key->n < PACK_PARTS ? l->key->n : PACK_PARTS;
}

uint32_t field_part_telling(const row_layout *l, uint8_t told, uint32_t c)
{
    for (uint32_t k = 0; told >> (k + 1); k++)
        if (l->key->at[k].column == c && told >> (k + 1) & 1)
            return k;
    return UINT32_MAX;
}

void fields_before_texts(const row_layout *l, uint8_t told, on_field field, void *self)
{
    field(self, 4, 4);
    for (uint32_t at = told & TOLD_HASHES ? ROW_HEAD : 8; at < head_end(l); at += 8)
        field(self, at, 8);
    for (uint32_t c = 0; c < l->n; c++)
        for (uint32_t at = l->at[c], end = at + l->types[c].width, width;
             at < end && !field_is_text(l, c) && !field_is_told(l, told, c); at += width) {
            width = piece_of(end - at);
            field(self, at, width);
        }
}

void fields_each_text(const row_layout *l, void (*text)(void *self, uint32_t c), void *self)
{
    for (uint32_t c = 0; c < l->n; c++)
        if (field_is_text(l, c))
            text(self, c);
}

void fields_of_text(uint32_t len, on_field word, void *self)
{
    for (uint32_t at = len, width; at;) {
        width = piece_of(at);
        at -= width;
        word(self, at, width);
    }
}
