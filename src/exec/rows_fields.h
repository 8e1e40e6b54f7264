/* Of packed blocks of rows: which fields there are, and in which order, for who packs
 * (rows_pack.c) and who unpacks (rows_unpack.c).
 *
 * A block: zero, which no row begins with, and how many bytes the rows take (4 each). Then
 * stretches of rows: their number (4), what is left out (1), the fields, the texts. Hashes are left
 * out where they follow from the columns that the layout names; a column, where the first one is a
 * sort's key that tells all of its values.
 *
 * A field is the least value (as wide as the field), how many bits the distances from it take (1),
 * and the distances. Words whose lower halves have few bits, as places have (a morsel and a row of
 * it), are put together without the zeros between: 65 and how many bits those are, then how many
 * bits both take (1). Fields are, in this order: the lengths of all text columns, from which
 * follows where texts start and how long rows are; what stands before the columns, word by word;
 * the other columns, those wider than a word in pieces. Texts come column by column: what all of a
 * column's begin and end with (4 bytes for each length), then what is between, one behind the
 * other; where a column's are all of one length, their words are fields, big end first, from the
 * last one on: keys and codes that are near to each other differ in their last bytes, and behind
 * the keys of a sort stands a place, as a whole word, which is a field behind the texts where
 * lengths differ. */
#ifndef EXEC_ROWS_FIELDS_H
#define EXEC_ROWS_FIELDS_H

#include "exec/rows_pack.h"
#include "exec/sort_key.h"

#define PACK_ROWS 1024u /* of a stretch, at most */
#define WORDS_LEN 64u   /* longer texts are not split */

#define HALVES      65u
#define TOLD_HASHES 1u /* are left out; the bits above: columns of the key's parts */

typedef void (*on_field)(void *self, uint32_t at, uint32_t width);

static inline uint32_t field_bits(uint64_t v)
{
    return v ? 64 - (uint32_t)__builtin_clzll(v) : 0;
}
static inline uint64_t field_low_bits(uint32_t n)
{
    return ((uint64_t)1 << n) - 1;
}
static inline bool field_is_text(const row_layout *l, uint32_t c)
{
    return type_is_view(&l->types[c]);
}
/* Bytes at the end of a column's texts that are a field of their own where lengths differ. */
static inline uint32_t field_place(const row_layout *l, uint32_t c)
{
    return c == 0 && l->key && l->key->place ? 8 : 0;
}

void fields_of_lengths(const row_layout *l, on_field field, void *self);
/* Those behind the lengths; `told`: what is left out. */
void fields_before_texts(const row_layout *l, uint8_t told, on_field field, void *self);
void fields_each_text(const row_layout *l, void (*text)(void *self, uint32_t c), void *self);
/* The words of texts of so many bytes each, by their place in the text. */
void fields_of_text(uint32_t len, on_field word, void *self);
/* The length that all of n texts have and that is worth words; 0: there is none. */
uint32_t field_even_length(const uint32_t *len, uint32_t n);

/* Parts of the key that may tell a column. */
uint32_t field_parts(const row_layout *l);
/* The part of the key that tells column c; UINT32_MAX: none does. */
uint32_t field_part_telling(const row_layout *l, uint8_t told, uint32_t c);
static inline bool field_is_told(const row_layout *l, uint8_t told, uint32_t c)
{
    return field_part_telling(l, told, c) != UINT32_MAX;
}

#endif
